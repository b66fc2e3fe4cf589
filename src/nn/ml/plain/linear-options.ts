/** Options that linear models share. */
import { checkInteger, checkNumber } from '../../../core/check.js'

export interface LinearModelOptions {
  /** Iterations. Default 100. */
  readonly maxIter?: number
  /** Weight of the penalty. Default 0. */
  readonly regParam?: number
  /** Share of the L1 penalty in it; the rest is L2. Default 0. */
  readonly elasticNetParam?: number
  /** Ends where the gradient is as small. Default 1e-6. */
  readonly tol?: number
  /** Default true. */
  readonly fitIntercept?: boolean
  /** Whether the penalty is on the weights of standardised features. Default true. */
  readonly standardization?: boolean
}

/** @throws ShardbookError `argument` for options out of range. */
export function checkLinear(caller: string, options: LinearModelOptions): void {
  checkInteger(caller, 'maxIter', options.maxIter ?? 100, 0)
  checkNumber(caller, 'regParam', options.regParam ?? 0, 0)
  checkNumber(caller, 'elasticNetParam', options.elasticNetParam ?? 0, 0, 1)
  checkNumber(caller, 'tol', options.tol ?? 1e-6, 0)
}

export function linearDefaults(options: LinearModelOptions) {
  const { regParam = 0, elasticNetParam = 0, maxIter = 100, tol = 1e-6 } = options
  const { fitIntercept = true, standardization = true } = options
  return { regParam, elasticNetParam, maxIter, tol, fitIntercept, standardization }
}
