/** The result of a benchmark: rows of ours against a peer, printed as a table and written as JSON. */
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Figures } from './contest.js'

export interface Row {
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly peer: number
  readonly peerName: string
  /** Above 1 we are better. */
  readonly ratio: number
  readonly goal: number
  readonly met: boolean
}

export interface Options {
  readonly rounds: number
  readonly json: string | undefined
  /** Only contests whose name contains this. */
  readonly only: string
  /** The names of the contestants besides ours. */
  readonly peers: readonly string[] | undefined
  /** What is looked at. */
  readonly measure: readonly string[] | undefined
}

/** `--rounds N` (default 7), `--json FILE`, `--only TEXT`, `--peers NAME,...`, `--measure WHAT,...` (default: all). */
export function benchOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      json: { type: 'string' },
      only: { type: 'string', default: '' },
      peers: { type: 'string' },
      measure: { type: 'string' },
    },
  })
  return {
    rounds: Number(values.rounds),
    json: values.json,
    only: values.only,
    peers: values.peers?.split(','),
    measure: values.measure?.split(','),
  }
}

/** A row of two contestants' medians. `better` says which way the unit counts; the ratio is above 1 where we are better. */
export function compare(
  name: string,
  unit: string,
  ours: Figures,
  peer: Figures,
  goal: number,
  better: 'lower' | 'higher' = 'lower',
): Row {
  const ratio = better === 'lower' ? peer.median / ours.median : ours.median / peer.median
  return { name, unit, ours: ours.median, peer: peer.median, peerName: peer.name, ratio, goal, met: ratio >= goal }
}

/** A row of a figure against a fixed limit. */
export function against(
  name: string,
  unit: string,
  ours: number,
  limit: number,
  better: 'lower' | 'higher' = 'lower',
): Row {
  const ratio = better === 'lower' ? limit / ours : ours / limit
  return { name, unit, ours, peer: limit, peerName: 'limit', ratio, goal: 1, met: ratio >= 1 }
}

export function machine(): string {
  const threads = cpus()
  return `${threads.length} x ${threads[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
}

export function printFigures(title: string, unit: string, figures: readonly Figures[]): void {
  console.log(`\n${title}`)
  console.table(
    figures.map(({ name, all, median }) => ({
      contestant: name,
      [unit]: digits(median),
      spread: `${digits(Math.min(...all))} - ${digits(Math.max(...all))}`,
    })),
  )
}

/** Prints all rows with the machine's description and writes the JSON file where asked. */
export function report(rows: readonly Row[], { rounds, json }: Pick<Options, 'rounds' | 'json'>): void {
  console.log(`\n${machine()}, ${rounds} rounds, medians`)
  console.table(
    rows.map(({ name, unit, ours, peer, peerName, ratio, goal, met }) => ({
      name,
      ours: `${digits(ours)} ${unit}`,
      peer: `${digits(peer)} ${unit}`,
      against: peerName,
      ratio: ratio.toFixed(2),
      goal,
      met,
    })),
  )
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`)
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
