/** `shardbook install` and `uninstall`: the kernelspec, where Jupyter looks for it. */
import { existsSync } from 'node:fs'
import { installKernelspec, uninstallKernelspec } from '../../../kernel/install.js'
import { type Command, readArguments, UsageError } from '../command.js'
import { environmentFolder, prefixFolder, userFolder } from '../kernelspec-folders.js'
import { findPython } from '../programs.js'

const places = `  --user         for this user (default)
  --sys-prefix   in the Python environment that is active
  --prefix DIR   under DIR/share/jupyter
`

const options = {
  user: { type: 'boolean' },
  'sys-prefix': { type: 'boolean' },
  prefix: { type: 'string' },
} as const

export const install: Command = {
  help: `Usage: shardbook install [--user | --sys-prefix | --prefix DIR]

Makes the kernel TypeScript (Shardbook) known to Jupyter.

${places}`,
  async run(args) {
    const { values } = readArguments('install', args, options, { min: 0, max: 0, names: 'no argument' })
    const dir = (await chosenFolder('install', values)) ?? userFolder()
    await installKernelspec({ dir })
    process.stdout.write(`installed ${dir}\n`)
    return 0
  },
}

export const uninstall: Command = {
  help: `Usage: shardbook uninstall [--user | --sys-prefix | --prefix DIR]

Takes the kernel away from Jupyter again. Without an option: from the user's folder and from the active Python environment.

${places.replace(' (default)', '')}`,
  async run(args) {
    const { values } = readArguments('uninstall', args, options, { min: 0, max: 0, names: 'no argument' })
    const chosen = await chosenFolder('uninstall', values)
    const environment = chosen === undefined && findPython() !== undefined ? [await environmentFolder()] : []
    const found = (chosen === undefined ? [userFolder(), ...environment] : [chosen]).filter((dir) => existsSync(dir))
    for (const dir of found) {
      await uninstallKernelspec({ dir })
      process.stdout.write(`removed ${dir}\n`)
    }
    if (found.length === 0) process.stdout.write('nothing to remove: the kernel is not installed there\n')
    return 0
  },
}

interface Place {
  readonly user?: boolean | undefined
  readonly 'sys-prefix'?: boolean | undefined
  readonly prefix?: string | undefined
}

/** The folder that the options name, if they name one. */
async function chosenFolder(command: string, values: Place): Promise<string | undefined> {
  const named = Object.entries(values).filter(([, value]) => value !== undefined && value !== false)
  if (named.length > 1) {
    const got = named.map(([name]) => `--${name}`).join(' and ')
    throw new UsageError(`shardbook ${command}: expected at most one of --user, --sys-prefix, --prefix, got ${got}.`)
  }
  if (values.prefix !== undefined) return prefixFolder(values.prefix)
  if (values['sys-prefix'] === true) return environmentFolder()
  return values.user === true ? userFolder() : undefined
}
