/**
 * Accelerators: a training step of ours beside hand-written JAX and PyTorch on the same device in the same run, alternating.
 * `npm run bench:gpu -- [--json FILE] [--steps N] [--rounds N] [--only NAME] [--python PROGRAM]`. JAX and PyTorch are taken from the
 * Python that is named (it brings what fits its GPU); without one, ours are measured alone.
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
  readonly device?: string
}

const peerScript = ['../../bench/peers/gpu.py', '../bench/peers/gpu.py']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

/** Runs a contestant to its end; its last line is its result. */
function run(program: string, args: readonly string[]): Measured {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.slice(-2000)}`)
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Measured
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

const peers = options.python === undefined ? [] : (['jax', 'torch'] as const)
const goals = { jax: 0.9, torch: 1 }
console.log(machine())
const rows: object[] = []
for (const { name } of gpuWorkloads.filter((one) => options.only === undefined || one.name === options.only)) {
  const ours: Measured[] = []
  const others = new Map(peers.map((peer) => [peer, [] as Measured[]]))
  for (let round = 0; round < Number(options.rounds); round++) {
    ours.push(run(process.execPath, [fileURLToPath(new URL('gpu/measure.js', import.meta.url)), name, options.steps]))
    for (const [peer, found] of others) found.push(run(options.python!, [peerScript!, peer, name, options.steps]))
  }
  const own = median(ours.map(({ stepMs }) => stepMs))
  const host = median(ours.map(({ hostMs }) => hostMs ?? 0))
  console.log(`${name}: ${own.toFixed(3)} ms/step, host ${host.toFixed(3)} ms, ${ours[0]!.device}`)
  rows.push({
    name: `${name}: host time`,
    unit: 'ms',
    ours: host,
    peer: 0.3,
    peerName: 'limit',
    ratio: 0.3 / host,
    goal: 1,
    met: host <= 0.3,
  })
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
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
