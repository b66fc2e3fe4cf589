/** `execute_request`: check, run, publish the result or the error. A name with a question mark asks for help instead. */
import type { Content, Request } from './message.js'
import type { Handler, KernelState } from './handler.js'
import { hoverBundle } from './inspect.js'
import { objectField, textField } from './message.js'

export const execute: Handler = async (kernel, request) => {
  const { content } = request
  const code = textField(content, 'code')
  const isSilent = content['silent'] === true
  const isStored = !isSilent && content['store_history'] !== false
  if (isStored) kernel.history.add(++kernel.executionCount, code)
  const count = kernel.executionCount
  if (!isSilent) kernel.publish('execute_input', { code, execution_count: count }, request)
  const question = askedName(code)
  if (question !== undefined) return { ...(await help(kernel, request, question)), execution_count: count }
  const origin = kernel.originOf(request)
  const run = await kernel.runner.run({
    code,
    label: `Cell[${count}]`,
    origin,
    isDebugged: kernel.debugger.isAttached,
    expressions: expressionsOf(content),
  })
  const { result, error, payload = [], expressions = {} } = run
  if (error !== undefined) {
    const told = { ename: error.ename, evalue: error.evalue, traceback: error.traceback }
    if (!isSilent) kernel.publish('error', told, request)
    if (content['stop_on_error'] !== false) kernel.shells.abortWaiting(request)
    return { status: 'error', execution_count: count, ...told, user_expressions: {}, payload }
  }
  if (result !== undefined && !isSilent) {
    kernel.publish('execute_result', { execution_count: count, data: result, metadata: {} }, request)
  }
  const text = result?.['text/plain']
  if (isStored && typeof text === 'string') kernel.history.addOutput(count, text)
  const shown = Object.entries(expressions).map(([name, one]) => {
    if ('error' in one) return [name, { status: 'error', ...one.error }] as const
    return [name, { status: 'ok', data: one.data, metadata: {} }] as const
  })
  return { status: 'ok', execution_count: count, user_expressions: Object.fromEntries(shown), payload }
}

function expressionsOf(content: Content): Record<string, string> {
  const entries = Object.entries(objectField(content, 'user_expressions'))
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

interface Question {
  readonly name: string
  readonly detail: 0 | 1
}

/** What `?name`, `name?` and, for more detail, `name??` ask about. */
export function askedName(code: string): Question | undefined {
  const path = String.raw`([\p{ID_Start}$_][\p{ID_Continue}$]*(?:\.[\p{ID_Start}$_][\p{ID_Continue}$]*)*)`
  const text = code.trim()
  const found =
    new RegExp(`^(\\?\\??)\\s*${path}$`, 'u').exec(text) ?? new RegExp(`^()${path}\\s*(\\?\\??)$`, 'u').exec(text)
  if (found === null) return undefined
  return { name: found[2]!, detail: (found[1] || found[3]) === '??' ? 1 : 0 }
}

async function help(kernel: KernelState, request: Request, { name, detail }: Question): Promise<Content> {
  const hover = await kernel.language.inspect(name, name.length, detail)
  if (hover === undefined) kernel.publish('stream', { name: 'stderr', text: `Nothing is known of ${name}.\n` }, request)
  const payload = hover === undefined ? [] : [{ source: 'page', data: hoverBundle(hover), start: 0 }]
  return { status: 'ok', user_expressions: {}, payload }
}
