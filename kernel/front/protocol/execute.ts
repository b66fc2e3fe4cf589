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
  const origin = kernel.originOf(request)
  if (!isSilent) kernel.publish('execute_input', { code, execution_count: count }, request)
  const { result, error } = await kernel.runner.run(code, `Cell[${count}]`, origin)
  if (error !== undefined) {
    const content = { ename: error.ename, evalue: error.evalue, traceback: error.traceback }
    if (!isSilent) kernel.publish('error', content, request)
    if (request.content['stop_on_error'] !== false) kernel.abortWaiting()
    return { status: 'error', execution_count: count, ...content, user_expressions: {}, payload: [] }
  }
  if (result !== undefined && !isSilent) {
    kernel.publish('execute_result', { execution_count: count, data: result, metadata: {} }, request)
  }
  return { status: 'ok', execution_count: count, user_expressions: {}, payload: [] }
}
