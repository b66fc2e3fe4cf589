import { defineConfig } from 'vitest/config'

// `npm run test:long` sets it: soaks and full trainings instead of the everyday tests.
const long = process.env['SHARDBOOK_TEST_LONG'] === '1'

export default defineConfig({
  test: {
    include: [long ? 'test/**/*.long.ts' : 'test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: long ? 3_600_000 : 120_000,
    hookTimeout: long ? 600_000 : 300_000,
    env: { TZ: 'UTC' },
  },
})
