/** Errors as data and back. */
import { ShardbookError } from '../core/errors.js'
import type { TrainingState } from '../nn/train/job.js'
import type { WireError } from './messages.js'

/** A training that ended by an error, with the state of a surviving worker where there was one. */
export class TrainingFailure extends ShardbookError {
  /** Where the training stood, to go on from. */
  readonly state: TrainingState | undefined

  constructor(error: WireError, state?: TrainingState) {
    super(error.code, error.message, { cause: causeOf(error) })
    this.state = state
  }
}

export function toWire(error: unknown, prefix = ''): WireError {
  if (!(error instanceof Error)) return { code: 'pool', message: prefix + String(error) }
  return {
    code: error instanceof ShardbookError ? error.code : 'pool',
    message: prefix + error.message,
    stack: error.cause instanceof Error ? `${error.stack}\ncaused by: ${error.cause.stack}` : error.stack,
  }
}

export function fromWire(error: WireError): ShardbookError {
  return new ShardbookError(error.code, error.message, { cause: causeOf(error) })
}

/** The error of the other process, with its stack. */
function causeOf(error: WireError): Error | undefined {
  if (error.stack === undefined) return undefined
  const cause = new Error(error.message)
  cause.stack = error.stack
  return cause
}
