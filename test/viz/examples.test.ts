/** Every example in the documentation of a chart function runs. */
import { readFileSync, readdirSync } from 'node:fs'
import { compileFunction } from 'node:vm'
import { afterAll, describe, expect, it, vi } from 'vitest'
import * as viz from '../../src/viz/index.js'

const folder = new URL('../../src/viz/', import.meta.url)
const examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    return [...text.matchAll(/@example\n \*? *\* ```ts\n([^]*?) \* ```/g)].map(([, code]) => ({
      name,
      code: code!.replaceAll(/^ +\* ?/gm, ''),
    }))
  })

describe('examples', () => {
  const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  afterAll(() => output.mockRestore())

  it('are there for every chart function', () => {
    const code = examples.map((example) => example.code).join('\n')
    const functions = Object.entries(viz).filter(([name, value]) => typeof value === 'function' && name !== 'Chart')
    expect(functions.map(([name]) => name).filter((name) => !code.includes(`viz.${name}`))).toEqual([])
  })

  it.each(examples)('run: $name $code', async ({ code }) => {
    const run = compileFunction(`return (async () => {\n${code}\n})()`, ['viz']) as (scope: typeof viz) => Promise<void>
    await expect(run(viz)).resolves.toBeUndefined()
  })
})
