/** A cell's top-level awaits: every awaited value goes through a function first, by which an interrupt can reject it. */

/** What an awaited value goes through. */
export type Wait = (value: unknown) => unknown

/** What a top-level `for await` goes over instead of its values. */
export type Each = (values: AsyncIterable<unknown> | Iterable<unknown>) => AsyncIterable<unknown>

export function eachBy(wait: Wait): Each {
  return (values) => awaited(values, wait)
}

/** `for await` over `values` whose waits an interrupt can reject. */
async function* awaited(values: AsyncIterable<unknown> | Iterable<unknown>, wait: Wait): AsyncIterable<unknown> {
  if (!(Symbol.asyncIterator in values)) {
    for (const value of values) yield await wait(value)
    return
  }
  const iterator = values[Symbol.asyncIterator]()
  let isOver = false
  try {
    for (;;) {
      const next = (await wait(iterator.next())) as IteratorResult<unknown>
      if (next.done === true) {
        isOver = true
        return
      }
      yield next.value
    }
  } finally {
    if (!isOver) void iterator.return?.()
  }
}
