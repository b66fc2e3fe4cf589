/** Data sets that are one call away. */
import { glyphs } from './glyphs.js'
import { mnist } from './mnist.js'
import { smsSpam } from './sms-spam.js'

export const datasets = { glyphs, mnist, smsSpam } as const
