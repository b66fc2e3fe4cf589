/** `shardbook engine`: the tensor engines under the cache folder. */
import { installEngine, listEngines, removeEngine } from '../../engine/index.js'
import { nearest } from '../../core/check.js'
import { type Command, readArguments, UsageError } from '../command.js'

const help = `Usage: shardbook engine list [--json]
       shardbook engine install NAME [--gpu]
       shardbook engine remove NAME

Tensor engines. wasm is always there; native (TensorFlow's own library, several times faster) is downloaded with pip once,
verified, and kept under the cache folder (SHARDBOOK_CACHE). --gpu brings NVIDIA's libraries too (Linux x64).
pjrt-cuda13 (XLA on NVIDIA GPUs with a driver for CUDA 13) brings them always; pjrt-cpu is XLA on the processor, to try programs
without a GPU. SHARDBOOK_ENGINE=pjrt, or engine.use('pjrt'), uses them.
`

const actions = ['list', 'install', 'remove']

export const engine: Command = {
  help,
  async run(args) {
    const options = { json: { type: 'boolean' }, gpu: { type: 'boolean' } } as const
    const wanted = { min: 1, max: 2, names: 'list, install NAME or remove NAME' }
    const { values, positionals } = readArguments('engine', args, options, wanted)
    const [action, name] = positionals as [string, string | undefined]
    if (!actions.includes(action)) {
      const near = nearest(action, actions)
      const hint = near === undefined ? 'See shardbook engine --help.' : `Did you mean shardbook engine ${near}?`
      throw new UsageError(`shardbook engine: expected ${wanted.names}, got ${action}.`, { hint })
    }
    if (values.gpu === true && action !== 'install')
      throw new UsageError(`shardbook engine ${action}: expected --gpu with install only.`)
    if (action === 'list') {
      if (name !== undefined) throw new UsageError(`shardbook engine list: expected no name, got ${name}.`)
      const engines = await listEngines()
      process.stdout.write(values.json === true ? `${JSON.stringify(engines, null, 2)}\n` : engines.map(line).join(''))
      return 0
    }
    if (name === undefined)
      throw new UsageError(`shardbook engine ${action}: expected the name of an engine, got nothing.`)
    const progress = (text: string): void => void process.stderr.write(`${text}\n`)
    if (action === 'install') await installEngine(name, { progress, ...(values.gpu === true && { gpu: true }) })
    else process.stdout.write((await removeEngine(name)) ? `removed ${name}\n` : `${name} is not installed\n`)
    return 0
  },
}

/** One engine, one line. */
function line({ name, installed, detail, reason }: Awaited<ReturnType<typeof listEngines>>[number]): string {
  const state = installed ? 'installed' : 'absent'
  return `${name.padEnd(12)} ${state.padEnd(10)} ${detail}${reason === undefined ? '' : ` (${reason})`}\n`
}
