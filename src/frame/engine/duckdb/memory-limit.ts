/** How much memory queries may take before they spill. */
import { totalmem } from 'node:os'
import { show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'

const units: Readonly<Record<string, number>> = {
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}
/** Several processes (a session and its workers) share a machine. */
const defaultShare = 0.4
const leastBytes = 64 * 2 ** 20

/**
 * The limit that a setting such as `2GiB`, `500MB` or `25%` (of the machine's memory) means; without one, 40 %.
 * @throws `argument` for anything else
 */
export function memoryLimit(setting: string | undefined): string {
  if (setting === undefined || setting === '') return inMebibytes(Math.max(4 * leastBytes, totalmem() * defaultShare))
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*(%|[kmgt]i?b)\s*$/i.exec(setting) ?? []
  const factor = unit === '%' ? totalmem() / 100 : units[unit.toLowerCase()]
  const bytes = Number(number) * (factor ?? Number.NaN)
  if (bytes >= leastBytes) return inMebibytes(bytes)
  throw new ShardbookError(
    'argument',
    `frame: expected SHARDBOOK_MEMORY to be at least 64MiB, such as 2GiB or 25%, got ${show(setting)}.`,
  )
}

function inMebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)}MiB`
}
