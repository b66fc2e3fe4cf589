/**
 * What a test needs from the machine. `npm test` provides it, or says in `SHARDBOOK_TEST_MISSING` why it could not; such
 * tests are skipped by name (`describe.skipIf(missing('chromium'))`) and the reason is printed at the end.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export type Need = 'python' | 'chromium' | 'native' | 'pjrt' | 'pjrt-cuda13' | 's3'

/** Why `need` is not there, or `undefined` when it is. Outside `npm test` everything is taken to be there. */
export function missing(need: Need): string | undefined {
  const reasons = JSON.parse(process.env['SHARDBOOK_TEST_MISSING'] ?? '{}') as Partial<Record<Need, string>>
  return reasons[need]
}

/** Whether the folder of real data (`SHARDBOOK_DATA`, which `npm test` finds or leaves out) has this set. */
export function hasData(name: 'mnist' | 'sms-spam'): boolean {
  const folder = process.env['SHARDBOOK_DATA']
  return folder !== undefined && existsSync(join(folder, name))
}

/** The path of the browser. @throws when there is none */
export function chromium(): string {
  const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((it) => existsSync(it))
  if (path === undefined) throw new Error('chromium: expected a browser in /usr/bin. Debian: apt-get install chromium.')
  return path
}
