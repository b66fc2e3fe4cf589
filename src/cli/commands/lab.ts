/** `shardbook lab`: JupyterLab with our kernel, without installing anything. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { installKernelspec } from '../../../kernel/install.js'
import { ShardbookError } from '../../core/errors.js'
import { type Command, readArguments, UsageError } from '../command.js'
import { kernelName } from '../kernelspec-folders.js'
import { findJupyterLab } from '../programs.js'

const help = `Usage: shardbook lab [DIR] [-- JUPYTERLAB OPTIONS]

Opens JupyterLab in DIR (default: this folder) with the kernel TypeScript (Shardbook), which need not be installed.
What follows -- goes to JupyterLab: shardbook lab -- --no-browser --port 8890
`

export const howToGetJupyterLab = 'Install it: python3 -m pip install jupyterlab, or pipx install jupyterlab.'

export const lab: Command = {
  help,
  async run(args) {
    const end = args.indexOf('--')
    const ours = end === -1 ? args : args.slice(0, end)
    const theirs = end === -1 ? [] : args.slice(end + 1)
    const { positionals } = readArguments('lab', ours, {}, { min: 0, max: 1, names: 'at most one DIR' })
    const folder = resolve(positionals[0] ?? '.')
    const info = await stat(folder).catch(() => undefined)
    if (info?.isDirectory() !== true) throw new UsageError(`shardbook lab: expected a folder, got ${folder}.`)
    const jupyter = await findJupyterLab()
    if (jupyter === undefined) {
      throw new ShardbookError('missing', 'shardbook lab: expected JupyterLab on PATH, got none.', {
        hint: howToGetJupyterLab,
      })
    }
    const data = await mkdtemp(join(tmpdir(), 'shardbook-lab-'))
    try {
      await installKernelspec({ dir: join(data, 'kernels', kernelName) })
      const path = [data, process.env['JUPYTER_PATH']].filter(Boolean).join(delimiter)
      return await attend(jupyter.program, [...jupyter.args, ...theirs], { ...process.env, JUPYTER_PATH: path }, folder)
    } finally {
      await rm(data, { recursive: true, force: true })
    }
  },
}

/** Runs a program in the foreground and passes signals on; resolves with its exit code. */
function attend(program: string, args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: 'inherit', env, cwd })
    // A terminal sends Ctrl-C to both of us: JupyterLab asks its question, we must outlive it.
    const ignore = (): void => {}
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
    const release = (): void => void process.off('SIGINT', ignore).off('SIGTERM', pass).off('SIGHUP', pass)
    process.on('SIGINT', ignore).on('SIGTERM', pass).on('SIGHUP', pass)
    child.on('error', (error) => {
      release()
      fail(error)
    })
    child.on('exit', (code, signal) => {
      release()
      done(code ?? (signal === 'SIGTERM' ? 0 : 1))
    })
  })
}
