/** `%npm`: the package manager in the notebook's folder, with a line for each package that it fetches. */
import { ShardbookError } from '../../src/core/errors.js'
import { runProcess } from './run-process.js'

export interface NpmOptions {
  readonly print: (line: string) => void
  readonly onInterrupt: (listener: () => void) => () => void
}

/**
 * Runs `npm ARGUMENT` for the notebook's folder. Packages' install scripts do not run unless the argument says
 * `--no-ignore-scripts`.
 *
 * @throws ShardbookError where npm fails
 */
export async function installPackages(argument: string, { print, onInterrupt }: NpmOptions): Promise<void> {
  const words = argument.match(/"[^"]*"|'[^']*'|\S+/g)?.map((word) => word.replace(/^(["'])(.*)\1$/, '$2')) ?? []
  if (words.length === 0) {
    throw new ShardbookError('argument', '%npm: expected a command, got none.', {
      hint: 'For example %npm install zod.',
    })
  }
  const [command = '', ...rest] = words
  // Without the prefix npm may choose a folder above the notebook's.
  const flags = ['--prefix', process.cwd(), '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=http']
  const fetched = new Set<string>()
  const ended = await runProcess('npm', [command, ...flags, ...rest], {
    onInterrupt,
    onErrorLine: (line) => {
      if (!line.startsWith('npm http')) return print(line)
      const archive = /\/([^/]+)\.tgz/.exec(line)?.[1]
      if (archive === undefined || fetched.has(archive)) return
      fetched.add(archive)
      print(`fetched ${archive}`)
    },
  })
  if (ended !== 0) throw new ShardbookError('io', `%npm ${argument}: expected exit code 0, got ${ended}.`)
}
