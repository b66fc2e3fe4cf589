/** What magics do in the session. Cells call them through `__cell.magics`; `compile/expand` writes the calls. */
import { ShardbookError } from '../../src/core/errors.js'
import { magicKinds } from '../compile/magic-kinds.js'
import { installPackages } from './npm.js'
import { runProcess } from './run-process.js'
import { clock, formatTime, measure } from './stopwatch.js'

export interface Magics {
  shell(command: string): Promise<void>
  bash(script: string): Promise<void>
  npm(argument: string): Promise<void>
  env(argument: string): void
  who(): void
  help(): void
  /** `%time` begins; `timed` says how long it took and hands its value through. */
  start(): void
  timed<T>(value?: T): T | undefined
  timeit(code: () => unknown): Promise<void>
}

export interface MagicsOptions {
  /** Prints a line to stdout, whatever a cell has done to the console. */
  readonly print: (line: string) => void
  /** The names of the notebook that have values. */
  readonly entries: () => readonly (readonly [name: string, value: unknown])[]
  readonly onInterrupt: (listener: () => void) => () => void
}

export function createMagics({ print, entries, onInterrupt }: MagicsOptions): Magics {
  const starts: ReturnType<typeof clock>[] = []
  return {
    shell: async (command) => {
      const ended = await runProcess('sh', ['-c', command], { onInterrupt })
      if (ended !== 0) print(`[${typeof ended === 'number' ? `exit code ${ended}` : ended}]`)
    },
    bash: async (script) => {
      const ended = await runProcess('bash', ['-c', script], { onInterrupt })
      if (ended !== 0) throw new ShardbookError('state', `%%bash: expected exit code 0, got ${ended}.`)
    },
    npm: (argument) => installPackages(argument, { print, onInterrupt }),
    env: (argument) => {
      const [, name, value] = /^([^=\s]*)(?:\s*=\s*(.*))?$/s.exec(argument.trim()) ?? []
      if (name === undefined) throw new ShardbookError('argument', `%env: expected NAME=VALUE, got ${argument}.`)
      if (value !== undefined) process.env[name] = value
      if (name !== '') return print(`${name}=${process.env[name] ?? ''}`)
      for (const key of Object.keys(process.env).sort()) print(`${key}=${process.env[key]}`)
    },
    who: () => {
      const rows = entries().map(([name, value]) => [name, kindOf(value)] as const)
      const width = Math.max(0, ...rows.map(([name]) => name.length))
      for (const [name, kind] of rows.toSorted(([a], [b]) => (a < b ? -1 : 1))) print(`${name.padEnd(width)}  ${kind}`)
      if (rows.length === 0) print('The notebook has no names yet.')
    },
    help: () => {
      const width = Math.max(...Object.values(magicKinds).map(({ usage }) => usage.length))
      for (const { usage, summary } of Object.values(magicKinds)) print(`${usage.padEnd(width)}  ${summary}`)
    },
    start: () => void starts.push(clock()),
    timed: (value) => {
      const { wallMs, cpuMs } = starts.pop()!()
      print(`${formatTime(wallMs)} (processor ${formatTime(cpuMs)})`)
      return value
    },
    timeit: async (code) => print(await measure(code)),
  }
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  try {
    return value.constructor?.name || 'object'
  } catch (error) {
    return `object (${String(error)})`
  }
}
