/**
 * The session process: the user's code runs here, and only here. Whatever happens to it, the front lives.
 *
 * Started by the front with IPC, fd 1 and 2 as pipes and fd 4 for interrupts; its working directory is the notebook's.
 */
import { register } from 'node:module'
import { bundleOf } from '../../src/core/display.js'
import { hostSymbol } from '../../src/core/host.js'
import type { CellTask, Expressions, Outcome, Task, ToSession } from '../channel.js'
import { markVariable } from '../channel.js'
import { createComms } from './comms.js'
import type { Cell } from './evaluator.js'
import { Evaluator } from './evaluator.js'
import { createHost } from './host.js'
import { openInterrupts } from './interrupt.js'
import { runFor, trackOrigins } from './origin.js'
import { openOutput } from './output.js'
import { describeError, mapStacks } from './traceback.js'

const secret = process.env[markVariable] ?? ''
delete process.env[markVariable]
register('./modules.js', import.meta.url)

trackOrigins()
const output = openOutput(secret)
const interrupts = openInterrupts((error) => complain('Error in an interrupt listener', error))
const comms = createComms(output, complain)
const evaluator = new Evaluator(process.cwd())
const host = createHost(output, interrupts, comms, () => ({ ...evaluator.names }))
Object.defineProperty(globalThis, hostSymbol, { configurable: true, writable: true, value: host })
/** Cells that wait for the debugger, by origin. */
const gates = new Map<number, () => void>()
mapStacks(evaluator.sources)

function complain(title: string, error: unknown): void {
  output.complain(`${title}\n${describeError(error, evaluator.sources).traceback.join('\n')}\n`)
}

async function execute({ origin, code, label, isDebugged, expressions }: CellTask): Promise<Outcome> {
  let cell: Cell | undefined
  try {
    const compiled = (cell = evaluator.compile(code, label))
    if (isDebugged) {
      output.event({ kind: 'compiled', cell: { filename: compiled.filename, label, code, maps: compiled.maps } })
      await new Promise<void>((resolve) => gates.set(origin, resolve))
    }
    const result = await interrupts.run(async (waits) => {
      const last = await compiled.run((value) => waits.wait(value))
      if (last?.value === undefined) return undefined
      const bundle = await bundleOf(last.value, (error) => complain('Error while displaying', error))
      return Object.keys(bundle).length === 0 ? undefined : bundle
    })
    return {
      defined: cell.defined(),
      types: cell.types(),
      expressions: await evaluate(expressions, label),
      ...(result === undefined ? {} : { result }),
    }
  } catch (error) {
    return {
      error: describeError(error, evaluator.sources),
      defined: cell?.defined() ?? [],
      types: cell?.types() ?? {},
    }
  }
}

/** The values of expressions over the session's names. */
async function evaluate(expressions: CellTask['expressions'], label: string): Promise<Expressions> {
  const values: Record<string, Expressions[string]> = {}
  for (const [name, code] of Object.entries(expressions)) {
    try {
      const value = await interrupts.run((waits) => evaluator.compile(code, label).run((one) => waits.wait(one)))
      values[name] = { data: await bundleOf(value?.value, (error) => complain('Error while displaying', error)) }
    } catch (error) {
      values[name] = { error: describeError(error, evaluator.sources) }
    }
  }
  return values
}

async function perform(task: Task): Promise<void> {
  switch (task.kind) {
    case 'execute':
      output.event({ kind: 'done', outcome: { ...(await execute(task)), payload: host.takePayload() } })
      return output.end(task.origin)
    case 'comm':
      try {
        await interrupts.run(() => comms.receive(task.comm))
      } catch (error) {
        complain('A comm message was interrupted', error)
      }
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
      return runFor({ number: message.origin, cell: message.label }, () => perform(message))
    case 'comm':
    case 'sync':
      return runFor({ number: message.origin }, () => perform(message))
    default:
      message satisfies never
  }
}

process.on('message', (message) => void receive(message as ToSession))
process.on('disconnect', () => process.exit(0))
// Ctrl-C in a terminal goes to the whole group; the front decides what it means.
process.on('SIGINT', () => {})
process.on('uncaughtException', (error) => complain('Uncaught error', error))
process.on('unhandledRejection', (error) => complain('Unhandled rejection', error))
output.send({ kind: 'ready' })
