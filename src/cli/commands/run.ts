/** `shardbook run`: executes a notebook headless and writes it, or a page of it. */
import { access, constants, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { localStore } from '../../store/index.js'
import { type Command, readArguments, UsageError } from '../command.js'
import { executeNotebook, type CellFailure, type CellProgress, type ExecuteReport } from '../notebook/execute.js'
import { languageOf, type Notebook, printNotebook, readNotebook } from '../notebook/notebook.js'
import { injectParameters, parseParameters, undeclaredParameters } from '../notebook/parameters.js'
import { plainText } from '../page/terminal-text.js'

const help = `Usage: shardbook run NOTEBOOK [options]

Executes the notebook's cells in order, in its folder, without Jupyter. Waits for trainings that still run in the
background, so that every chart is written in its final state.

  --out FILE          where the executed notebook goes (default: the notebook itself, unless --html is given)
  --html FILE         also write one self-contained web page, charts alive
  --param NAME=JSON   a value for the notebook, set after the cell tagged "parameters", else at the top; repeatable
  --timeout-s N       limit in seconds for the whole run (default: none)
  --allow-errors      go on after a cell that fails, and exit 0

Exit code: 0 all cells fine, 1 a cell failed (the outputs so far are written), 2 usage or an unreadable notebook.
`

export const run: Command = {
  help,
  async run(args) {
    const { values, positionals } = readArguments(
      'run',
      args,
      {
        out: { type: 'string' },
        html: { type: 'string' },
        param: { type: 'string', multiple: true },
        'timeout-s': { type: 'string' },
        'allow-errors': { type: 'boolean' },
      },
      { min: 1, max: 1, names: 'one NOTEBOOK' },
    )
    const path = resolve(positionals[0]!)
    const timeoutMs = readTimeout(values['timeout-s'])
    const parameters = parseParameters(values.param ?? [])
    const original = await readNotebook(path)
    const language = languageOf(original)
    if (language !== undefined && !['typescript', 'javascript'].includes(language)) {
      throw new UsageError(`shardbook run: expected a TypeScript notebook, got one in ${language} (${path}).`)
    }
    const targets = {
      out: values.out === undefined ? (values.html === undefined ? path : undefined) : resolve(values.out),
      html: values.html === undefined ? undefined : resolve(values.html),
    }
    for (const target of Object.values(targets)) if (target !== undefined) await checkTarget(target)
    for (const warning of undeclaredParameters(original, parameters)) say(`warning: ${warning}`)

    const notebook = withKernel(injectParameters(original, parameters))
    const allowErrors = values['allow-errors'] === true
    const stopper = new AbortController()
    const onSignal = (): void => {
      // The first signal ends the run in order, with what it has written; the second one ends it at once.
      if (stopper.signal.aborted) process.exit(130)
      stopper.abort()
    }
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
    let report: ExecuteReport
    try {
      report = await executeNotebook(notebook, {
        cwd: dirname(path),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        allowErrors,
        signal: stopper.signal,
        onCell: showCell,
        onWait: (labels) => say(`waiting for ${labels.join(', ')}`),
      })
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
      // Whatever happened, the outputs so far are the user's.
      await write(notebook, targets, basename(path, '.ipynb'))
    }
    for (const failure of report.failures) say(describe(failure))
    for (const label of report.unsettled) say(`warning: ${label} was still running at the time limit`)
    return report.failures.length > 0 && (!allowErrors || stopper.signal.aborted) ? 1 : 0
  },
}

function readTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds * 1000 < 2 ** 31) return seconds * 1000
  throw new UsageError(
    `shardbook run: expected --timeout-s to be a number of seconds > 0, got ${JSON.stringify(text)}.`,
  )
}

/** Finds out before the run, not after an hour of training, that a result has nowhere to go. */
async function checkTarget(path: string): Promise<void> {
  const caller = 'shardbook run: expected a file to write to'
  try {
    const info = await stat(path)
    if (info.isDirectory()) throw new UsageError(`${caller}, got the folder ${path}.`)
    await access(path, constants.W_OK)
  } catch (error) {
    if (error instanceof UsageError) throw error
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new UsageError(`${caller}, got ${path}: ${error instanceof Error ? error.message : String(error)}.`, {
        cause: error,
      })
    }
  }
}

/** The notebook with our kernel as the one that Jupyter opens it with. */
function withKernel(notebook: Notebook): Notebook {
  return {
    ...notebook,
    metadata: {
      ...notebook.metadata,
      kernelspec: { name: 'shardbook', display_name: 'TypeScript (Shardbook)', language: 'typescript' },
    },
  }
}

async function write(
  notebook: Notebook,
  targets: { out?: string | undefined; html?: string | undefined },
  title: string,
) {
  if (targets.out !== undefined) {
    await put(targets.out, printNotebook(notebook))
    say(`wrote ${targets.out}`)
  }
  if (targets.html !== undefined) {
    const { buildPage } = await import('../page/page.js')
    await put(targets.html, await buildPage(notebook, title))
    say(`wrote ${targets.html}`)
  }
}

/** Whole or not at all. */
function put(path: string, text: string): Promise<void> {
  return localStore().put(path, new TextEncoder().encode(text))
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** One line a cell; on a terminal it stands there from the moment the cell starts. */
function showCell({ number, count, cell, ended }: CellProgress): void {
  const digits = String(count).length
  const title =
    cell.source.split('\n').find((line) => line.trim() !== '' && !line.trim().startsWith('//')) ?? cell.source
  const text = title.trim().length > 80 ? `${title.trim().slice(0, 77)}...` : title.trim()
  const line = (state: string): string => `[${String(number).padStart(digits)}/${count}] ${state.padEnd(9)} ${text}`
  if (ended === undefined) {
    if (process.stderr.isTTY) process.stderr.write(line('...'))
    return
  }
  const state = ended.status === 'ok' ? duration(ended.ms) : 'failed'
  process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[2K' : ''}${line(state)}\n`)
}

function duration(ms: number): string {
  return ms < 9_950 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`
}

/** The cell's number, the line that its code frame points at, the error, and where it came from. */
function describe({ number, error }: CellFailure): string {
  const title = `${error.ename}: ${error.evalue}`
  const trace = plainText(error.traceback.join('\n')).trimEnd()
  const line = /^> *(\d+) \|/m.exec(trace)?.[1]
  const rest = trace.startsWith(title) ? trace.slice(title.length).trimStart() : trace
  const place = line === undefined ? `cell ${number}` : `cell ${number}, line ${line}`
  return `${place}: ${title}${rest === '' ? '' : `\n  ${rest}`}`
}
