/** Which rows of a DuckDB vector hold a value: its bits, and a byte for each row. */
import type { Vector } from '@duckdb/node-bindings'
import type { DuckDB } from './chunk.js'

/** 1 for each row that holds a value; `null` when all do. */
export function readValidity(bindings: DuckDB['bindings'], vector: Vector, rows: number): Uint8Array | null {
  const words = bindings.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null | undefined
  if (words === null || words === undefined) return null
  const valid = new Uint8Array(rows)
  let all = true
  for (let i = 0; i < rows; i++) {
    valid[i] = (words[i >> 3]! >> (i & 7)) & 1
    if (valid[i] === 0) all = false
  }
  return all ? null : valid
}

/** Says of each row whether it holds a value. */
export function writeValidity(
  bindings: DuckDB['bindings'],
  vector: Vector,
  rows: number,
  isNull: (row: number) => boolean,
): void {
  const words = new Uint8Array(Math.ceil(rows / 64) * 8)
  for (let i = 0; i < rows; i++) if (!isNull(i)) words[i >> 3]! |= 1 << (i & 7)
  bindings.vector_ensure_validity_writable(vector)
  bindings.copy_data_to_vector_validity(vector, 0, words.buffer, 0, words.byteLength)
}
