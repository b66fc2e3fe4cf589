/** A thousand interrupts in a row, at every moment of a cell's life: none is lost, and the state stays. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

test('a thousand interrupts end a thousand loops', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shardbook-interrupts-'))
  const path = resolve('dist/kernel/front/headless.js')
  const { startHeadless } = (await import(path)) as typeof import('../../../kernel/front/headless.js')
  let last: unknown
  const kernel = await startHeadless({ cwd: folder, onMessage: ({ content }) => (last = content['data']) })
  await kernel.execute(0, 'let rounds = 0')
  for (let n = 0; n < 1000; n++) {
    const running = kernel.execute(n, 'rounds++; for (;;);')
    setTimeout(() => void kernel.interrupt(), (n * 7) % 90)
    expect((await running).error?.ename, `interrupt ${n}`).toBe('KeyboardInterrupt')
  }
  expect((await kernel.execute(1000, 'rounds > 100')).status).toBe('ok')
  expect(last).toEqual({ 'text/plain': 'true' })
  await kernel.close()
  rmSync(folder, { recursive: true, force: true })
})
