/** Checks of the options with which trainings share a pool. */
import { checkInteger, checkNumber, checkOneOf } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import type { SharingOptions } from './pool.js'

/** @throws ShardbookError `argument` for options out of range. */
export function checkSharing({ priority = 0, strategy, compression }: SharingOptions): void {
  checkNumber('pool.with', 'priority', priority, -1e6, 1e6)
  if (strategy !== undefined) {
    checkOneOf('pool.with', 'strategy.kind', strategy.kind, ['allReduce', 'localSgd', 'zero1'])
    if (strategy.kind === 'localSgd') checkInteger('pool.with', 'strategy.everySteps', strategy.everySteps, 1)
  }
  if (compression === undefined) return
  if (strategy?.kind === 'zero1') {
    throw new ShardbookError('argument', 'pool.with: expected zero1 without compression, got both.')
  }
  checkOneOf('pool.with', 'compression.kind', compression.kind, ['float16', 'topK'])
  if (compression.kind === 'topK') checkNumber('pool.with', 'compression.share', compression.share, 1e-6, 1)
}
