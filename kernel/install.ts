/** The kernelspec: the file by which Jupyter clients find the kernel. Where it belongs is the caller's business. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Starts the kernel of this very copy of the package, with this very Node. */
function kernelspec(): Readonly<Record<string, unknown>> {
  return {
    argv: [process.execPath, fileURLToPath(new URL('./front/main.js', import.meta.url)), '{connection_file}'],
    display_name: 'TypeScript (Shardbook)',
    language: 'typescript',
    interrupt_mode: 'message',
    metadata: { debugger: true },
  }
}

/** Writes the kernelspec into its folder (`…/kernels/shardbook`), which is made where it is missing; returns the file. */
export async function installKernelspec({ dir }: { readonly dir: string }): Promise<string> {
  await mkdir(dir, { recursive: true })
  const file = join(dir, 'kernel.json')
  await writeFile(file, `${JSON.stringify(kernelspec(), null, 2)}\n`)
  return file
}

/** Removes the kernelspec's folder; nothing happens where there is none. */
export async function uninstallKernelspec({ dir }: { readonly dir: string }): Promise<void> {
  await rm(dir, { recursive: true, force: true })
}
