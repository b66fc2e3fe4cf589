/** `execute_request`: check, run, publish the result or the error. */
import type { Handler } from './handler.js'
import { textField } from './message.js'

export const execute: Handler = async (kernel, request) => {
  const code = textField(request.content, 'code')
  const isSilent = request.content['silent'] === true
  const isStored = !isSilent && request.content['store_history'] !== false
  if (isStored) {
    kernel.executionCount++
    kernel.history.push({ session: 1, line: kernel.executionCount, input: code })
  }
  const count = kernel.executionCount
  kernel.attach(request)
  if (!isSilent) kernel.publish('execute_input', { code, execution_count: count })
  const { result, error, replacement } = await kernel.runner.run(code, `Cell[${count}]`)
  if (error !== undefined) {
    const content = { ename: error.ename, evalue: error.evalue, traceback: error.traceback }
    if (!isSilent) kernel.publish('error', content)
    if (request.content['stop_on_error'] !== false) kernel.abortWaiting()
    return { status: 'error', execution_count: count, ...content, user_expressions: {}, payload: [] }
  }
  if (result !== undefined && !isSilent) {
    kernel.publish('execute_result', { execution_count: count, data: result, metadata: {} })
  }
  const payload = replacement === undefined ? [] : [{ source: 'set_next_input', text: replacement, replace: true }]
  return { status: 'ok', execution_count: count, user_expressions: {}, payload }
}
