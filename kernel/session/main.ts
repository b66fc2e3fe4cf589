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
import { isDeepStrictEqual } from 'node:util'
import type { MimeBundle } from '../../src/core/display.js'
import { bundleOf } from '../../src/core/display.js'
import { hostSymbol } from '../../src/core/host.js'
import type { Expressions, Outcome, Task, ToSession } from '../channel.js'
import { Decoder, descriptors, markVariable } from '../channel.js'
import type { Script } from '../compile/compile.js'
import type { Aliases } from '../local-modules.js'
import { createComms } from './comms.js'
import { type Cell, Evaluator } from './evaluator.js'
import { createHost } from './host.js'
import { openInterrupts } from './interrupt.js'
import { createMagics } from './magics.js'
import { runFor, trackOrigins } from './origin.js'
import { openOutput } from './output.js'
import { cellOf, describeError, mapModules, mapStacks } from './traceback.js'

const secret = process.env[markVariable] ?? ''
delete process.env[markVariable]

// Taken now: a cell may put something else in its place.
const exit: (code: number) => never = process.exit.bind(process)
trackOrigins()
const output = openOutput(secret)
const interrupts = openInterrupts((error) => complain('Error in an interrupt listener', error))
const comms = createComms(output, complain)
const evaluator = new Evaluator(
  createMagics({
    print: (line) => output.print(`${line}\n`),
    entries: () => evaluator.entries(),
    onInterrupt: (listener) => interrupts.onInterrupt(listener),
  }),
)
const host = createHost(output, interrupts, comms, () => Object.fromEntries(evaluator.entries()))
Object.defineProperty(globalThis, hostSymbol, { configurable: true, writable: true, value: host })
/** Cells that wait for the debugger, by origin. */
const gates = new Map<number, () => void>()
mapStacks(evaluator.scripts)
// As in Node's own console: notebooks written for CommonJS expect it.
const require = createRequire(join(process.cwd(), 'notebook.js'))
Object.defineProperty(globalThis, 'require', { configurable: true, writable: true, value: require })

function complain(title: string, error: unknown): void {
  const { traceback } = describeError(error, evaluator.scripts)
  const cell = cellOf(error)
  output.complain(`${title}${cell === undefined ? '' : ` from ${cell}`}\n${traceback.join('\n')}\n`)
}

/** The aliases that the hooks of modules were told; absent where there are no hooks yet. */
let hooked: Aliases | undefined

/** Makes code ready to run. The hooks of modules cost a thread: they come with the first code that may import. */
async function load(script: Script, aliases = hooked ?? {}): Promise<Cell> {
  const isFirst = hooked === undefined
  if (/\b(?:import|require|eval|Function)\b/.test(script.code) && !isDeepStrictEqual(hooked, aliases)) {
    hooked = aliases
    // The same module a second time takes other aliases.
    register('./modules.js', import.meta.url, { data: aliases })
  }
  if (isFirst && hooked !== undefined) {
    // Where a cell has broken what loading needs, stacks name the lines of the emitted modules.
    await import('../compile/emit.js').then(({ emit }) => mapModules(emit)).catch(() => {})
  }
  return evaluator.load(script)
}

/** What a value shows; nothing where it shows nothing. */
async function show(value: unknown): Promise<MimeBundle | undefined> {
  try {
    const bundle = await bundleOf(value, (error) => complain('Error while displaying', error))
    return Object.keys(bundle).length === 0 ? undefined : bundle
  } catch (error) {
    // Not the value's own error: those are told already.
    return breakDown(error)
  }
}

async function execute(task: Extract<Task, { kind: 'execute' }>): Promise<Outcome> {
  const { origin, serial, script, aliases, isDebugged } = task
  const cell = await load(script, aliases)
  if (isDebugged) {
    output.event({ kind: 'loaded' })
    await new Promise<void>((resolve) => gates.set(origin, resolve))
  }
  try {
    const result = await interrupts.run(serial, async (waits) => {
      const last = await cell.run((value) => waits.wait(value))
      return last?.value === undefined ? undefined : show(last.value)
    })
    return { defined: cell.defined(), types: cell.types(), ...(result === undefined ? {} : { result }) }
  } catch (error) {
    return { error: describeError(error, evaluator.scripts), defined: cell.defined(), types: cell.types() }
  } finally {
    output.checkStreams()
  }
}

/** The values of expressions over the notebook's names. */
async function evaluate({ serial, scripts }: Extract<Task, { kind: 'evaluate' }>): Promise<Expressions> {
  const values: Record<string, Expressions[string]> = {}
  for (const [name, script] of Object.entries(scripts)) {
    try {
      values[name] = await interrupts.run(serial, async (waits) => {
        const last = await (await load(script)).run((value) => waits.wait(value))
        return { data: (await show(last?.value)) ?? {} }
      })
    } catch (error) {
      values[name] = { error: describeError(error, evaluator.scripts) }
    }
  }
  return values
}

async function perform(task: Task): Promise<void> {
  switch (task.kind) {
    case 'execute':
      output.event({ kind: 'done', outcome: { ...(await execute(task)), payload: host.takePayload() } })
      return output.end(task.origin)
    case 'evaluate':
      return output.event({ kind: 'values', values: await evaluate(task) })
    case 'comm':
      try {
        await interrupts.run(task.serial, () => comms.receive(task.comm))
      } catch (error) {
        complain('A comm message was interrupted', error)
      }
      return output.event({ kind: 'handled' })
    case 'reset':
      evaluator.reset()
      return output.event({ kind: 'handled' })
    case 'sync':
      // Two turns of the loop: what the same message woke up may still print.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      return output.event({ kind: 'handled' })
    default:
      task satisfies never
  }
}

async function receive(message: ToSession): Promise<void> {
  switch (message.kind) {
    case 'input':
      return host.answer(message.id, message.text, message.reason)
    case 'go':
      gates.get(message.origin)?.()
      return void gates.delete(message.origin)
    case 'execute':
      output.begin(message.origin)
      return runFor({ number: message.origin, cell: message.script.label }, () => perform(message))
    default:
      return runFor({ number: message.origin }, () => perform(message))
  }
}

function breakDown(error: unknown): never {
  try {
    output.send({ kind: 'broken', reason: `what a cell changed breaks the session itself (${String(error)})` })
  } finally {
    exit(1)
  }
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
