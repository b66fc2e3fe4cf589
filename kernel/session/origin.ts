/**
 * Which request the running code comes from. It follows the code through promises and timers, so that what a cell or a
 * comm message sets off later still shows where it belongs.
 *
 * Made of V8's promise hooks: AsyncLocalStorage, which is what they are for, keeps a stack on Node 20 that code ended by
 * the inspector leaves broken, and puts symbols on every promise that a cell shows. A tracked `await` costs 0.1 us where a
 * bare one costs 0.05. The callbacks of sockets and files come from nowhere.
 */
import { promiseHooks } from 'node:v8'

/** A request: its number with the front and, for a cell, the cell's label. */
export interface Origin {
  readonly number: number
  readonly cell?: string
}

let current: Origin | undefined

const Given = function (promise: Promise<unknown>): Promise<unknown> {
  return promise
} as unknown as new (promise: Promise<unknown>) => object

/** Puts a private field on a promise: nothing that looks at the promise can see it. */
class Stamp extends Given {
  readonly #origin: Origin
  private constructor(promise: Promise<unknown>, origin: Origin) {
    super(promise)
    this.#origin = origin
  }
  static put(promise: Promise<unknown>, origin: Origin): Stamp {
    return new Stamp(promise, origin)
  }
  static of(promise: Promise<unknown>): Origin | undefined {
    return #origin in promise ? (promise as unknown as Stamp).#origin : undefined
  }
}

/** Starts to follow promises. */
export function trackOrigins(): void {
  promiseHooks.createHook({
    init: (promise) => {
      if (current !== undefined) Stamp.put(promise, current)
    },
    before: (promise) => {
      current = Stamp.of(promise)
    },
    after: () => {
      current = undefined
    },
  })
}

/** Runs `code`, and what it sets off, on behalf of a request. */
export function runFor<T>(origin: Origin | undefined, code: () => T): T {
  const before = current
  current = origin
  try {
    return code()
  } finally {
    current = before
  }
}

/** The request that the running code comes from, if one is known. */
export function currentOrigin(): Origin | undefined {
  return current
}

/** Code was ended without its `finally`: nothing runs on behalf of anybody now. */
export function forgetOrigin(): void {
  current = undefined
}
