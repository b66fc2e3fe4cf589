/** The kernelspec: the file by which Jupyter clients find the kernel. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const kernelName = 'shardbook'

/** What a client needs to start the kernel of this very copy of the package, with this very Node. */
export function kernelspec(): Readonly<Record<string, unknown>> {
  return {
    argv: [process.execPath, fileURLToPath(new URL('./front/main.js', import.meta.url)), '{connection_file}'],
    display_name: 'TypeScript (Shardbook)',
    language: 'typescript',
    interrupt_mode: 'message',
    metadata: {},
  }
}

/** The user's kernels folder: below `JUPYTER_DATA_DIR` where that is set. */
export function userKernelsDir(): string {
  const env = process.env
  if (env['JUPYTER_DATA_DIR']) return join(env['JUPYTER_DATA_DIR'], 'kernels')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Jupyter', 'kernels')
  if (process.platform === 'win32') return join(env['APPDATA'] ?? homedir(), 'jupyter', 'kernels')
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'jupyter', 'kernels')
}

/** The kernels folder of an installation prefix, such as a Python environment. */
export function prefixKernelsDir(prefix: string): string {
  return join(prefix, 'share', 'jupyter', 'kernels')
}

/** Writes the kernelspec into the kernels folder `dir`; returns the folder that it made or refreshed. */
export function installKernelspec({ dir }: { readonly dir: string }): string {
  const folder = join(dir, kernelName)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'kernel.json'), `${JSON.stringify(kernelspec(), null, 2)}\n`)
  return folder
}

/** Removes the kernelspec from the kernels folder `dir`; returns whether there was one. */
export function uninstallKernelspec({ dir }: { readonly dir: string }): boolean {
  const folder = join(dir, kernelName)
  const isThere = existsSync(join(folder, 'kernel.json'))
  rmSync(folder, { recursive: true, force: true })
  return isThere
}
