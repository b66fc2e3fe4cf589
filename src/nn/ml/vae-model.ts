/** What `VariationalAutoEncoder` fits. */
import { checkInteger } from '../../core/check.js'
import { sizeOf } from '../../core/dtype.js'
import { ShardbookError } from '../../core/errors.js'
import type { AnyFrame, Frame, Tensor } from '../../frame/index.js'
import { CoderModel } from './coder-model.js'
import type { CoderParts } from './coder-model.js'
import { between } from './network-model.js'
import { normals } from './latent.js'

const kind = 'VariationalAutoEncoderModel'

/** Samples with the codes that they were decoded from. */
export type Decoded<InputCol extends string, Output extends string> = Frame<{
  readonly [K in InputCol | Output]: Tensor
}>

/**
 * A fitted variational autoencoder: immutable. A code is the mean of its distribution.
 *
 * @example
 * ```ts
 * viz.images(await model.sample(40, { seed: 1 }))
 * ```
 */
export class VariationalAutoEncoderModel<
  InputCol extends string = string,
  Output extends string = string,
> extends CoderModel<InputCol, Output> {
  constructor(...parts: CoderParts<InputCol, Output>) {
    super(kind, ...parts)
  }

  /**
   * New samples: decoded from codes that are drawn from the standard normal distribution; bytes where bytes were learnt from.
   *
   * @throws ShardbookError `argument` for a count below one.
   */
  async sample(count: number, options: { readonly seed?: number } = {}): Promise<Decoded<InputCol, Output>> {
    checkInteger(`${kind}.sample`, 'count', count, 1)
    const { seed = 0 } = options
    checkInteger(`${kind}.sample`, 'seed', seed, 0)
    return this.fromCodes(normals(count * sizeOf(this.codeShape), seed)) as Promise<unknown> as Promise<
      Decoded<InputCol, Output>
    >
  }

  /**
   * The way from each row of a frame to the next one: `steps` samples, decoded from codes on the straight line between theirs,
   * both ends included.
   *
   * @throws ShardbookError `data` for fewer than two rows, `argument` for fewer than two steps.
   */
  async interpolate(rows: AnyFrame, options: { readonly steps?: number } = {}): Promise<Decoded<InputCol, Output>> {
    const caller = `${kind}.interpolate`
    const { steps = 10 } = options
    checkInteger(caller, 'steps', steps, 2)
    const [code] = await this.collect(caller, rows, between(this.network, 'code', { to: this.coder.codeAt }))
    const size = sizeOf(this.codeShape)
    const ways = code!.shape[0]! - 1
    if (ways < 1) throw new ShardbookError('data', `${caller}: expected at least two rows to go between, got one.`)
    const codes = Float32Array.from({ length: ways * steps * size }, (_, i) => {
      const [way, step, at] = [Math.floor(i / (steps * size)), Math.floor(i / size) % steps, i % size]
      const share = step / (steps - 1)
      const [from, to] = [code!.values[way * size + at]!, code!.values[(way + 1) * size + at]!]
      return from + share * (to - from)
    })
    return this.fromCodes(codes) as Promise<unknown> as Promise<Decoded<InputCol, Output>>
  }
}
