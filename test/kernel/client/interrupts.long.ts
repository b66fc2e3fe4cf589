/** A thousand interrupts in a row, at every moment of a cell's life: none is lost, and the state stays. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import { Client, result } from './bridge.js'

describe.skipIf(missing('python'))('a thousand interrupts', () => {
  let client: Client
  beforeAll(async () => {
    client = await Client.start()
  })
  afterAll(async () => {
    await client.close()
  })

  test('end a thousand loops', async () => {
    await client.execute('let rounds = 0')
    for (let n = 0; n < 1000; n++) {
      const answer = await client.execute('rounds++; for (;;);', { interruptAfterMs: 1 + ((n * 7) % 80) })
      expect(answer.reply?.content['ename'], `interrupt ${n}`).toBe('KeyboardInterrupt')
    }
    // Some come before the cell has begun.
    expect(Number(result(await client.execute('rounds')))).toBeGreaterThan(100)
  })
})
