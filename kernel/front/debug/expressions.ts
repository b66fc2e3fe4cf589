/** Expressions over the notebook's names and, where the session stands, what a frame sees. */
import type { MimeBundle } from '../../../src/core/display.js'
import { ShardbookError } from '../../../src/core/errors.js'
import type { Evaluated, Inspector, RemoteObject } from './inspector.js'
import type { Stopped } from './stopped.js'
import { textOf } from './variables.js'

/** What stands for the notebook's names in code that runs in the session. */
const names = "globalThis[Symbol.for('shardbook.host')].names()"

/** An object with the notebook's names as its properties. */
export async function notebookNames(inspector: Inspector): Promise<RemoteObject> {
  const { result } = await inspector.post<Evaluated>('Runtime.evaluate', { expression: names })
  return result
}

/**
 * The value of an expression; between cells, what it promises.
 *
 * @throws ShardbookError with what the expression throws
 */
export async function evaluate(
  inspector: Inspector,
  stopped: Stopped | undefined,
  expression: string,
  frame: number | undefined,
): Promise<RemoteObject> {
  const { result: known } = await inspector.post<{ result: { value: string[] } }>('Runtime.evaluate', {
    expression: `Object.keys(${names})`,
    returnByValue: true,
  })
  const { result, exceptionDetails } =
    stopped === undefined || frame === undefined
      ? await inspector.post<Evaluated>('Runtime.evaluate', {
          expression: within(expression, known.value),
          awaitPromise: stopped === undefined,
        })
      : await stopped.evaluate(frame, (locals) =>
          within(
            expression,
            known.value.filter((name) => !locals.has(name)),
          ),
        )
  if (exceptionDetails === undefined) return result
  const { exception, text } = exceptionDetails
  throw new ShardbookError('argument', `evaluate: ${exception?.description?.split('\n')[0] ?? text}`)
}

/** A value as a notebook shows it; where the session stands, as text: nothing that awaits can run. */
export async function bundle(
  inspector: Inspector,
  stopped: Stopped | undefined,
  name: string,
  frame: number | undefined,
): Promise<MimeBundle> {
  const value = await evaluate(inspector, stopped, name, frame)
  if (stopped !== undefined || value.objectId === undefined) return { 'text/plain': textOf(value) }
  const { result } = await inspector.post<{ result: RemoteObject }>('Runtime.callFunctionOn', {
    objectId: value.objectId,
    functionDeclaration: "function () { return globalThis[Symbol.for('shardbook.host')].bundleOf(this) }",
    awaitPromise: true,
    returnByValue: true,
  })
  return result.value as MimeBundle
}

/** An expression in which these names mean the notebook's. */
function within(expression: string, known: readonly string[]): string {
  const words = new Set(expression.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu) ?? [])
  const used = known.filter((name) => words.has(name))
  return used.length === 0 ? `(${expression})` : `(({ ${used.join(', ')} }) => (${expression}))(${names})`
}
