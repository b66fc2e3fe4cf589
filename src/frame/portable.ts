/**
 * Portable plans: what leaves this process refers to files only. Tables and buffers of this process are spilled once, to
 * Parquet (scalars and references) and raw files (tensor values) in the process's temporary folder; `map` nodes are computed.
 */
import { writeFile } from 'node:fs/promises'
import { ioError, temporaryFile } from '../store/index.js'
import { copyTable } from './engine/duckdb/copy.js'
import { prepareMaps } from './execute.js'
import { inputsOf, withInputs, type Plan, type ScanNode, type Source, type TensorStore } from './plan.js'
import { bufferOf } from './tensor/store.js'

/** An equal plan that any process of this machine can run while this one lives. */
export async function portable(plan: Plan): Promise<Plan> {
  return spillTables(await prepareMaps(plan))
}

async function spillTables(plan: Plan): Promise<Plan> {
  if (plan.kind === 'scan') {
    return plan.source.kind === 'table' ? { ...plan, source: await spill(plan, plan.source) } : plan
  }
  const inputs: Plan[] = []
  for (const input of inputsOf(plan)) inputs.push(await spillTables(input))
  return withInputs(plan, inputs)
}

const spilled = new WeakMap<Source, Promise<Source>>()

function spill(plan: ScanNode, source: Extract<Source, { kind: 'table' }>): Promise<Source> {
  let file = spilled.get(source)
  if (file === undefined) {
    file = spillTable(plan, source)
    spilled.set(source, file)
    file.catch(() => spilled.delete(source))
  }
  return file
}

async function spillTable(plan: ScanNode, source: Extract<Source, { kind: 'table' }>): Promise<Source> {
  const path = temporaryFile('parquet')
  const columns = await copyTable(source.table, plan.schema, path)
  const stores: TensorStore[] = []
  for (const store of source.stores) stores.push(store.kind === 'memory' ? await spillBuffer(store.id) : store)
  return { kind: 'parquet', path, columns, stores }
}

async function spillBuffer(id: string): Promise<TensorStore> {
  const values = bufferOf(id)
  const path = temporaryFile('tensors')
  await writeFile(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).catch((cause: unknown) => {
    throw ioError('frame', 'write', path, cause)
  })
  return { kind: 'raw', path }
}
