/** Programs that lie around us: Python, JupyterLab. Found on PATH and asked, never guessed. */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ShardbookError } from '../core/errors.js'

/** The full path of a program on PATH. */
export function findProgram(name: string): string | undefined {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : ['']
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = folders.flatMap((folder) => endings.map((ending) => join(folder, `${name}${ending}`)))
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch (error) {
      // Only what cannot be run is passed over; anything else is a fault of ours.
      if (error instanceof Error && 'code' in error) return false
      throw error
    }
  })
}

/** What a program prints, trimmed. @throws ShardbookError `missing` when it is absent or fails. */
export function ask(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 60_000, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout.trim() || stderr.trim())
      const last = stderr.trim().split('\n').at(-1)
      const message = `ask: expected ${program} ${args.join(' ')} to answer, got ${last || error.message}.`
      return reject(new ShardbookError('missing', message, { cause: error }))
    })
  })
}

/** Python 3: that of an active environment first. */
export function findPython(): string | undefined {
  return findProgram('python3') ?? findProgram('python')
}

export interface Jupyter {
  readonly program: string
  readonly args: readonly string[]
}

/** How JupyterLab is started here: by its command, else as a module of the Python on PATH. */
export async function findJupyterLab(): Promise<(Jupyter & { readonly version: string }) | undefined> {
  const python = findPython()
  const ways: Jupyter[] = []
  const command = findProgram('jupyter-lab')
  if (command !== undefined) ways.push({ program: command, args: [] })
  if (python !== undefined) ways.push({ program: python, args: ['-m', 'jupyterlab'] })
  for (const way of ways) {
    const version = await ask(way.program, ...way.args, '--version').catch((error: unknown) => {
      if (error instanceof ShardbookError) return undefined
      throw error
    })
    if (version !== undefined) return { ...way, version }
  }
  return undefined
}
