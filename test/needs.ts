/**
 * What a test needs from the machine. `npm test` provides it, or says in `SHARDBOOK_TEST_MISSING` why it could not; such
 * tests are skipped by name (`describe.skipIf(missing('chromium'))`) and the reason is printed at the end.
 */
import { existsSync } from 'node:fs'

export type Need = 'python' | 'chromium' | 'native' | 'pjrt' | 'pjrt-cuda13' | 's3'

/** Why `need` is not there, or `undefined` when it is. Outside `npm test` everything is taken to be there. */
export function missing(need: Need): string | undefined {
  const reasons = JSON.parse(process.env['SHARDBOOK_TEST_MISSING'] ?? '{}') as Partial<Record<Need, string>>
  return reasons[need]
}

/** The path of the browser. @throws when there is none */
export function chromium(): string {
  const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((it) => existsSync(it))
  if (path === undefined) throw new Error('chromium: expected a browser in /usr/bin. Debian: apt-get install chromium.')
  return path
}
