/** What a request sets off is known as its own, through promises and across other requests' turns. */
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { currentOrigin, runFor, trackOrigins } from '../../../kernel/session/origin.js'

beforeAll(() => trackOrigins())

describe('origins', () => {
  test('follow code through awaits and thens, however requests take turns', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 5 }), { maxLength: 8 }), async (waits) => {
        const runs = waits.map((count, number) =>
          runFor({ number }, async () => {
            const seen: (number | undefined)[] = []
            for (let i = 0; i < count; i++) {
              await Promise.resolve()
              seen.push(currentOrigin()?.number)
              await Promise.resolve().then(() => seen.push(currentOrigin()?.number))
            }
            return seen.every((one) => one === number)
          }),
        )
        expect(await Promise.all(runs)).toEqual(waits.map(() => true))
      }),
    )
  })

  test('end with the code, also when it throws', () => {
    expect(() =>
      runFor({ number: 1 }, () => {
        throw new Error('x')
      }),
    ).toThrow('x')
    expect(currentOrigin()).toBeUndefined()
  })

  test('leave no trace on the promises', () => {
    const promise = runFor({ number: 1 }, () => Promise.resolve(1))
    expect(Reflect.ownKeys(promise)).toEqual([])
  })
})
