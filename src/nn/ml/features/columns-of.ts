/** Stages over one column or several: `inputCol` and `outputCol`, or lists of them. */
import { show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'

/** Names of one column, or of several. */
export interface ColumnsOptions<Input extends string = string, Output extends string = string> {
  readonly inputCol?: Input
  readonly outputCol?: Output
  readonly inputCols?: readonly Input[]
  readonly outputCols?: readonly Output[]
}

/** Each input with its output. @throws ShardbookError `argument` unless there are as many of both. */
export function pairsOf(kind: string, options: ColumnsOptions): readonly (readonly [input: string, output: string])[] {
  const { inputCol, outputCol } = options
  const inputs = options.inputCols ?? (inputCol === undefined ? [] : [inputCol])
  const outputs = options.outputCols ?? (outputCol === undefined ? [] : [outputCol])
  const named = [...inputs, ...outputs].every((name) => typeof name === 'string' && name !== '')
  if (inputs.length > 0 && inputs.length === outputs.length && named) {
    return inputs.map((input, i) => [input, outputs[i]!] as const)
  }
  throw new ShardbookError(
    'argument',
    `${kind}: expected inputCols and as many outputCols, got ${show(inputs)} and ${show(outputs)}.`,
  )
}
