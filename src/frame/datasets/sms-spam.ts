/**
 * The SMS Spam Collection: 5,574 messages, ham or spam.
 * Reference: T. A. Almeida, J. M. Gómez Hidalgo (UCI 228); CC BY 4.0. Its publisher offers an archive only, so there is
 * nothing to download from here.
 */
import { readFileSync } from 'node:fs'
import { ShardbookError } from '../../core/errors.js'
import type { Frame } from '../frame.js'
import { read } from '../read.js'
import { localFile } from './find-file.js'

/**
 * The SMS Spam Collection: `label` is `ham` or `spam`. Looked for in `SHARDBOOK_DATA/sms-spam`, then in the cache.
 * @throws `missing` when the file is in neither
 *
 * @example
 * ```ts
 * const messages = await datasets.smsSpam()
 * ```
 */
export async function smsSpam(): Promise<Frame<{ label: string; text: string }>> {
  const path = localFile('sms-spam', 'SMSSpamCollection.tsv') ?? localFile('sms-spam', 'SMSSpamCollection')
  if (path === undefined) {
    throw new ShardbookError(
      'missing',
      'datasets.smsSpam: expected the file SMSSpamCollection on this machine, got none.',
      {
        hint: `Get it from https://archive.ics.uci.edu/dataset/228, put it into a folder 'sms-spam' and set SHARDBOOK_DATA to the folder above.`,
      },
    )
  }
  const dialect = { separator: '\t', quote: '' }
  // The collection comes with a line of names or without.
  if (readFileSync(path, 'utf8').startsWith('Label\t')) {
    const named = await read.csv(path, { ...dialect, schema: { Label: 'string', SMS: 'string' } })
    return named.rename({ Label: 'label', SMS: 'text' })
  }
  return read.csv(path, { ...dialect, header: false, schema: { label: 'string', text: 'string' } })
}
