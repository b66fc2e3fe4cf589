/**
 * The session's control thread: it reads the front's interrupts (the serial number of the last task meant, in four
 * bytes) from a pipe while the main thread may be spinning, and serves the debugger.
 *
 * It asks the main thread first. With no answer in 40 ms it ends the running code through the inspector. Ending code on a
 * main thread that is idle would hit whatever native callback comes next, and between cells the session's own work on the
 * next one: hence the asking, and `isInCell`.
 * The inspector is connected for that moment only: a process that exits with one connected waits for it.
 * When the pipe ends, the front is gone: the main thread gets a second to leave by itself, then the process is killed.
 */
import { Session } from 'node:inspector'
import { Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { serveDebugger } from './debug.js'
import { hasLeft, isAnswered, isInCell } from './interrupt-state.js'

interface Given {
  readonly state: Int32Array
  readonly fd: number
  readonly debugFd: number
}

const { state, fd, debugFd } = workerData as Given

/** How long the main thread may take to answer, and how long at most where it is at the session's own work. */
const answerMs = 40
const patienceMs = 2000

let rest: Buffer = Buffer.alloc(0)

function receive(chunk: Buffer): void {
  rest = Buffer.concat([rest, chunk])
  for (; rest.length >= 4; rest = rest.subarray(4)) interrupt(rest.readUInt32LE())
}

function interrupt(serial: number): void {
  Atomics.store(state, isAnswered, 0)
  // oxlint-disable-next-line require-post-message-target-origin -- a thread's port, not a window's
  parentPort?.postMessage(serial)
  const started = performance.now()
  const look = (): void => {
    if (Atomics.load(state, isAnswered) === 1) return
    if (Atomics.load(state, isInCell) === 1 || performance.now() - started > patienceMs) terminate()
    else setTimeout(look, answerMs)
  }
  setTimeout(look, answerMs)
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
  Atomics.store(state, hasLeft, 1)
  Atomics.notify(state, hasLeft)
})
new Socket({ fd, readable: true, writable: false }).on('data', receive).on('end', leave).on('error', leave)
