/** The debugger, as JupyterLab drives it: `debug_request` on the control channel, `debug_event` on iopub. */
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import type { Answer } from './bridge.js'
import { Client, printed, result } from './bridge.js'

interface Response {
  readonly success: boolean
  readonly message?: string
  readonly body: Readonly<Record<string, unknown>>
}

interface Variable {
  readonly name: string
  readonly line: number
  readonly variablesReference: number
}

/** A list in a response's body. */
function list(response: Response | undefined, name: string): Variable[] {
  return response?.body[name] as Variable[]
}

interface Debugged {
  /** The responses of each time that the cell stood, by command. */
  readonly stops: readonly Readonly<Record<string, Response>>[]
  readonly events: readonly { readonly event: string; readonly body: Readonly<Record<string, unknown>> }[]
  readonly reply: Answer['reply']
  readonly printed: string
}

describe.skipIf(missing('python'))('the debugger', () => {
  let client: Client
  let seq = 0
  beforeAll(async () => {
    client = await Client.start()
  })
  afterAll(() => client.close())

  async function ask(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<Response> {
    const content = { type: 'request', seq: ++seq, command, arguments: args }
    const { reply } = await client.ask('debug_request', content, { channel: 'control' })
    expect(reply?.content).toMatchObject({ type: 'response', request_seq: seq, command, success: expect.any(Boolean) })
    return reply!.content as unknown as Response
  }

  /** Runs a cell; each time that it stands, sends the commands of one more entry of `stops`. */
  const run = (code: string, stops: readonly (readonly (readonly [string, object?])[])[]): Promise<Debugged> =>
    client.command({ do: 'debug', code, stops })

  test('is announced, and refuses what needs it before it is attached', async () => {
    const info = await client.ask('kernel_info_request')
    expect(info.reply?.content).toMatchObject({
      debugger: true,
      supported_features: expect.arrayContaining(['debugger']),
    })
    expect((await ask('debugInfo')).body).toMatchObject({ isStarted: false, hashMethod: 'Murmur2', stoppedThreads: [] })
    expect(await ask('inspectVariables')).toMatchObject({
      success: false,
      message: expect.stringContaining('attached'),
    })
    expect(await ask('nonsense')).toMatchObject({ success: false })
  })

  test('attaches', async () => {
    expect((await ask('initialize', { clientID: 'test' })).body).toMatchObject({
      supportsConfigurationDoneRequest: true,
    })
    expect(await ask('attach')).toMatchObject({ success: true })
    expect((await ask('debugInfo')).body).toMatchObject({ isStarted: true })
    expect(await ask('configurationDone')).toMatchObject({ success: true })
    expect((await ask('threads')).body).toEqual({ threads: [{ id: 1, name: expect.any(String) }] })
  })

  const code = `const outer: number = 40
function add(a: number, b: number): number {
  const sum = a + b
  return sum
}
interface Nothing { x: 1 }
const total = add(outer, 2)
console.log(total)
total`

  test('stops a cell at a breakpoint, shows its frames and variables, and lets it go on', async () => {
    const { sourcePath } = (await ask('dumpCell', { code })).body
    const { breakpoints } = (await ask('setBreakpoints', { source: { path: sourcePath }, breakpoints: [{ line: 4 }] }))
      .body
    expect(breakpoints).toMatchObject([{ verified: true, line: 4 }])
    const elsewhere = await ask('setBreakpoints', { source: { path: '/elsewhere.ts' }, breakpoints: [{ line: 1 }] })
    expect(elsewhere.body['breakpoints']).toMatchObject([{ verified: false }])
    const debugged = await run(code, [
      [
        ['stackTrace', { threadId: 1 }],
        ['scopes', { frameId: 0 }],
        ['variables', { variablesReference: 'Locals' }],
        ['evaluate', { expression: 'sum + outer', frameId: 0 }],
        ['evaluate', { expression: 'nowhere', frameId: 0 }],
        ['richInspectVariables', { variableName: 'sum', frameId: 0 }],
        ['continue', { threadId: 1 }],
      ],
    ])
    expect(debugged.events.map(({ event }) => event)).toEqual(['stopped', 'continued'])
    expect(debugged.events[0]!.body).toEqual({ reason: 'breakpoint', threadId: 1, allThreadsStopped: true })
    const [stop] = debugged.stops
    expect(stop!['stackTrace']!.body['stackFrames']).toMatchObject([
      { name: 'add', line: 4, source: { path: sourcePath } },
      { name: expect.stringMatching(/^Cell\[\d+\]$/), line: 7, source: { path: sourcePath } },
    ])
    expect(list(stop!['scopes'], 'scopes').map(({ name }) => name)).toEqual(['Locals', 'Notebook'])
    expect(stop!['variables']!.body['variables']).toMatchObject([
      { name: 'a', value: '40', variablesReference: 0 },
      { name: 'b', value: '2' },
      { name: 'sum', value: '42' },
    ])
    expect(stop!['evaluate']!).toMatchObject({ success: true, body: { result: '82', type: 'number' } })
    expect(stop!['evaluate:nowhere']!).toMatchObject({
      success: false,
      message: expect.stringContaining('nowhere is not defined'),
    })
    expect(stop!['richInspectVariables']!.body).toMatchObject({ data: { 'text/plain': '42' } })
    expect(debugged.printed).toBe('42\n')
    expect(debugged.reply?.content['status']).toBe('ok')
  })

  test('steps over, into and out, a line of the cell at a time', async () => {
    const path = (await ask('dumpCell', { code })).body['sourcePath'] as string
    await ask('setBreakpoints', { source: { path }, breakpoints: [{ line: 7 }] })
    const lines = [['stackTrace', { threadId: 1 }]] as const
    const debugged = await run(code, [
      [...lines, ['stepIn', { threadId: 1 }]],
      [...lines, ['next', { threadId: 1 }]],
      [...lines, ['stepOut', { threadId: 1 }]],
      [...lines, ['next', { threadId: 1 }]],
      [...lines, ['continue', { threadId: 1 }]],
    ])
    const at = debugged.stops.map((stop) => list(stop['stackTrace'], 'stackFrames')[0]!.line)
    expect(at).toEqual([7, 3, 4, 7, 8])
    expect(debugged.events.filter(({ event }) => event === 'stopped').map(({ body }) => body['reason'])).toEqual([
      'breakpoint',
      'step',
      'step',
      'step',
      'step',
    ])
  })

  test('keeps to conditions, and to breakpoints in functions of earlier cells', async () => {
    const loop = 'function twice(n: number): number {\n  return n * 2\n}'
    const path = (await ask('dumpCell', { code: loop })).body['sourcePath'] as string
    await client.execute(loop)
    const wanted = { source: { path }, breakpoints: [{ line: 2, condition: 'n === 3' }] }
    expect((await ask('setBreakpoints', wanted)).body['breakpoints']).toMatchObject([{ line: 2 }])
    const debugged = await run('[1, 2, 3, 4].map((n) => twice(n))', [
      [
        ['evaluate', { expression: 'n', frameId: 0 }],
        ['continue', {}],
      ],
    ])
    expect(debugged.stops).toHaveLength(1)
    expect(debugged.stops[0]!['evaluate']!.body['result']).toBe('3')
    expect((await ask('setBreakpoints', { source: { path }, breakpoints: [] })).body['breakpoints']).toEqual([])
    expect(result(await client.execute('twice(3)'))).toBe('6')
  })

  test('a log point prints and does not stop', async () => {
    const loop = 'function thrice(n: number): number {\n  return n * 3\n}\n[1, 2, 3].map((n) => thrice(n)).length'
    const path = (await ask('dumpCell', { code: loop })).body['sourcePath'] as string
    const breakpoints = [{ line: 2, condition: 'n > 1', logMessage: 'got `{n}`, gives {n * 3}' }]
    await ask('setBreakpoints', { source: { path }, breakpoints })
    const debugged = await run(loop, [])
    expect(debugged.stops).toEqual([])
    expect(debugged.printed).toBe('got `2`, gives 6\ngot `3`, gives 9\n')
    await ask('setBreakpoints', { source: { path }, breakpoints: [] })
  })

  test('stops in a module that a cell imports, before and after it is loaded, and after it has changed', async () => {
    const path = join(client.folder, 'area.ts')
    const write = async (text: string, second: number): Promise<void> => {
      await writeFile(path, text)
      await utimes(path, second, second)
    }
    const body = 'export function area(side: number): number {\n  const square = side ** 2\n  return square\n}\n'
    await write(`interface Unused {\n  a: 1\n}\n${body}`, 1000)
    const set = async (line: number): Promise<unknown> =>
      (await ask('setBreakpoints', { source: { path }, breakpoints: [{ line }] })).body['breakpoints']
    expect(await set(6)).toMatchObject([{ verified: true, line: 6 }])
    const look = [
      ['stackTrace', { threadId: 1 }],
      ['evaluate', { expression: 'square', frameId: 0 }],
      ['continue', {}],
    ] as const
    const cell = "import { area } from './area.ts'\narea(3)"
    const top = ({ stops }: Debugged): unknown => [
      list(stops[0]?.['stackTrace'], 'stackFrames')[0],
      stops[0]?.['evaluate']!.body['result'],
    ]
    expect(top(await run(cell, [look]))).toMatchObject([{ name: 'area', line: 6, source: { path } }, '9'])
    expect(top(await run('area(4)', [look]))).toMatchObject([{ line: 6 }, '16'])
    expect((await ask('modules')).body['modules']).toMatchObject([{ name: 'area.ts', path }])
    expect((await ask('source', { source: { path } })).body['content']).toContain('interface Unused')
    await write(body, 2000)
    expect(await set(3)).toMatchObject([{ verified: true, line: 3 }])
    expect(top(await run(cell, [look]))).toMatchObject([{ line: 3 }, '9'])
    await write(`// more\n${body}`, 3000)
    // The line that is wanted is another statement now.
    const moved = await run(cell, [[look[0], look[2]]])
    expect(list(moved.stops[0]!['stackTrace'], 'stackFrames')[0]).toMatchObject({ line: 3, source: { path } })
    await ask('setBreakpoints', { source: { path }, breakpoints: [] })
    expect(result(await client.execute('area(5)'))).toBe('25')
  })

  test('shows the notebook’s variables between cells', async () => {
    await client.execute('const deep = { list: [1, [2]], text: "x" }\nconst long = new Float32Array(1e6)')
    const variables = list(await ask('inspectVariables'), 'variables')
    const deep = variables.find(({ name }) => name === 'deep')!
    expect(deep).toMatchObject({ value: 'Object', type: 'Object' })
    const inside = await ask('variables', { variablesReference: deep.variablesReference })
    expect(inside.body['variables']).toMatchObject([
      { name: 'list', value: 'Array(2)' },
      { name: 'text', value: '"x"', variablesReference: 0 },
    ])
    const long = variables.find(({ name }) => name === 'long')!
    const elements = await ask('variables', { variablesReference: long.variablesReference })
    expect(elements.body['variables']).toHaveLength(100)
    const rich = await ask('richInspectVariables', { variableName: 'deep' })
    expect(rich.body['data']).toMatchObject({ 'text/plain': expect.stringContaining("text: 'x'") })
    expect((await ask('evaluate', { expression: 'deep.list.length' })).body['result']).toBe('2')
  })

  test('an interrupt ends a cell that stands at a breakpoint, and the state stays', async () => {
    const spin = 'let n = 0\nwhile (true) {\n  n++\n}'
    const path = (await ask('dumpCell', { code: spin })).body['sourcePath'] as string
    await ask('setBreakpoints', { source: { path }, breakpoints: [{ line: 3 }] })
    const answer = await client.execute(spin, { interruptAt: 'stopped' })
    expect(answer.reply?.content['ename']).toBe('KeyboardInterrupt')
    await ask('setBreakpoints', { source: { path }, breakpoints: [] })
    expect(result(await client.execute('outer'))).toBe('40')
  })

  test('goes on with the next session when one ends', async () => {
    expect((await client.execute('process.exit(3)')).reply?.content['ename']).toBe('SessionEnded')
    const debugged = await run(code, [[['continue', {}]]])
    expect(debugged.stops).toHaveLength(1)
    expect(debugged.printed).toBe('42\n')
  })

  test('detaches, and cells run through', async () => {
    expect(await ask('disconnect')).toMatchObject({ success: true })
    expect((await ask('debugInfo')).body).toMatchObject({ isStarted: false })
    const answer = await client.execute(code)
    expect(printed(answer, 'stdout')).toBe('42\n')
    expect((await client.execute('process.exit(4)')).reply?.content['evalue']).toContain('code 4')
  })
})
