/** The lines of CSV files that cannot be read, with the reason. */
import { originalOf } from '../../io/local-copy.js'
import { localText } from '../../io/local-scan.js'
import { inputsOf, type Plan } from '../../plan.js'
import { withConnection } from './database.js'
import { csvReason, explainFailure } from './failure.js'
import { printReader } from './print-scan.js'

/** A line that was left out. */
export type BadRow = { file: string; line: number; column: string | null; reason: string; text: string }

export const badRowSchema = {
  file: 'string',
  line: 'number',
  column: 'string?',
  reason: 'string',
  text: 'string',
} as const

/** Reads the CSV files of a plan through, and gives the lines that its scans leave out. */
export async function collectBadRows(plan: Plan): Promise<BadRow[]> {
  if (plan.kind !== 'scan') {
    const found: BadRow[] = []
    for (const input of inputsOf(plan)) found.push(...(await collectBadRows(input)))
    return found
  }
  if (plan.source.kind !== 'csv') return []
  const reader = printReader(await localText(plan.source)).replace(
    /\)$/,
    `, rejects_table = 'bad', rejects_scan = 'scans', rejects_limit = 0)`,
  )
  return withConnection(async (connection) => {
    // Only reading all columns finds all lines that cannot be.
    await connection.run(`SELECT count(COLUMNS(*)) FROM ${reader}`)
    const rows = await connection.runAndReadAll(
      'SELECT file_path, line, column_name, error_message, csv_line FROM bad JOIN scans USING (scan_id, file_id) ORDER BY file_path, line',
    )
    return rows.getRowsJS().map(([file, line, column, message, text]): BadRow => {
      const reason = csvReason(`\n${String(message)}`)
      const name = typeof column === 'string' ? column : null
      return { file: originalOf(String(file)), line: Number(line), column: name, reason, text: String(text) }
    })
  }).catch((cause: unknown) => {
    throw explainFailure(cause)
  })
}
