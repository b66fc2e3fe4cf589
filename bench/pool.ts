/**
 * Training throughput of the default CNN on MNIST: two workers against one process, native against wasm.
 *
 * Contestants take turns in one run; a round is one training of its own, whose first steps (tracing, warm-up) do not count.
 * `npm run bench:pool -- [--rounds N] [--json FILE]`
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { datasets, engine, ml, type Pool, pool } from '../src/index.js'

interface Contestant {
  readonly name: string
  readonly engine: 'native' | 'wasm'
  readonly rows: number
  readonly workers?: Pool
  readonly stepsPerSecond: number[]
}

const warmUpSteps = 5
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, json: { type: 'string' } } })
const rounds = Number(values.rounds)

const [train] = (await datasets.mnist({ split: 'test' })).randomSplit([0.9, 0.1], { seed: 7 })
const contestant = async (name: Contestant['engine'], workers: number, rows: number): Promise<Contestant> => ({
  name: `${name}, ${workers === 0 ? 'one process' : `${workers} workers`}`,
  engine: name,
  rows,
  ...(workers === 0 ? {} : { workers: await pool({ workers, engine: name }) }),
  stepsPerSecond: [],
})
const native1 = await contestant('native', 0, 9000)
const native2 = await contestant('native', 2, 9000)
const wasm1 = await contestant('wasm', 0, 2560)
const wasm2 = await contestant('wasm', 2, 2560)
const contestants = [native1, native2, wasm1, wasm2]

for (let round = 0; round < rounds; round++)
  for (const { engine: name, rows, workers, stepsPerSecond } of contestants) {
    await engine.use(name)
    const cnn = new ml.CNNClassifier({ inputCol: 'image', labelCol: 'label', maxIter: 1, seed: round })
    const training = cnn.fit(train.limit(rows), workers === undefined ? {} : { on: workers })
    const stepMs: number[] = []
    training.on((event) => {
      if (event.kind === 'step') stepMs.push(event.stepMs)
    })
    await training
    stepsPerSecond.push(1000 / mean(stepMs.slice(warmUpSteps)))
  }
await Promise.all(contestants.map(async ({ workers }) => workers?.close()))

const rows = [
  compare('sharded, native', native2, native1, 0.95),
  compare('sharded, wasm', wasm2, wasm1, 0.95),
  compare('native engine', native1, wasm1, 2),
]
console.log(`${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}, ${rounds} rounds, batch 128`)
console.table(
  contestants.map(({ name, stepsPerSecond: all }) => ({
    contestant: name,
    'steps/s': round1(median(all)),
    spread: `${round1(Math.min(...all))} - ${round1(Math.max(...all))}`,
  })),
)
console.table(
  rows.map(({ name, peerName, ratio, goal, met }) => ({ name, against: peerName, ratio: ratio.toFixed(2), goal, met })),
)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)

function compare(name: string, one: Contestant, other: Contestant, goal: number) {
  const [ours, peer] = [median(one.stepsPerSecond), median(other.stepsPerSecond)]
  const ratio = ours / peer
  return { name, unit: 'steps/s', ours, peer, peerName: other.name, ratio, goal, met: ratio >= goal }
}

function mean(all: readonly number[]): number {
  return all.reduce((sum, one) => sum + one, 0) / all.length
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[all.length >> 1] ?? Number.NaN
}

function round1(value: number): string {
  return value.toFixed(1)
}
