/**
 * This kernel, tslab and Deno in turns, each driven through jupyter_client in a process of its own (`peers/kernel.py`).
 *
 * Latencies are from sending the request to its reply; a start is from spawn to the reply to `kernel_info_request`. One kernel of each sort lives through a round and gets all questions
 * in small portions, in turns; start-ups have kernels of their own. Peers are installed into the cache on the first run.
 * `npm run bench:kernel -- [--rounds N] [--json FILE] [--only NAME]`
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir } from '../src/core/paths.js'
import { type Figures, quantile } from './harness/contest.js'
import { type Peer, benchFile, peerPython, startPeer } from './harness/peer.js'
import { against, benchOptions, compare, printFigures, report, type Row } from './harness/report.js'

const versions = { tslab: '1.0.22', deno: '2.9.6', '@tensorflow/tfjs': '4.22.0' }
const options = benchOptions()
const folder = await installPeers()
const python = await peerPython('kernel')
const kernels = {
  shardbook: ['message', process.execPath, benchFile('../dist/kernel/front/main.js'), '{connection_file}'],
  tslab: [
    'signal',
    process.execPath,
    join(folder, 'node_modules/tslab/bin/tslab'),
    'kernel',
    '--config-path',
    '{connection_file}',
  ],
  deno: [
    'signal',
    join(folder, 'node_modules/@deno', denoFolder(), 'deno'),
    'jupyter',
    '--kernel',
    '--conn',
    '{connection_file}',
  ],
}
type Name = keyof typeof kernels
const names = Object.keys(kernels) as Name[]
const rows: Row[] = []
const peers = {} as Record<Name, Peer>
for (const name of names) {
  const [signals, ...command] = kernels[name]
  peers[name] = await startPeer(python, [benchFile('peers/kernel.py'), signals!, folder, ...command], {
    PATH: `${join(folder, 'node_modules/.bin')}:${process.env['PATH']}`,
  })
}
try {
  if (wanted('ready')) {
    const ready = await inTurns(names, options.rounds, 'start', 'first')
    const part = (from: number): Record<Name, Figures> =>
      Object.fromEntries(
        names.map((name) => [
          name,
          figures(
            name,
            ready[name].all.filter((_, i) => i % 2 === from),
          ),
        ]),
      ) as Record<Name, Figures>
    for (const [title, all] of [
      ['ready', part(0)],
      ['first typed cell', part(1)],
    ] as const) {
      printFigures(`From spawn: ${title}`, 'ms', [all.shardbook, all.tslab, all.deno])
      rows.push(compare(title, 'ms', all.shardbook, all.deno, 1), compare(title, 'ms', all.shardbook, all.tslab, 1))
    }
  } else await inTurns(names, 1, 'start')

  if (wanted('memory idle')) {
    const all = await inTurns(names, 1, 'memory')
    rows.push(compare('memory idle', 'MiB', all.shardbook, all.tslab, 1 / 1.3))
  }
  if (wanted('cells')) {
    await inTurns(names, 1, 'cells 10')
    const all = await inTurns(names, options.rounds, 'cells 20')
    printFigures('Small typed cells', 'ms', [all.shardbook, all.tslab, all.deno])
    rows.push(
      compare('small typed cells, p50', 'ms', all.shardbook, all.tslab, 3),
      compare('small typed cells, p95', 'ms', at(all.shardbook, 0.95), at(all.tslab, 0.95), 4),
    )
  }
  if (wanted('completion')) {
    for (const [kind, goals] of [
      ['member', true],
      ['identifier', false],
    ] as const) {
      await inTurns(names, 1, `${kind} 3`)
      const all = await inTurns(names, options.rounds, `${kind} 10`)
      const able = names.filter((name) => all[name].all.length > 0)
      printFigures(
        `Completion of a ${kind}`,
        'ms',
        able.map((name) => all[name]),
      )
      if (goals)
        rows.push(...able.slice(1).map((name) => compare('member completion', 'ms', all.shardbook, all[name], 1)))
      else rows.push(against('identifier completion', 'ms', all.shardbook.median, 20))
    }
  }
  if (wanted('interrupt')) {
    const all = await inTurns(['shardbook'], options.rounds, 'interrupt 5')
    rows.push(against('interrupt of an endless loop, slowest', 'ms', Math.max(...all.shardbook.all), 200))
  }
  if (wanted('tensors')) {
    const two = ['shardbook', 'tslab'] as const
    await inTurns(two, 1, 'import')
    await inTurns(two, 1, 'tensors 5')
    const all = await inTurns(two, options.rounds, 'tensors 10')
    printFigures('Cells that use TensorFlow.js', 'ms', [all.shardbook, all.tslab])
    rows.push(compare('cells with TensorFlow.js, p50', 'ms', all.shardbook, all.tslab, 5))
    const memory = await inTurns(two, 1, 'memory')
    rows.push(compare('memory with TensorFlow.js', 'MiB', memory.shardbook, memory.tslab, 1 / 1.1))
  }
  if (wanted('growth')) {
    await inTurns(['shardbook'], 1, 'start')
    await inTurns(['shardbook'], 1, 'cells 20')
    const early = await inTurns(['shardbook'], 1, 'cells 40')
    await inTurns(['shardbook'], 1, 'cells 440')
    const late = await inTurns(['shardbook'], 1, 'cells 40')
    rows.push(
      against('latency after 500 cells to that of the first', 'x', late.shardbook.median / early.shardbook.median, 1.5),
    )
  }
} finally {
  for (const peer of Object.values(peers)) await peer.close()
}
report(rows, options)

/** Asks all in turns; the figures of all rounds together. A kernel that cannot do it has none. */
async function inTurns<N extends Name>(
  of: readonly N[],
  rounds: number,
  ...questions: readonly string[]
): Promise<Record<N, Figures>> {
  const all = Object.fromEntries(of.map((name) => [name, [] as number[]])) as Record<N, number[]>
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < of.length; turn++) {
      const name = of[(round + turn) % of.length]!
      for (const question of questions) {
        const answer = JSON.parse(await peers[name].ask(question)) as number | number[] | null | { error: string }
        if (typeof answer === 'number' || Array.isArray(answer)) all[name].push(...[answer].flat())
        else if (answer !== null) throw new Error(`${name}, ${question}: ${answer.error}`)
      }
    }
  return Object.fromEntries(of.map((name) => [name, figures(name, all[name])])) as Record<N, Figures>
}

function figures(name: string, all: readonly number[]): Figures {
  return { name, all, median: quantile(all, 0.5) }
}

/** The same figures with another quantile in the place of the median. */
function at({ name, all }: Figures, q: number): Figures {
  return { name, all, median: quantile(all, q) }
}

function wanted(name: string): boolean {
  return name.includes(options.only)
}

function denoFolder(): string {
  return `${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}`
}

/** The folder in which the kernels run, with the peers and TensorFlow.js as its modules. */
async function installPeers(): Promise<string> {
  const path = join(cacheDir(), 'bench-kernel')
  await mkdir(path, { recursive: true })
  if (existsSync(join(path, '.complete'))) return path
  await writeFile(join(path, 'package.json'), '{ "private": true, "type": "module" }\n')
  const packages = Object.entries(versions).map(([name, version]) => `${name}@${version}`)
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
    cwd: path,
    stdio: 'inherit',
  })
  await writeFile(join(path, '.complete'), '')
  return path
}
