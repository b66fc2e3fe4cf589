/**
 * What VS Code's Jupyter extension sends, in its order and with its fields (microsoft/vscode-jupyter, `src/kernels`,
 * `src/standalone/intellisense` and `src/notebooks/debugger`), through a client that checks every answer.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import type { Answer, AskOptions } from './bridge.js'
import { Client, outputs, printed, result } from './bridge.js'

const header = { version: '5.2', username: '' }
const control = { header, channel: 'control' } as const

describe.skipIf(missing('python'))('VS Code', () => {
  let client: Client
  let debugSeq = 0
  beforeAll(async () => {
    client = await Client.start()
  })
  afterAll(() => client.close())

  const ask = (type: string, content: object, options: AskOptions = { header }): Promise<Answer> =>
    client.ask(type, { ...content }, options)

  /** Runs a cell as its notebook editor does. */
  const runCell = (code: string, options: AskOptions = {}): Promise<Answer> => {
    const content = { code, silent: false, stop_on_error: false, allow_stdin: true, store_history: true }
    return ask('execute_request', content, {
      header,
      metadata: { cellId: 'vscode-notebook-cell:/n.ipynb#W0' },
      ...options,
    })
  }

  /** Runs code of its own, as it does before and after the user's. */
  const runSilently = (code: string): Promise<Answer> => {
    const content = { code, silent: false, stop_on_error: false, allow_stdin: true, store_history: false }
    return ask('execute_request', content)
  }

  const debug = async (command: string, args: object = {}): Promise<Record<string, unknown>> => {
    const content = { type: 'request', seq: ++debugSeq, command, arguments: args }
    const { reply } = await ask('debug_request', content, control)
    expect(reply?.content).toMatchObject({ type: 'response', success: true, command, request_seq: debugSeq })
    return reply!.content['body'] as Record<string, unknown>
  }

  test('learns the language, and that it can debug', async () => {
    for (const options of [{ header }, control]) {
      const { reply } = await ask('kernel_info_request', {}, options)
      expect(reply?.content).toMatchObject({
        status: 'ok',
        protocol_version: expect.stringMatching(/^5\./),
        language_info: { name: 'typescript', file_extension: '.ts', mimetype: 'text/typescript' },
        supported_features: expect.arrayContaining(['debugger']),
      })
    }
    expect((await ask('comm_info_request', { target_name: 'jupyter.widget' })).reply?.content).toEqual({
      status: 'ok',
      comms: {},
    })
  })

  test('its own code neither counts nor stays in the history', async () => {
    const own = await runSilently('process.cwd()')
    expect(own.reply?.content).toMatchObject({ status: 'ok', execution_count: 0 })
    expect(result(own)).toContain('shardbook-kernel-')
    const cell = await runCell('const rows: number[] = [3, 1, 2]')
    expect(cell.reply?.content).toMatchObject({ status: 'ok', execution_count: 1 })
    const { reply } = await ask('history_request', {
      hist_access_type: 'range',
      raw: true,
      output: false,
      session: 0,
      start: 0,
      stop: 99,
    })
    expect(reply?.content['history']).toEqual([[expect.any(Number), 1, 'const rows: number[] = [3, 1, 2]']])
  })

  test('a cell that fails does not abort the ones behind it', async () => {
    expect(await client.command({ do: 'queue', codes: ['rows.nothing', 'rows.length'], stop: false })).toEqual([
      'error',
      'ok',
    ])
  })

  test('completes at an offset of the document, with kinds that it knows, and resolves the chosen one', async () => {
    const code = 'enum Colour { Red }\nrows.so'
    const { reply } = await ask('complete_request', { code, cursor_pos: code.length })
    const { matches, metadata, cursor_start, cursor_end } = reply!.content as {
      matches: string[]
      cursor_start: number
      cursor_end: number
      metadata: { _jupyter_types_experimental: { text: string; type: string; start: number; end: number }[] }
    }
    expect([cursor_start, cursor_end]).toEqual([code.length - 2, code.length])
    expect(matches).toEqual(['some', 'sort'])
    // Its list shows these only where there is one for each match.
    expect(metadata._jupyter_types_experimental).toMatchObject(
      matches.map((text) => ({ text, type: 'method', start: cursor_start, end: cursor_end })),
    )
    const enums = await ask('complete_request', { code: 'enum Colour { Red }\nColour.R', cursor_pos: 28 })
    expect(enums.reply?.content['metadata']).toMatchObject({ _jupyter_types_experimental: [{ type: 'enumMember' }] })
    const resolved = await ask('inspect_request', { code: 'rows.sort', cursor_pos: 9, detail_level: 0 })
    expect(resolved.reply?.content).toMatchObject({ status: 'ok', found: true })
    const { 'text/plain': text } = resolved.reply!.content['data'] as Record<string, string>
    expect(text).toMatch(/sort\(.*\): number\[\]/)
    expect(text).toContain('Sorts an array in place')
  })

  test('an offset that it counts in UTF-16 beyond the text is the end of the text', async () => {
    const code = "const face = '😀'\nrows.so"
    const { reply } = await ask('complete_request', { code, cursor_pos: code.length })
    expect(reply?.content['matches']).toEqual(['some', 'sort'])
  })

  test('answers a question that a cell asks', async () => {
    const code = "const host = (globalThis as any)[Symbol.for('shardbook.host')]\nawait host.prompt('Name?')"
    const answer = await runCell(code, { answers: ['Ada'] })
    expect(answer.questions).toEqual([{ content: { prompt: 'Name?', password: false }, isOurs: true }])
    expect(result(answer)).toBe("'Ada'")
  })

  test('interrupts by message, and the state stays', async () => {
    const answer = await runCell("console.log('on'); while (true) {}", { interruptAfterMs: 300 })
    expect(answer.reply?.content).toMatchObject({ status: 'error', ename: 'KeyboardInterrupt' })
    expect(printed(answer, 'stdout')).toBe('on\n')
    expect(result(await runCell('rows.length'))).toBe('3')
  })

  test('debugs a cell', async () => {
    const code = 'const doubled = rows.map((row) => row * 2)\ndoubled.length'
    await debug('initialize', {
      clientID: 'vscode',
      clientName: 'Visual Studio Code',
      adapterID: 'jupyter-notebook',
      pathFormat: 'path',
      linesStartAt1: true,
      columnsStartAt1: true,
      supportsVariableType: true,
      supportsRunInTerminalRequest: true,
      locale: 'en',
    })
    expect(await debug('debugInfo')).toMatchObject({ stoppedThreads: [] })
    await debug('attach', { type: 'Python Kernel Debug Adapter', name: 'n.ipynb', request: 'attach', justMyCode: true })
    const { sourcePath } = await debug('dumpCell', { code })
    const set = {
      source: { name: 'n.ipynb', path: sourcePath },
      lines: [2],
      breakpoints: [{ line: 2 }],
      sourceModified: false,
    }
    expect(await debug('setBreakpoints', set)).toMatchObject({ breakpoints: [{ verified: true, line: 2 }] })
    await debug('configurationDone')
    const debugged = await client.command<{ stops: Record<string, { body: unknown }>[]; reply: Answer['reply'] }>({
      do: 'debug',
      code,
      stops: [
        [
          ['threads', {}],
          ['stackTrace', { threadId: 1, startFrame: 0, levels: 20 }],
          ['scopes', { frameId: 0 }],
          ['evaluate', { expression: 'doubled[0]', frameId: 0, context: 'hover' }],
          ['continue', { threadId: 1 }],
        ],
      ],
    })
    expect(debugged.stops).toHaveLength(1)
    expect(debugged.stops[0]!['stackTrace']!.body).toMatchObject({
      stackFrames: [{ line: 2, source: { path: sourcePath } }],
    })
    expect(debugged.stops[0]!['evaluate']!.body).toMatchObject({ result: '6' })
    expect(debugged.reply?.content['status']).toBe('ok')
    await debug('disconnect', { restart: false })
    // It cleans up in Python, whatever the kernel's language.
    const cleaning = await runSilently(`import os\n_VSCODE_fileList = ["${String(sourcePath)}"]\ndel _VSCODE_fileList`)
    expect(cleaning.reply?.content['status']).toBe('error')
    expect(outputs(await runCell('rows.length'))).toMatchObject([{ type: 'execute_result' }])
  })
})
