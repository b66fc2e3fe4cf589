/**
 * How a training would scale, by simulation: replays measured step times (`pool-scale.json`) over rings of 8 to 512 workers and
 * links of 10 to 100 Gbit/s, and writes `pool-scale.md`.
 *
 * A step of a worker takes a time drawn from those measured, scaled to the model. All wait for the slowest, then communicate:
 * a ring of W moves 2 (W - 1) / W of the bytes over each link in 2 (W - 1) turns, each of which has a latency. Nothing overlaps.
 * `node dist/bench/pool-scale.js [--measure]`
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fold, keyOf, uniform } from '../src/core/random.js'
import { datasets, engine, ml } from '../src/index.js'
import { benchFile } from './harness/peer.js'

interface Measured {
  /** CPU time of each step of the default CNN at 128 rows a worker, one thread, in milliseconds. */
  readonly stepMs: readonly number[]
}

const file = benchFile('pool-scale.json')
const latencyMs = 0.03
const steps = 400
const workerCounts = [8, 64, 512] as const
const gigabits = [10, 25, 100] as const

/** Models by bytes of their gradients and by the time of a step, as a multiple of the measured one. */
const models = [
  { name: 'default CNN (0.4 MB, measured step)', bytes: 0.43e6, work: 1 },
  { name: 'ResNet-50 (100 MB, 250 ms a step)', bytes: 100e6, work: 25 },
  { name: 'transformer (1.4 GB, 600 ms a step)', bytes: 1.4e9, work: 60 },
] as const

/** Communication of a step in milliseconds, on average over steps. */
const strategies = {
  'all-reduce': (link: Link) => ring(link, link.bytes),
  float16: (link: Link) => ring(link, link.bytes / 2),
  // Positions and values of 1 %, gathered from all.
  'top-k 1 %': (link: Link) => gather(link, link.bytes * 0.02),
  // Weights and two moments every 8 steps; loss and metrics at each.
  'local SGD, 8 steps': (link: Link) => ring(link, 12) + ring(link, 3 * link.bytes) / 8,
} as const
type StrategyName = keyof typeof strategies

interface Link {
  readonly workers: number
  readonly bytesPerMs: number
  readonly bytes: number
}

const ring = ({ workers, bytesPerMs }: Link, bytes: number): number =>
  2 * (workers - 1) * (bytes / workers / bytesPerMs + latencyMs)
const gather = ({ workers, bytesPerMs }: Link, bytes: number): number =>
  (workers - 1) * (bytes / bytesPerMs + latencyMs)

if (process.argv.includes('--measure')) writeFileSync(file, `${JSON.stringify({ stepMs: await measure() })}\n`)
const measured = JSON.parse(readFileSync(file, 'utf8')) as Measured
writeFileSync(benchFile('pool-scale.md'), render())

/** CPU time of the steps of a training in this process, as one worker has them. */
async function measure(): Promise<number[]> {
  await engine.use('native')
  const data = (await datasets.mnist({ split: 'test' })).limit(5120)
  const cnn = new ml.CNNClassifier({ inputCol: 'image', batchSize: 128, slices: 1, maxIter: 4, seed: 1 })
  const all: number[] = []
  let before = process.cpuUsage()
  const training = cnn.fit(data)
  training.on((event) => {
    if (event.kind !== 'step') return
    const used = process.cpuUsage(before)
    before = process.cpuUsage()
    if (event.step > 20) all.push(Math.round((used.user + used.system) / 10) / 100)
  })
  await training
  return all
}

/** Share of the time in which workers compute what they would alone. */
function efficiency(workers: number, work: number, communicationMs: number): number {
  const draws = measured.stepMs
  let [total, alone] = [0, 0]
  for (let step = 0; step < steps; step++) {
    let slowest = 0
    for (let worker = 0; worker < workers; worker++) {
      const drawn = draws[Math.floor(uniform(fold(keyOf(step), worker), 0) * draws.length)]! * work
      slowest = Math.max(slowest, drawn)
      alone += drawn / workers
    }
    total += slowest + communicationMs
  }
  return alone / total
}

function render(): string {
  const names = Object.keys(strategies) as StrategyName[]
  const sorted = measured.stepMs.toSorted((a, b) => a - b)
  const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(1)
  const tables = models.map(({ name, bytes, work }) => {
    const rows = workerCounts.flatMap((workers) =>
      gigabits.map((gigabit) => {
        const link = { workers, bytes, bytesPerMs: (gigabit * 1e9) / 8 / 1000 }
        const shares = names.map((strategy) => efficiency(workers, work, strategies[strategy](link)))
        const best = names[shares.indexOf(Math.max(...shares))]!
        const cells = shares.map((share) => `${Math.round(100 * share)} %`)
        return `| ${workers} | ${gigabit} | ${cells.join(' | ')} | ${best} |`
      }),
    )
    return [
      `## ${name}`,
      '',
      `| workers | Gbit/s | ${names.join(' | ')} | best |`,
      `|---|---|${names.map(() => '---|').join('')}---|`,
      ...rows,
      '',
    ].join('\n')
  })
  return [
    '# How the pool would scale',
    '',
    'Simulated, not measured: `node dist/bench/pool-scale.js` replays step times of one worker over rings that this machine',
    'does not have. Efficiency is the share of the time in which workers compute what they would alone, at 128 rows a worker.',
    '',
    `- Step times: ${sorted.length} measured, median ${at(0.5)} ms, 5 % below ${at(0.05)} ms, 5 % above ${at(0.95)} ms (CPU time, default CNN,`,
    '  one thread); for the larger models scaled, with the same spread. All wait for the slowest of a step.',
    `- Links: bandwidth as given, ${latencyMs} ms a turn. Communication does not overlap with computing. Local SGD trades steps of the`,
    '  whole batch for steps of parts: how many more it needs is not in these numbers, nor what compression costs in steps.',
    '- The time that compression itself takes is left out; top-k gathers from all, so its bytes grow with the workers.',
    '',
    ...tables,
  ].join('\n')
}
