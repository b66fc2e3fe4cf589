/** `interrupt_request` and `shutdown_request`: they come on the control channel, while a cell may be running. */
import type { Handler } from './handler.js'

export const interrupt: Handler = async (kernel) => {
  await kernel.debugger.release()
  kernel.runner.interrupt()
  return { status: 'ok' }
}

export const shutdown: Handler = async (kernel, { content }) => {
  kernel.shells.abortWaiting()
  await kernel.close()
  kernel.stop()
  return { status: 'ok', restart: content['restart'] === true }
}
