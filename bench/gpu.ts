/**
 * Accelerators: a training step of ours beside hand-written JAX and PyTorch on the same device in the same run, alternating.
 * `npm run bench:gpu -- [--json FILE] [--steps N] [--rounds N] [--only NAME] [--python PROGRAM]`. JAX and PyTorch are taken from the
 * Python that is named (it brings what fits its GPU); without one, ours are measured alone. At the end a pool's worker trains there.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gpuWorkloads } from './gpu/workloads.js'
import { median } from './harness/contest.js'

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    steps: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
    python: { type: 'string' },
  },
})

interface Measured {
  readonly stepMs: number
  readonly hostMs?: number
  /** Per cent of the time in which the device computes. */
  readonly busy?: number
  readonly device?: string
}

const peerScript = ['../../bench/peers/gpu.py', '../bench/peers/gpu.py']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

/** Runs a contestant to its end; its last line is its result. */
function run(program: string, args: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.slice(-2000)}`)
  return JSON.parse(stdout.trim().split('\n').at(-1)!)
}

/** A row of a figure against a limit. */
function limit(name: string, unit: string, ours: number, peer: number, ratio: number): object {
  return { name, unit, ours, peer, peerName: 'limit', ratio, goal: 1, met: ratio >= 1 }
}

/** The GPU and its driver. */
function machine(): string {
  try {
    return execFileSync('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'], {
      encoding: 'utf8',
    }).trim()
  } catch {
    return 'no NVIDIA GPU' // measured on the processor, to see that the benchmark runs
  }
}

const script = (name: string): string => fileURLToPath(new URL(`gpu/${name}.js`, import.meta.url))
const peers = options.python === undefined ? [] : (['jax', 'torch'] as const)
const goals = { jax: 0.9, torch: 1 }
console.log(machine())
const rows: object[] = []
for (const { name } of gpuWorkloads.filter((one) => options.only === undefined || one.name === options.only)) {
  const ours: Measured[] = []
  const others = new Map(peers.map((peer) => [peer, [] as Measured[]]))
  for (let round = 0; round < Number(options.rounds); round++) {
    ours.push(run(process.execPath, [script('measure'), name, options.steps]) as Measured)
    for (const [peer, found] of others)
      found.push(run(options.python!, [peerScript!, peer, name, options.steps]) as Measured)
  }
  const own = median(ours.map(({ stepMs }) => stepMs))
  const host = median(ours.map(({ hostMs }) => hostMs ?? 0))
  const told = ours.flatMap(({ busy }) => busy ?? [])
  const busy = told.length === 0 ? 'not told' : `${median(told).toFixed(0)} %`
  console.log(`${name}: ${own.toFixed(3)} ms/step, host ${host.toFixed(3)} ms, GPU busy ${busy}, ${ours[0]!.device}`)
  if (told.length > 0) rows.push(limit(`${name}: GPU busy`, '%', median(told), 90, median(told) / 90))
  rows.push(limit(`${name}: host time`, 'ms', host, 0.3, 0.3 / host))
  for (const [peer, found] of others) {
    const theirs = median(found.map(({ stepMs }) => stepMs))
    const ratio = theirs / own
    console.log(`  ${peer}: ${theirs.toFixed(3)} ms/step, ratio ${ratio.toFixed(2)}`)
    rows.push({
      name,
      unit: 'ms/step',
      ours: own,
      peer: theirs,
      peerName: peer,
      ratio,
      goal: goals[peer],
      met: ratio >= goals[peer],
    })
  }
}
if (options.only === undefined || options.only === 'pool') {
  const { engine, first, last } = run(process.execPath, [script('pool-worker')]) as {
    readonly engine: string
    readonly first: number
    readonly last: number
  }
  console.log(`pool: one worker on ${engine}, loss ${first.toFixed(3)} to ${last.toFixed(3)}`)
  rows.push(limit('pool: loss of a worker', '', last, first, first / last))
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
