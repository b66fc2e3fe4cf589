/**
 * nodejs-polars and arquero on the tables of the frame's benchmark: `LIBRARY QUESTION` in, milliseconds out. arquero reads no
 * Parquet: it has its tables in memory, computed as the file's were.
 */
const { createInterface } = require('node:readline')
const { createRequire } = require('node:module')

const [packages, library = '', rows, dims] = process.argv.slice(2)
const load = createRequire(`${packages}/x.js`)

/** @type {Record<string, () => Promise<Record<string, () => unknown>>>} */
const libraries = {
  async polars() {
    const pl = load('nodejs-polars')
    return {
      filter: () =>
        pl
          .scanParquet(rows)
          .filter(pl.col('x').gt(0.5))
          .groupBy('k')
          .agg(pl.col('x').count().alias('n'), pl.col('y').mean().alias('mean'), pl.col('z').sum().alias('total'))
          .sort('k')
          .collect(),
      join: () =>
        pl
          .scanParquet(rows)
          .join(pl.scanParquet(dims), { on: 'fk' })
          .groupBy('g')
          .agg(pl.col('x').count().alias('n'), pl.col('x').mul(pl.col('weight')).sum().alias('total'))
          .sort('g')
          .collect(),
    }
  },
  async arquero() {
    const aq = await import(load.resolve('arquero'))
    /** @type {(factor: number) => (i: number) => number} */
    const hash = (factor) => (i) => Math.imul(i, factor) >>> 0
    /** @type {(factor: number) => (i: number) => number} */
    const share = (factor) => (i) => hash(factor)(i) / 4294967296
    /** @type {(Type: Int32ArrayConstructor | Float64ArrayConstructor, length: number, of: (i: number) => number) => ArrayLike<number>} */
    const column = (Type, length, of) => {
      const values = new Type(length)
      for (let i = 0; i < length; i++) values[i] = of(i)
      return values
    }
    const n = 1e7
    const table = aq.table({
      k: column(Int32Array, n, (i) => hash(2654435761)(i) % 1000),
      fk: column(Int32Array, n, (i) => hash(2246822519)(i) % 1000000),
      x: column(Float64Array, n, share(2654435761)),
      y: column(Float64Array, n, share(2246822519)),
      z: column(Float64Array, n, share(3266489917)),
    })
    const small = aq.table({
      fk: column(Int32Array, 1e6, (i) => i),
      g: column(Int32Array, 1e6, (i) => hash(2654435761)(i) % 100),
      weight: column(Float64Array, 1e6, share(2246822519)),
    })
    const { op } = aq
    return {
      filter: () =>
        table
          .filter(/** @param {{ x: number }} d */ (d) => d.x > 0.5)
          .groupby('k')
          .rollup({ n: op.count(), mean: op.mean('y'), total: op.sum('z') })
          .orderby('k')
          .reify(),
      join: () =>
        table
          .join(small, 'fk')
          .groupby('g')
          .rollup({
            n: op.count(),
            total: /** @param {{ x: number, weight: number }} d */ (d) => op.sum(d.x * d.weight),
          })
          .orderby('g')
          .reify(),
    }
  },
}

async function main() {
  const questions = await /** @type {() => Promise<Record<string, () => unknown>>} */ (libraries[library])()
  console.log(`READY ${library} ${load(`${library === 'polars' ? 'nodejs-polars' : library}/package.json`).version}`)
  for await (const line of createInterface({ input: process.stdin })) {
    const start = performance.now()
    await questions[line]?.()
    console.log(performance.now() - start)
  }
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
