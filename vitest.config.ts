import { defineConfig } from 'vitest/config'

// `npm run test:long` sets it: soaks and full trainings instead of the everyday tests.
const long = process.env['SHARDBOOK_TEST_LONG'] === '1'

export default defineConfig({
  test: {
    include: [long ? 'test/**/*.long.ts' : 'test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Generous: a machine may be slow or busy, and what hangs is found all the same.
    testTimeout: long ? 3_600_000 : 300_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 100_000 } },
    env: { TZ: 'UTC' },
  },
})
