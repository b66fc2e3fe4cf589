/**
 * The one error class of the package.
 *
 * Messages read `caller: expected X, got Y. Hint.`; `code` is stable and machine-readable, `cause` keeps what was below.
 */

/** What kind of failure it is; stable across versions. */
export type ErrorCode =
  | 'argument' // a value that the caller passed
  | 'column' // a column that a frame lacks, or of another type
  | 'data' // a file or stream that is malformed
  | 'io' // reading or writing failed
  | 'engine' // a tensor engine cannot do it
  | 'missing' // something that must be installed or downloaded first
  | 'interrupted' // the user interrupted
  | 'pool' // workers, transport
  | 'state' // used after close, twice, in the wrong order
  | 'internal' // a bug of ours

/**
 * An error whose message tells what was expected, what came and what to do.
 *
 * @example
 * ```ts
 * throw new ShardbookError('argument', 'pool: expected workers >= 1, got 0.', { hint: 'Leave workers out for one a core.' })
 * ```
 */
export class ShardbookError extends Error {
  override readonly name: string = 'ShardbookError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(
      options.hint === undefined ? message : `${message} ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.hint = options.hint
  }
}
