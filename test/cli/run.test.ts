import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type CodeCell, type Notebook, parseNotebook, printNotebook } from '../../src/cli/notebook/notebook.js'
import { codeCell, lineSpec, markdownCell, notebookOf, pixel } from './sample.js'
import { type Ended, shardbook } from './shardbook.js'

const root = mkdtempSync(join(tmpdir(), 'shardbook-run-'))
let folder = root
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

interface Ran extends Ended {
  readonly notebook: Notebook
}

/** Runs a notebook of these cells and reads what it wrote. */
async function run(
  cells: Notebook['cells'],
  args: string[] = [],
  options: Parameters<typeof shardbook>[1] = {},
  at = mkdtempSync(join(root, 'case-')),
): Promise<Ran> {
  writeFileSync(join(at, 'in.ipynb'), printNotebook(notebookOf(cells)))
  const out = join(at, 'out.ipynb')
  const ended = await shardbook(['run', join(at, 'in.ipynb'), '--out', out, ...args], options)
  if (!existsSync(out)) throw new Error(`it wrote no notebook:\n${ended.stderr}`)
  return { ...ended, notebook: parseNotebook(readFileSync(out, 'utf8'), out) }
}

/** Runs with a time limit, the first within which this machine, however busy, comes as far as it should. */
async function runUpTo(cells: Notebook['cells'], isFar: (ran: Ran) => boolean): Promise<Ran> {
  for (const limit of ['6', '20', '60']) {
    const ran = await run(cells, ['--timeout-s', limit])
    if (isFar(ran)) return ran
  }
  return run(cells, ['--timeout-s', '150'])
}

/** The texts that each code cell shows. */
function shown(notebook: Notebook): string[] {
  return notebook.cells
    .filter((cell): cell is CodeCell => cell.cell_type === 'code')
    .map((cell) =>
      cell.outputs
        .map((o) =>
          o.output_type === 'stream' ? o.text : o.output_type === 'error' ? o.ename : String(o.data['text/plain']),
        )
        .join('|'),
    )
}

describe('shardbook run', () => {
  test('executes the cells in order, in the folder of the notebook, with a line for each', async () => {
    writeFileSync(join(folder, 'words.txt'), 'hello')
    const cells = [
      markdownCell('# Title'),
      codeCell(`import { readFileSync } from 'node:fs'\nconst word: string = readFileSync('words.txt', 'utf8')`),
      codeCell(''),
      codeCell('console.log(word)\nword.length'),
    ]
    const { code, stderr, notebook } = await run(cells, [], {}, folder)
    expect(code).toBe(0)
    expect(shown(notebook)).toEqual(['', '', 'hello\n|5'])
    expect(notebook.cells.map((cell) => cell['execution_count'])).toEqual([undefined, 1, null, 2])
    expect(notebook.metadata['kernelspec']).toMatchObject({ name: 'shardbook', language: 'typescript' })
    expect(stderr).toMatch(
      /^\[1\/2\] \d+\.\d\d s +import \{ readFileSync \} from 'node:fs'\n\[2\/2\] \d+\.\d\d s +console\.log\(word\)\n/,
    )
  })

  test('stops at a cell that fails, names it, and writes the outputs so far', async () => {
    const { code, stderr, notebook } = await run([
      codeCell('console.log("before")'),
      codeCell('const n = 1\nthrow new RangeError("too far")'),
      codeCell('console.log("after")'),
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('cell 2, line 2: RangeError: too far\n')
    expect(shown(notebook)).toEqual(['before\n', 'RangeError', ''])
  })

  test('fails a cell with a type error before it runs', async () => {
    const { code, stderr, notebook } = await run([codeCell('console.log("ran")\nconst n: number = "text"')])
    expect(code).toBe(1)
    expect(stderr).toMatch(/cell 1, line 2: .*'string' is not assignable to type 'number'/s)
    expect(shown(notebook)[0]).not.toContain('ran')
  })

  test('goes on with --allow-errors, and after a cell tagged raises-exception', async () => {
    const cells = [codeCell('throw new Error("a")'), codeCell('console.log("after")')]
    expect(await run(cells, ['--allow-errors']).then(({ code, notebook }) => [code, ...shown(notebook)])).toEqual([
      0,
      'Error',
      'after\n',
    ])
    const tagged = [codeCell('throw new Error("a")', [], { tags: ['raises-exception'] }), cells[1]!]
    expect(await run(tagged).then(({ code, notebook }) => [code, ...shown(notebook)])).toEqual([0, 'Error', 'after\n'])
  })

  test('sets parameters behind the cell that declares their defaults', async () => {
    const cells = [
      codeCell('const epochs = 5\nconst name = "a"', [], { tags: ['parameters'] }),
      codeCell('console.log(epochs + 1, name)'),
    ]
    const { code, notebook } = await run(cells, ['--param', 'epochs=2', '--param', 'name="é"'])
    expect(code).toBe(0)
    expect(shown(notebook)).toEqual(['', '', '3 é\n'])
    const misspelt = await run(cells, ['--param', 'epoch=2'])
    expect(misspelt.stderr).toContain('Did you mean epochs?')
  })

  test('keeps one chart, in its last state, of a display that was updated many times, and waits for background work', async () => {
    const show = `
      const host = (globalThis as any)[Symbol.for('shardbook.host')]
      const bundle = (n: number) => ({ 'application/vnd.vegalite.v5+json': { ...${JSON.stringify({ ...lineSpec, data: undefined })}, data: { values: [{ step: n, loss: n }] } }, 'text/plain': 'step ' + n })
      host.publish(bundle(0), { id: 'loss' })
      host.track('training a', (async () => {
        for (let n = 1; n <= 300; n++) { await new Promise((r) => setTimeout(r, 2)); host.update('loss', bundle(n)) }
      })())`
    const { code, stderr, notebook } = await run([codeCell(show), codeCell('1 + 1')], [], {}, folder)
    expect(code).toBe(0)
    expect(stderr).toContain('waiting for training a')
    expect(shown(notebook)).toEqual(['step 300', '2'])
    expect(statSync(join(folder, 'out.ipynb')).size).toBeLessThan(4000)
  })

  // The two tests wait for their limits side by side.
  test.concurrent('interrupts a cell at the time limit and keeps what it printed', async () => {
    const { code, stderr, notebook } = await runUpTo(
      [codeCell('console.log("started")\nfor (;;) {}'), codeCell('1')],
      (ran) => shown(ran.notebook)[0]!.startsWith('started\n'),
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/cell 1: Stopped: the time limit of \d+ s for the run was reached/)
    expect(shown(notebook)).toEqual([expect.stringMatching(/^started\n/), ''])
  })

  test.concurrent('leaves background work at the time limit, with its chart as it then stands', async () => {
    const { stderr } = await runUpTo(
      [codeCell(`(globalThis as any)[Symbol.for('shardbook.host')].track('endless', new Promise(() => {}))\n1`)],
      ({ code }) => code === 0,
    )
    expect(stderr).toContain('warning: endless was still running at the time limit')
  })

  test('writes the outputs so far when it is interrupted', async () => {
    let sent = false
    const { code, notebook } = await run(
      [codeCell('console.log("one")'), codeCell('await new Promise(() => {})')],
      [],
      {
        onStderr: (text, kill) => {
          if (sent || !/^\[1\/2\]/m.test(text)) return
          sent = true
          kill('SIGINT')
        },
      },
    )
    expect(code).toBe(1)
    expect(shown(notebook)[0]).toBe('one\n')
  })

  test('starts no npm behind the user: the language server would let it fetch types', async () => {
    const log = join(folder, 'npm.log')
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\necho "$@" >> '${log}'\n`, { mode: 0o755 })
    const env = { PATH: `${folder}:${process.env['PATH']}` }
    const { code } = await run([codeCell('await new Promise((r) => setTimeout(r, 2500))')], [], { env })
    expect(code).toBe(0)
    expect(existsSync(log)).toBe(false)
  })

  test('says what happened when a cell ends its own process, and writes the outputs so far', async () => {
    const { code, stderr, notebook } = await run([
      codeCell('console.log("one")'),
      codeCell('process.kill(process.pid, "SIGKILL")'),
      codeCell('2'),
    ])
    expect(code).toBe(1)
    expect(stderr).toContain('cell 2: ')
    expect(shown(notebook)[0]).toBe('one\n')
  })

  test('writes into the notebook itself by default, and only the page with --html alone', async () => {
    const path = join(folder, 'a.ipynb')
    const before = printNotebook(notebookOf([codeCell('6 * 7')]))
    writeFileSync(path, before)
    expect(await shardbook(['run', path, '--html', join(folder, 'sub', 'a.html')])).toMatchObject({ code: 0 })
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect(readFileSync(join(folder, 'sub', 'a.html'), 'utf8')).toContain('>42</pre>')
    expect(await shardbook(['run', path])).toMatchObject({ code: 0 })
    expect(shown(parseNotebook(readFileSync(path, 'utf8'), path))).toEqual(['42'])
    expect(readdirSync(folder).sort()).toEqual(['a.ipynb', 'sub'])
  })

  test('refuses what it cannot read or write before it runs anything, with exit code 2', async () => {
    const path = join(folder, 'a.ipynb')
    const refuse = async (content: string, args: string[] = []): Promise<string> => {
      writeFileSync(path, content)
      const { code, stderr } = await shardbook(['run', path, ...args])
      expect(code).toBe(2)
      expect(readFileSync(path, 'utf8')).toBe(content)
      return stderr
    }
    const good = printNotebook(notebookOf([codeCell('1')]))
    expect(await refuse('{"cells"')).toMatch(/text that is not JSON/)
    expect(await refuse('{"nbformat": 3}')).toMatch(/got nbformat 3/)
    expect(await refuse(printNotebook(notebookOf([], { kernelspec: { language: 'python' } })))).toMatch(/one in python/)
    expect(await refuse(good, ['--param', 'a'])).toMatch(/expected --param NAME=JSON/)
    expect(await refuse(good, ['--timeout-s', '0'])).toMatch(/seconds > 0, got "0"/)
    expect(await refuse(good, ['--out', folder])).toMatch(/got the folder/)
    expect(await refuse(good, ['--out', join(path, 'below')])).toMatch(/not a directory/i)
    expect(await shardbook(['run', join(folder, 'none.ipynb')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no such file'),
    })
  })

  test('shows an HTML table, a picture and a chart of values that render themselves', async () => {
    const value = (bundle: unknown): string =>
      `({ [Symbol.for('Jupyter.display')]: () => (${JSON.stringify(bundle)}) })`
    const { code, notebook } = await run([
      codeCell(value({ 'image/png': pixel, 'text/plain': 'a dot' })),
      codeCell(value({ 'application/vnd.vegalite.v5+json': lineSpec, 'text/plain': 'a line' })),
    ])
    expect(code).toBe(0)
    expect(shown(notebook)).toEqual(['a dot', 'a line'])
    expect((notebook.cells[1] as CodeCell).outputs[0]).toMatchObject({
      output_type: 'execute_result',
      data: { 'application/vnd.vegalite.v5+json': lineSpec },
    })
  })
})
