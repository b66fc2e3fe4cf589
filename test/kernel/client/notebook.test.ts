/** A notebook in its folder: packages, local modules, the user's tsconfig, magics, tslab, through a real client. */
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing } from '../../needs.js'
import type { Answer } from './bridge.js'
import { Client, outputs, printed, result } from './bridge.js'

describe.skipIf(missing('python'))('a notebook in its folder', () => {
  let client: Client
  beforeAll(async () => {
    client = await Client.start()
  })
  afterAll(async () => {
    await client.close()
  })

  const message = (answer: Answer): string => String(answer.reply?.content['evalue'] ?? 'ok')

  /** Writes a file whose time of change is `second`: clocks of file systems are coarse. */
  async function write(name: string, text: string, second: number): Promise<void> {
    await writeFile(join(client.folder, name), text)
    await utimes(join(client.folder, name), second, second)
  }

  test('checks cells as the tsconfig beside it says, from the next cell on', async () => {
    expect(message(await client.execute('const loose = (x) => x'))).toContain('TS7006')
    const compilerOptions = { noImplicitAny: false, noUncheckedIndexedAccess: true, paths: { '@own/*': ['./own/*'] } }
    await write('tsconfig.json', `// mine\n${JSON.stringify({ compilerOptions })}`, 1000)
    await mkdir(join(client.folder, 'own'))
    await write('own/types.ts', 'export interface Size { width: number }', 1000)
    expect(message(await client.execute('const loose = (x) => x'))).toBe('ok')
    expect(message(await client.execute('const n: number = [1][0]'))).toContain("'number | undefined'")
    expect(
      message(await client.execute("import type { Size } from '@own/types'\nconst s: Size = { width: '1' }")),
    ).toContain('TS2322')
  })

  test("runs imports by the tsconfig's aliases, in cells and in modules, as they are on disk now", async () => {
    const paths = { '@own/*': ['./nowhere/*', './own/*'], '@sizes': ['./own/sizes.ts'] }
    await write('tsconfig.json', JSON.stringify({ compilerOptions: { paths } }), 3000)
    await write('own/unit.ts', 'export const unit = 3', 1000)
    await write('own/sizes.ts', "import { unit } from '@own/unit'\nexport const size = 2 * unit", 1000)
    const cell = "import { size } from '@sizes'\nimport { unit } from '@own/unit.js'\n[size, unit]"
    expect(result(await client.execute(cell))).toBe('[ 6, 3 ]')
    await write('own/unit.ts', 'export const unit = 4', 2000)
    expect(result(await client.execute(cell))).toBe('[ 8, 4 ]')
    expect(result(await client.execute("(await import('@own/unit')).unit"))).toBe('4')
    await write('tsconfig.json', JSON.stringify({ compilerOptions: { paths: { '@mine/*': ['./own/*'] } } }), 4000)
    expect(result(await client.execute("import { unit as mine } from '@mine/unit'\nmine"))).toBe('4')
    expect(message(await client.execute("import { unit as gone } from '@own/unit'"))).toContain('TS2307')
  })

  test('imports a local module anew after it, or what it imports, has changed: types and values', async () => {
    await write('inner.ts', 'export const inner = 2', 1000)
    await write('outer.ts', "import { inner } from './inner'\nexport const outer = inner + 1", 1000)
    const cell = "import { outer } from './outer.ts'\nouter"
    expect(result(await client.execute(cell))).toBe('3')
    await write('inner.ts', "export const inner = 'text'", 2000)
    expect(result(await client.execute(cell))).toBe("'text1'")
    expect(message(await client.execute('outer.toFixed()'))).toContain('TS2551')
  })

  test('keeps the state of a local module that has not changed', async () => {
    await write('counter.ts', 'export const seen: number[] = []', 1000)
    await client.execute("import { seen } from './counter.ts'\nseen.push(1)")
    expect(result(await client.execute("import { seen } from './counter.ts'\nseen.push(1)"))).toBe('2')
  })

  test('installs a package that the same cell, and later ones, import with its types', async () => {
    const folder = join(client.folder, 'made-here')
    await mkdir(folder)
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({
        name: 'made-here',
        version: '1.0.0',
        type: 'module',
        exports: './index.js',
        types: './index.d.ts',
        scripts: { install: 'touch ../script-ran' },
      }),
    )
    await writeFile(join(folder, 'index.js'), 'export const half = (n) => n / 2')
    await writeFile(join(folder, 'index.d.ts'), 'export declare const half: (n: number) => number')
    const before = await client.execute("import { half } from 'made-here'")
    expect(message(before)).toContain("Cannot find module 'made-here'")
    expect(message(before)).toContain('%npm install made-here adds it.')
    const answer = await client.execute("%npm install ./made-here\nimport { half } from 'made-here'\nhalf(8)")
    expect(result(answer)).toBe('4')
    expect(printed(answer, 'stdout')).toContain('added 1 package')
    expect(message(await client.execute("half('8')"))).toMatch(/^Cell\[\d+\]:1:6 - TS2345/)
    expect(result(await client.execute("import { existsSync } from 'node:fs'\nexistsSync('script-ran')"))).toBe('false')
  })

  test('says where a missing name comes from, and that JSX is off', async () => {
    expect(message(await client.execute("read.csv('x')"))).toContain("import { read } from 'shardbook' brings it.")
    expect(message(await client.execute("readFileSync('x')"))).toContain(
      "import { readFileSync } from 'node:fs' brings it.",
    )
    expect(message(await client.execute('const a = 1\nconst e = <div/>'))).toMatch(
      /^Cell\[\d+\]:2:11 - JSX: .*without JSX/,
    )
  })

  test('runs magics, with the lines of everything else kept', async () => {
    const answer = await client.execute('!echo from the shell\n%time const t = 1\nconst wrong: string = t')
    expect(message(answer)).toMatch(/^Cell\[\d+\]:3:7 - TS2322/)
    expect(printed(answer, 'stdout')).toBe('')
    expect(printed(await client.execute('!echo from the shell'), 'stdout')).toBe('from the shell\n')
    const failing = await client.execute('!true\n%time null!.x')
    expect(String(failing.reply?.content['traceback'])).toMatch(/Cell\[\d+\]:2:13/)
    expect(message(await client.execute('%tme 1'))).toContain('Did you mean %time?')
  })

  test('a command is interrupted', async () => {
    const answer = await client.execute('!echo begun; sleep 60', { interruptAt: 'begun' })
    expect(answer.reply?.content['ename']).toBe('KeyboardInterrupt')
    expect(printed(answer, 'stdout')).toContain('begun')
    expect(answer.ms).toBeLessThan(30_000)
  })

  test('%load puts a file in the place of the cell, %reset forgets the names', async () => {
    await write('snippet.ts', 'const loaded = 1', 1000)
    const { reply } = await client.execute('%load snippet.ts')
    expect(reply?.content['payload']).toEqual([{ source: 'set_next_input', text: 'const loaded = 1', replace: true }])
    await client.execute('const forgotten = 1')
    expect(message(await client.execute('%reset'))).toBe('ok')
    expect(message(await client.execute('forgotten'))).toContain("Cannot find name 'forgotten'")
    expect(result(await client.execute('const forgotten = "new"; forgotten'))).toBe("'new'")
  })

  test('magics are complete, completed and inspected', async () => {
    expect((await client.ask('is_complete_request', { code: '%time f(' })).reply?.content['status']).toBe('incomplete')
    expect((await client.ask('is_complete_request', { code: '!ls -la' })).reply?.content['status']).toBe('complete')
    const { reply } = await client.ask('complete_request', { code: '%ti', cursor_pos: 3 })
    expect(reply?.content).toMatchObject({ matches: ['%time', '%timeit'], cursor_start: 0, cursor_end: 3 })
    const members = await client.ask('complete_request', { code: "%time 'x'.charA", cursor_pos: 15 })
    expect(members.reply?.content['matches']).toEqual(['charAt'])
    expect(JSON.stringify(members.reply?.content['metadata'])).toContain('Returns the character at the specified index')
    const help = await client.ask('inspect_request', { code: '%timeit 1', cursor_pos: 3 })
    expect(JSON.stringify(help.reply?.content['data'])).toContain('runs code many times')
  })

  test('inspecting inside a call shows its signature and the parameter', async () => {
    const { reply } = await client.ask('inspect_request', { code: "'x'.padStart(1, )", cursor_pos: 16 })
    const text = JSON.stringify(reply?.content['data'])
    expect(text).toMatch(/padStart\(\w+: number, \w+\?: string\): string/)
    expect(text).toMatch(/string to pad the current/)
  })

  test("tslab's displays are this kernel's", async () => {
    const installed = await client.execute('%npm install tslab@1.0.22', { timeoutMs: 120_000 })
    expect(message(installed)).toBe('ok')
    const answer = await client.execute(
      "import * as tslab from 'tslab'\ntslab.display.html('<b>x</b>')\nconst shown = tslab.newDisplay()\nshown.text('one')\nshown.text('two')\ntslab.display.png(new Uint8Array([1, 2, 3]))",
    )
    expect(outputs(answer).map(({ type, content }) => [type, content['data']])).toEqual([
      ['display_data', { 'text/html': '<b>x</b>' }],
      ['display_data', { 'text/plain': 'one' }],
      ['update_display_data', { 'text/plain': 'two' }],
      ['display_data', { 'image/png': 'AQID' }],
    ])
    const typed = await client.execute('tslab.display.html(1)')
    expect(message(typed)).toContain('TS2345')
  })
})
