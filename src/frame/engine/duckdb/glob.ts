/** Files that match a pattern, sorted. */
import { queryRows } from './database.js'
import { quoteString } from './names.js'

/** The files that match `pattern`; with `below`, that pattern inside the folder `pattern`, whose name is taken literally. */
export async function globFiles(pattern: string, below?: string): Promise<string[]> {
  const whole = below === undefined ? pattern : `${pattern.replaceAll(/[*?[]/g, '[$&]')}${below}`
  const rows = await queryRows(`SELECT file FROM glob(${quoteString(whole)}) ORDER BY file`)
  return rows.map(([file]) => String(file))
}
