/**
 * Warnings fail: a test during which Node or a library warns is red, unless the test takes the warning itself
 * (`vi.spyOn(console, 'warn')`).
 */
import { afterEach, beforeEach } from 'vitest'

const warnings: string[] = []

process.on('warning', (warning) => warnings.push(warning.stack ?? String(warning)))

beforeEach(() => {
  warnings.length = 0
  console.warn = (...parts: unknown[]) => void warnings.push(parts.map(String).join(' '))
})

afterEach(() => {
  if (warnings.length > 0) throw new Error(`The test warned:\n${warnings.join('\n')}`)
})
