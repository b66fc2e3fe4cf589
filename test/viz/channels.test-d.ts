/** Which columns a channel takes, as the compiler sees it. */
import { frame, read } from '../../src/frame/index.js'
import * as viz from '../../src/viz/index.js'

const sales = frame([{ country: 'CH', price: 3.5, sold: new Date(0), units: 2n, vip: true }])
const rows = [{ country: 'CH', price: 3.5 as number | null }]

viz.bar(sales, { x: 'country' })
viz.bar(sales, { x: 'country', y: 'price', color: 'vip' })
viz.bar(sales, { x: 'country', y: { mean: 'price' } })
viz.bar(sales, { x: 'country', y: { count: true } })
viz.bar(sales, { x: { time: 'sold', unit: 'month' }, y: { sum: 'units' } })
viz.bar(rows, { x: 'country', y: { max: 'price' } })
viz.bar({ country: ['CH'], price: Float64Array.of(3) }, { x: 'country', y: { mean: 'price' } })
viz.line(sales, { x: { time: 'sold', unit: 'week' }, y: { median: 'price' }, color: 'country' })
viz.line(sales, { x: 'sold', y: ['price', 'units'] })
viz.histogram(sales, { x: 'sold' })
viz.heatmap(sales, { x: { bin: 'price' }, y: 'country', color: { std: 'price' } })
viz.box(sales, { x: 'country', y: 'price' })
viz.scatter(sales, { x: 'price', y: 'units', density: true })

// @ts-expect-error a misspelt column
viz.bar(sales, { x: 'contry' })
// @ts-expect-error a misspelt column in a statistic
viz.bar(sales, { x: 'country', y: { mean: 'prise' } })
// @ts-expect-error no mean of text
viz.bar(sales, { x: 'country', y: { mean: 'country' } })
// @ts-expect-error no such statistic
viz.bar(sales, { x: 'country', y: { average: 'price' } })
// @ts-expect-error one statistic at a time
viz.bar(sales, { x: 'country', y: { mean: 'price', max: 'price' } })
// @ts-expect-error numbers are no times
viz.line(sales, { x: { time: 'price', unit: 'month' }, y: { mean: 'price' } })
// @ts-expect-error no such unit
viz.line(sales, { x: { time: 'sold', unit: 'fortnight' }, y: { mean: 'price' } })
// @ts-expect-error text has no histogram
viz.histogram(sales, { x: 'country' })
// @ts-expect-error a misspelt column
viz.heatmap(sales, { x: 'country', y: 'vip', color: 'prise' })
// @ts-expect-error a misspelt column of rows
viz.scatter(rows, { x: 'price', y: 'prise' })
// @ts-expect-error a misspelt colour
viz.box(sales, { x: 'contry', y: 'price' })

// A frame whose columns are not known takes any name.
const unknown = await read.csv('unknown.csv')
viz.bar(unknown, { x: 'anything', y: { mean: 'else' } })
viz.histogram(unknown, { x: 'anything' })
