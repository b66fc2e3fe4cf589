/** Where Jupyter looks for kernelspecs: the rules of jupyter_core. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ShardbookError } from '../core/errors.js'
import { ask, findPython } from './programs.js'

/** Name of our kernelspec: its folder's name. */
export const kernelName = 'shardbook'

/** Our kernelspec's folder in the user's own Jupyter data. */
export function userFolder(): string {
  const { env, platform } = process
  const data =
    env['JUPYTER_DATA_DIR'] ||
    (platform === 'darwin'
      ? join(homedir(), 'Library', 'Jupyter')
      : platform === 'win32'
        ? join(env['APPDATA'] || join(homedir(), 'AppData', 'Roaming'), 'jupyter')
        : join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'jupyter'))
  return join(data, 'kernels', kernelName)
}

/** Our kernelspec's folder under an installation prefix. */
export function prefixFolder(prefix: string): string {
  return join(resolve(prefix), 'share', 'jupyter', 'kernels', kernelName)
}

/**
 * Our kernelspec's folder in the Python environment on PATH.
 *
 * @throws ShardbookError `missing` without Python.
 */
export async function environmentFolder(): Promise<string> {
  const python = findPython()
  if (python === undefined) {
    throw new ShardbookError('missing', 'shardbook install: expected Python on PATH for --sys-prefix, got none.', {
      hint: 'Use --user or --prefix DIR.',
    })
  }
  return prefixFolder(await ask(python, '-c', 'import sys; print(sys.prefix)'))
}
