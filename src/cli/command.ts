/** What a subcommand of `shardbook` is, and how its arguments are read. Exit codes: 0 fine, 1 it failed, 2 wrong usage. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { nearest } from '../core/check.js'
import { ShardbookError } from '../core/errors.js'

export interface Command {
  /** The text of `shardbook <name> --help`. */
  readonly help: string
  /** Runs with the arguments after the command's name; resolves with the exit code. */
  run(args: readonly string[]): Promise<number>
}

/** The user asked for something that cannot be asked for; the command ends with exit code 2. */
export class UsageError extends ShardbookError {
  override readonly name = 'UsageError'
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super('argument', message, options)
  }
}

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>

/**
 * Options and positionals of a command.
 *
 * @throws UsageError for an unknown option (with the nearest one), a missing value, or too few or many positionals.
 */
export function readArguments<const O extends Options>(
  command: string,
  args: readonly string[],
  options: O,
  positionals: { readonly min: number; readonly max: number; readonly names: string },
): Parsed<O> {
  const caller = `shardbook ${command}`
  let parsed: Parsed<O>
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const unknown = /^Unknown option '(-[^']*)'/.exec(text)?.[1]
    if (unknown === undefined) throw new UsageError(`${caller}: ${text.replaceAll('\n', ' ')}`, { cause: error })
    const near = nearest(unknown.replace(/^-+/, ''), Object.keys(options))
    const hint = near === undefined ? `See ${caller} --help.` : `Did you mean --${near}?`
    throw new UsageError(`${caller}: unknown option ${unknown}.`, { hint })
  }
  const { length } = parsed.positionals
  if (length < positionals.min || length > positionals.max) {
    const got = length === 0 ? 'nothing' : parsed.positionals.map((word) => JSON.stringify(word)).join(' ')
    throw new UsageError(`${caller}: expected ${positionals.names}, got ${got}.`, { hint: `See ${caller} --help.` })
  }
  return parsed
}
