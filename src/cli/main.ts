#!/usr/bin/env node
/**
 * The `shardbook` command: finds the subcommand, runs it, turns what it raises into one clear line and an exit code.
 * Subcommands load at first use, so that `--help` is quick and one part that cannot load stops only its own command.
 */
import { nearest } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'
import { type Command, UsageError } from './command.js'
import { packageVersion } from './package-version.js'

const commands: Readonly<Record<string, { readonly summary: string; load(): Promise<Command> }>> = {
  install: {
    summary: 'make the kernel known to Jupyter',
    load: async () => (await import('./commands/install.js')).install,
  },
  uninstall: {
    summary: 'undo install',
    load: async () => (await import('./commands/install.js')).uninstall,
  },
  lab: {
    summary: 'open JupyterLab with the kernel',
    load: async () => (await import('./commands/lab.js')).lab,
  },
  run: {
    summary: 'run a notebook headless; write it, or a web page of it',
    load: async () => (await import('./commands/run.js')).run,
  },
  engine: {
    summary: 'list, install and remove tensor engines',
    load: async () => (await import('./commands/engine.js')).engine,
  },
  doctor: {
    summary: 'what is here, what is missing, what to do about it',
    load: async () => (await import('./commands/doctor.js')).doctor,
  },
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`)
  return `Shardbook: a Jupyter kernel for TypeScript machine learning.

Usage: shardbook <command> [options]

${lines.join('\n')}

shardbook <command> --help tells more; shardbook --version prints the version.
`
}

/** Runs one command line; resolves with the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help())
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`${packageVersion()}\n`)
    return 0
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (entry === undefined) {
    const near = nearest(name, Object.keys(commands))
    const hint = near === undefined ? 'See shardbook --help.' : `Did you mean shardbook ${near}?`
    throw new UsageError(`shardbook: expected one of ${Object.keys(commands).join(', ')}, got ${name}.`, { hint })
  }
  const command = await entry.load()
  const end = rest.indexOf('--')
  if (rest.slice(0, end === -1 ? undefined : end).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(command.help)
    return 0
  }
  return command.run(rest)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const expected = error instanceof ShardbookError && error.code !== 'internal'
  process.exitCode = error instanceof ShardbookError && error.code === 'argument' ? 2 : 1
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
}
