/** `shardbook engine`: the tensor engines under the cache. */
import { checkOneOf } from '../../core/check.js'
import { type Command, readArguments, UsageError } from '../command.js'

const help = `Usage: shardbook engine list [--json]
       shardbook engine install NAME
       shardbook engine remove NAME

Tensor engines: wasm is always there; native (TensorFlow's own library, several times faster) is downloaded by pip once,
kept under the cache folder and verified.
`

export const engine: Command = {
  help,
  async run(args) {
    const { values, positionals } = readArguments(
      'engine',
      args,
      { json: { type: 'boolean' } },
      { min: 1, max: 2, names: 'list, install NAME or remove NAME' },
    )
    return 0
  },
}
