/**
 * Spilling: tables of this process become Parquet files (scalars and references) and raw files (tensor values) in the
 * process's temporary folder, so that another process, or another database of this one, can read them.
 */
import { rm, writeFile } from 'node:fs/promises'
import { ioError, isRemote, temporaryFile } from '../store/index.js'
import { copyRows } from './engine/duckdb/copy.js'
import type { ExprNode } from './expr/node.js'
import { partsOf } from './expr/node.js'
import { inputsOf, withInputs, type Plan, type ScanNode, type Source, type TensorStore } from './plan.js'
import { bufferOf } from './tensor/store.js'

/** The plan with files in place of tables. */
export async function spillTables(plan: Plan): Promise<Plan> {
  if (plan.kind === 'scan') {
    return plan.source.kind === 'table' ? { ...plan, source: await spill(plan) } : plan
  }
  const inputs: Plan[] = []
  for (const input of inputsOf(plan)) inputs.push(await spillTables(input))
  return withInputs(plan, inputs)
}

/**
 * The plan as one whose rows are those of Parquet files, one for one and in order, so that any run of them can be read alone:
 * itself where it is one, else a scan of a new file with its rows, which `remove` deletes. Expects no tables in the plan.
 */
export async function addressable(plan: Plan): Promise<{ plan: Plan; remove(): Promise<void> }> {
  if (isAddressable(plan)) return { plan, remove: async () => {} }
  const source = await spillRows(plan)
  return { plan: { kind: 'scan', source, schema: plan.schema }, remove: () => rm(source.path, { force: true }) }
}

/** Whether the rows of a plan are those of Parquet files of this machine, one for one. */
export function isAddressable(plan: Plan): boolean {
  if (plan.kind === 'project') return plan.columns.every(({ expr }) => isRowWise(expr)) && isAddressable(plan.input)
  if (plan.kind !== 'scan' || plan.source.kind !== 'parquet') return false
  const { path, files = [path], columns } = plan.source
  // A file's own column of that name hides the row numbers.
  return !columns.includes('file_row_number') && !files.some(isRemote)
}

function isRowWise(expr: ExprNode): boolean {
  const kinds: readonly string[] = ['column', 'literal', 'call', 'cast']
  return kinds.includes(expr.kind) && partsOf(expr).every(isRowWise)
}

const spilled = new WeakMap<Source, Promise<Source>>()

function spill(plan: ScanNode): Promise<Source> {
  let file = spilled.get(plan.source)
  if (file === undefined) {
    file = spillRows(plan)
    spilled.set(plan.source, file)
    file.catch(() => spilled.delete(plan.source))
  }
  return file
}

async function spillRows(plan: Plan): Promise<Extract<Source, { kind: 'parquet' }>> {
  const path = temporaryFile('parquet')
  const { columns, stores } = await copyRows(plan, path)
  const files: TensorStore[] = []
  for (const store of stores) files.push(store.kind === 'memory' ? await spillBuffer(store.id) : store)
  return { kind: 'parquet', path, columns, stores: files }
}

async function spillBuffer(id: string): Promise<TensorStore> {
  const values = bufferOf(id)
  const path = temporaryFile('tensors')
  await writeFile(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).catch((cause: unknown) => {
    throw ioError('frame', 'write', path, cause)
  })
  return { kind: 'raw', path }
}
