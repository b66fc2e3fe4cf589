/** What `AutoEncoders` fits. */
import { CoderModel } from './coder-model.js'
import type { CoderParts } from './coder-model.js'

/**
 * A fitted autoencoder: immutable.
 *
 * @example
 * ```ts
 * const encoded = model.transform(rows) // adds the codes
 * const decoded = model.transform(encoded) // adds what the codes decode to
 * ```
 */
export class AutoEncodersModel<InputCol extends string = string, Output extends string = string> extends CoderModel<
  InputCol,
  Output
> {
  constructor(...parts: CoderParts<InputCol, Output>) {
    super('AutoEncodersModel', ...parts)
  }
}
