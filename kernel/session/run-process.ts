/** Runs a program whose output is the cell's and that an interrupt ends, with all that it started. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { ShardbookError } from '../../src/core/errors.js'

export interface RunProcessOptions {
  readonly onInterrupt: (listener: () => void) => () => void
  /** Gets the lines of stderr instead of the cell. */
  readonly onErrorLine?: (line: string) => void
}

/** How long an interrupted program may clean up. */
const graceMs = 1000

/** Resolves to the exit code, or to the name of the signal that ended it. */
export function runProcess(
  program: string,
  args: readonly string[],
  { onInterrupt, onErrorLine }: RunProcessOptions,
): Promise<number | string> {
  // A process group of its own: the interrupt reaches what it started.
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'inherit', onErrorLine === undefined ? 'inherit' : 'pipe'],
  })
  if (onErrorLine !== undefined) createInterface({ input: child.stderr as Readable }).on('line', onErrorLine)
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal)
    } catch (error) {
      // Nobody of the group is left.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const stop = onInterrupt(() => {
    kill('SIGINT')
    setTimeout(() => kill('SIGKILL'), graceMs).unref()
  })
  const endWithSession = (): void => kill('SIGKILL')
  process.once('exit', endWithSession)
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      stop()
      reject(new ShardbookError('missing', `${program}: expected to run, got: ${error.message}.`, { cause: error }))
    })
    child.on('close', (code, signal) => {
      stop()
      process.off('exit', endWithSession)
      resolve(code ?? signal ?? 'ended')
    })
  })
}
