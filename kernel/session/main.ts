/**
 * The session process: the user's code runs here, and only here. Whatever happens to it, the front lives.
 *
 * Started by the front with fd 1 and 2 as pipes and the descriptors that `channel` names; its working directory is the
 * notebook's. When its own code fails, since a cell has put something else in the place of what it needs, it says so and
 * ends: the front starts another.
 */
import { createRequire, register } from 'node:module'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { MimeBundle } from '../../src/core/display.js'
import { bundleOf } from '../../src/core/display.js'
import { hostSymbol } from '../../src/core/host.js'
import type { Outcome, ToSession } from '../channel.js'
import { Decoder, descriptors, markVariable } from '../channel.js'
import type { Script } from '../compile/compile.js'
import type { Cell } from './evaluator.js'
import { Evaluator } from './evaluator.js'
import { createHost } from './host.js'
import { openInterrupts } from './interrupt.js'
import { createMagics } from './magics.js'
import { openOutput } from './output.js'
import { describeError, mapStacks, originOf } from './traceback.js'

const secret = process.env[markVariable] ?? ''
delete process.env[markVariable]
register('./modules.js', import.meta.url)

// Taken now: a cell may put something else in their place.
const exit = process.exit.bind(process)
const writeText = process.stdout.write.bind(process.stdout)
const output = openOutput(secret)
const interrupts = openInterrupts((error) => complain('Error in an interrupt listener', error))
const host = createHost(output, interrupts)
Object.defineProperty(globalThis, hostSymbol, { configurable: true, writable: true, value: host })
const evaluator = new Evaluator(
  createMagics({
    print: (line) => void writeText(`${line}\n`),
    entries: () => evaluator.entries(),
    onInterrupt: (listener) => interrupts.onInterrupt(listener),
  }),
)
mapStacks(evaluator.scripts)
// As in Node's own console: notebooks written for CommonJS expect it.
const require = createRequire(join(process.cwd(), 'notebook.js'))
Object.defineProperty(globalThis, 'require', { configurable: true, writable: true, value: require })

function complain(title: string, error: unknown): void {
  const { traceback } = describeError(error, evaluator.scripts)
  const origin = originOf(error)
  output.complain(`${title}${origin === undefined ? '' : ` from ${origin}`}\n${traceback.join('\n')}\n`)
}

async function show(value: unknown): Promise<MimeBundle | undefined> {
  try {
    const bundle = await bundleOf(value, (error) => complain('Error while displaying', error))
    return Object.keys(bundle).length === 0 ? undefined : bundle
  } catch (error) {
    // Not the value's own error: those are told already.
    return breakDown(error)
  }
}

async function execute(serial: number, script: Script): Promise<Outcome> {
  const cell: Cell = evaluator.load(script)
  host.cell = script.label
  try {
    const result = await interrupts.run(serial, async (waits) => {
      const last = await cell.run((value) => waits.wait(value))
      return last?.value === undefined ? undefined : show(last.value)
    })
    return { defined: cell.defined(), types: cell.types(), ...(result === undefined ? {} : { result }) }
  } catch (error) {
    return { error: describeError(error, evaluator.scripts), defined: cell.defined(), types: cell.types() }
  } finally {
    host.cell = undefined
    output.checkStreams()
  }
}

async function receive(message: ToSession): Promise<void> {
  switch (message.kind) {
    case 'execute':
      return output.event({ kind: 'done', outcome: await execute(message.serial, message.script) })
    case 'input':
      return host.answer(message.id, message.text, message.reason)
    case 'reset':
      evaluator.reset()
      return output.event({ kind: 'idle' })
    case 'sync':
      // Two turns of the loop: what the same message woke up may still print.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      return output.event({ kind: 'idle' })
    default:
      message satisfies never
  }
}

function breakDown(error: unknown): undefined {
  try {
    output.send({ kind: 'broken', reason: `what a cell changed breaks the session itself (${String(error)})` })
  } finally {
    exit(1)
  }
  return undefined
}

const decoder = new Decoder<ToSession>()
const leave = (): never => exit(0)
new Socket({ fd: descriptors.requests, readable: true, writable: false })
  .on('data', (chunk: Buffer) => {
    try {
      for (const message of decoder.push(chunk)) receive(message).catch(breakDown)
    } catch (error) {
      breakDown(error)
    }
  })
  .on('end', leave)
  .on('error', leave)
// Ctrl-C in a terminal goes to the whole group; the front decides what it means.
process.on('SIGINT', () => {})
process.on('uncaughtException', (error) => complain('Uncaught error', error))
process.on('unhandledRejection', (error) => complain('Unhandled rejection', error))
output.send({ kind: 'ready' })
