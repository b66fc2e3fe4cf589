/** What every chart must hold. `UPDATE_GOLDEN=1` writes the golden specifications anew (then format them). */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import type { Chart } from '../../src/viz/index.js'
import { renderSvg } from '../../src/viz/render.js'
import { pixelsOf } from './pixels.js'
import { samples } from './samples.js'

const golden = new URL('golden/', import.meta.url)
const schema = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('vega-lite/vega-lite-schema.json'), 'utf8'),
) as object
const validate = new Ajv({ strict: false, logger: false }).compile(schema)

describe.each(Object.keys(samples))('%s', (name) => {
  const make = (): Promise<Chart> => samples[name]!().ready()

  it('has the specification that it had', async () => {
    const spec = portable((await make()).spec)
    const file = new URL(`${name}.json`, golden)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, JSON.stringify(spec))
    expect(spec).toEqual(JSON.parse(readFileSync(file, 'utf8')))
  })

  it("is valid by Vega-Lite's schema", async () => {
    const valid = validate(JSON.parse(JSON.stringify((await make()).spec)))
    expect(validate.errors ?? []).toEqual([])
    expect(valid).toBe(true)
  })

  it('draws without a warning', async () => {
    const warnings: string[] = []
    const svg = await renderSvg((await make()).spec, (message) => warnings.push(message))
    expect(warnings).toEqual([])
    expect(svg).toMatch(/^<svg/)
  })

  it('is a picture that is not blank', async () => {
    const pixels = pixelsOf(await (await make()).png({ scale: 1 }))
    expect(pixels.width).toBeLessThanOrEqual(760)
    expect(pixels.width).toBeGreaterThan(80)
    expect(pixels.colours).toBeGreaterThan(20)
  })

  it('is the same every time, and frozen', async () => {
    const { spec } = await make()
    expect((await make()).spec).toEqual(spec)
    expect(Object.isFrozen(spec)).toBe(true)
    expect(Object.isFrozen(spec['config'])).toBe(true)
  })

  it('says in words what it shows', async () => {
    const { spec, text } = await make()
    expect(text.length).toBeGreaterThan(5)
    expect(spec['description']).toBe(text)
  })
})

it('has no golden specification of a chart that is gone', () => {
  expect(existsSync(golden)).toBe(true)
  expect(readdirSync(golden).toSorted()).toEqual(
    Object.keys(samples)
      .map((name) => `${name}.json`)
      .toSorted(),
  )
})

/** Sorted keys, rounded numbers; of pictures only that they are there, as compression differs between versions. */
function portable(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(4))
  if (typeof value === 'string') return value.replace(/^data:image\/png;base64,.*/s, 'data:image/png')
  if (Array.isArray(value)) return value.map(portable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'config')
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, content]) => [key, portable(content)]),
  )
}
