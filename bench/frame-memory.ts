/** A program of its own for the frame's benchmark: an operation on more data than memory; seconds and peak MiB out. */
import { createInterface } from 'node:readline'
import { rm } from 'node:fs/promises'
import { col, read } from '../src/index.js'

const [path = ''] = process.argv.slice(2)
const questions: Record<string, () => Promise<unknown>> = {
  async group() {
    const big = await read.parquet(path)
    const out = `${path}.groups`
    await big
      .groupBy('k')
      .agg({ n: col.count(), total: col('x').sum() })
      .write.parquet(out)
    await rm(out)
  },
  async sort() {
    const big = await read.parquet(path)
    return big.sort('x').slice(90_000_000, 10).toRows()
  },
}

console.log('READY')
for await (const question of createInterface({ input: process.stdin })) {
  const start = performance.now()
  await questions[question]!()
  console.log(`${(performance.now() - start) / 1000} ${process.resourceUsage().maxRSS / 1024}`)
}
