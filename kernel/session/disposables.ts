/** What a cell declared by `using` at its top level: disposed in reverse order when the cell ends, well or not. */

interface Resource {
  dispose(): unknown
  readonly isAwaited: boolean
}

export class Disposables {
  private readonly resources: Resource[] = []

  /**
   * Takes a value to dispose; `null` and `undefined` need none.
   *
   * @throws TypeError where the value cannot be disposed
   */
  use<T>(value: T, isAwaited: boolean): T {
    if (value === null || value === undefined) return value
    const methods = value as Partial<AsyncDisposable & Disposable>
    const own = isAwaited ? (methods[Symbol.asyncDispose] ?? methods[Symbol.dispose]) : methods[Symbol.dispose]
    if (typeof own !== 'function') {
      throw new TypeError(`using: expected a value with ${isAwaited ? 'Symbol.asyncDispose' : 'Symbol.dispose'}.`)
    }
    this.resources.push({ dispose: () => own.call(value), isAwaited })
    return value
  }

  /** Runs a cell and then disposes. An error while disposing names the one before it in `cause`. */
  async around<T>(cell: () => Promise<T>): Promise<T> {
    const failures: unknown[] = []
    let value: T | undefined
    try {
      value = await cell()
    } catch (error) {
      failures.push(error)
    }
    for (let resource = this.resources.pop(); resource !== undefined; resource = this.resources.pop()) {
      try {
        const disposed = resource.dispose()
        if (resource.isAwaited) await disposed
      } catch (error) {
        if (failures.length > 0 && error instanceof Error) error.cause ??= failures.at(-1)
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures.at(-1)
    return value as T
  }
}
