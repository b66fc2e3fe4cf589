/**
 * The session's control thread: it reads the front's interrupts from a pipe while the main thread may be spinning.
 *
 * It asks the main thread first. With no answer in 40 ms it ends the running code through the inspector. Ending code on a
 * main thread that is idle would hit whatever native callback comes next, which is why the asking comes first. The
 * inspector is connected for that moment only: a process that exits with one connected waits for it.
 * When the pipe ends, the front is gone: the main thread gets a second to leave by itself, then the process is killed.
 */
import { Session } from 'node:inspector'
import { Socket } from 'node:net'
import { serveDebugger } from './debug.js'
import { parentPort, workerData } from 'node:worker_threads'

interface Given {
  /** Set when the main thread has heard an interrupt. */
  readonly answered: Int32Array
  /** Set when the debugger has disconnected, since the process ends. */
  readonly left: Int32Array
  readonly fd: number
  readonly debugFd: number
}

const { answered, left, fd, debugFd } = workerData as Given

function interrupt(): void {
  Atomics.store(answered, 0, 0)
  // oxlint-disable-next-line require-post-message-target-origin -- a thread's port, not a window's
  parentPort?.postMessage('interrupt')
  setTimeout(() => {
    if (Atomics.load(answered, 0) === 0) terminate()
  }, 40)
}

function terminate(): void {
  const inspector = new Session()
  inspector.connectToMainThread()
  inspector.post('Runtime.terminateExecution', () => inspector.disconnect())
}

function leave(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1000)
}

const disconnect = serveDebugger(new Socket({ fd: debugFd, readable: true, writable: true }))
parentPort?.on('message', () => {
  disconnect()
  Atomics.store(left, 0, 1)
  Atomics.notify(left, 0)
})
new Socket({ fd, readable: true, writable: false }).on('data', interrupt).on('end', leave).on('error', leave)
