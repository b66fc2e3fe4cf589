/** The images of a confusion matrix's cells, below it: a click on a cell shows some of those that are in it. */
import type { ChartSource } from './chart.js'
import { pictureUrl } from './grid.js'
import { brightness } from './images.js'
import type { JsonObject, Spec } from './json.js'
import type { Category } from './query.js'
import { withScaleNames } from './scale-names.js'
import { nameOf } from './table.js'
import { checkTensor, imagesOf } from './tensor.js'
import { colours } from './theme.js'

/** Most rows whose images are looked at. */
export const rowsLookedAt = 20_000
/** Images that travel: of a cell, and in all; errors come first. */
const [picturesACell, pictures] = [10, 240]
const sidePx = 44

export function nameOfKey(key: Category | number): string {
  return typeof key === 'number' ? String(key) : key.name
}

/** The matrix with the images of its rows: label, prediction and image. */
export function withPictures(
  caller: string,
  { spec, text }: ChartSource,
  rows: readonly (readonly unknown[])[],
): ChartSource {
  const named = rows.map(([label, prediction, image]) => ({ a: nameOf(label), p: nameOf(prediction), image }))
  const cells = new Map<string, number>()
  const chosen = named
    .toSorted((a, b) => Number(a.a === a.p) - Number(b.a === b.p))
    .flatMap(({ a, p, image }) => {
      const key = JSON.stringify([a, p])
      const place = cells.get(key) ?? 0
      cells.set(key, place + 1)
      return place < picturesACell ? [{ a, p, image, place }] : []
    })
    .slice(0, pictures)
  const decoded = chosen.map(({ image, ...cell }, i) => {
    checkTensor(caller, `the image of row ${i}`, image)
    return { ...cell, image: imagesOf(caller, `the image of row ${i}`, image)[0]! }
  })
  const range = brightness(decoded.map(({ image }) => image))
  const values = decoded.map(({ a, p, place, image }): JsonObject => ({ a, p, place, url: pictureUrl(image, range) }))
  const first = mostFrequentError(spec) ?? { a: values[0]?.['a'] ?? '', p: values[0]?.['p'] ?? '' }
  const { title, layer, ...rest } = withScaleNames(spec, 'concat_0')
  const isChosen: JsonObject = { param: 'cell' }
  const place = (field: JsonObject): JsonObject => ({ ...field, scale: null, axis: null })
  return {
    text: `${text}\nclick a cell to see its images`,
    spec: {
      title: captioned(title as JsonObject),
      spacing: 14,
      vconcat: [
        {
          ...rest,
          layer: [
            ...(layer as readonly JsonObject[]),
            {
              params: [{ name: 'cell', select: { type: 'point', fields: ['a', 'p'] }, value: [first] }],
              mark: { type: 'rect', fillOpacity: 0, strokeWidth: 2, cursor: 'pointer' },
              encoding: { stroke: { condition: { test: isChosen, value: colours.ink }, value: 'transparent' } },
            },
          ],
        },
        {
          width: picturesACell * (sidePx + 4),
          height: sidePx + 14,
          data: { values },
          transform: [
            { filter: isChosen },
            { calculate: `datum.place * ${sidePx + 4}`, as: 'x' },
            { calculate: "datum.a + ' taken for ' + datum.p", as: 'what' },
          ],
          layer: [
            {
              mark: { type: 'image', width: sidePx, height: sidePx, align: 'left', baseline: 'top' },
              encoding: {
                x: place({ field: 'x', type: 'quantitative' }),
                y: { value: 14 },
                url: { field: 'url', type: 'nominal' },
              },
            },
            {
              transform: [{ filter: 'datum.place === 0' }],
              mark: { type: 'text', align: 'left', baseline: 'top', fontSize: 11 },
              encoding: { x: { value: 0 }, y: { value: 0 }, text: { field: 'what', type: 'nominal' } },
            },
          ],
        },
      ],
    },
  }
}

function mostFrequentError(spec: Spec): JsonObject | undefined {
  const { values } = spec['data'] as { readonly values: readonly JsonObject[] }
  const [most] = values
    .filter((cell) => cell['a'] !== cell['p'] && Number(cell['n']) > 0)
    .toSorted((a, b) => Number(b['n']) - Number(a['n']))
  return most === undefined ? undefined : { a: most['a']!, p: most['p']! }
}

function captioned(title: JsonObject): JsonObject {
  return { ...title, subtitle: [String(title['subtitle'] ?? ''), 'click a cell to see its images'] }
}
