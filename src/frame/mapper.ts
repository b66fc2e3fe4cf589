/**
 * Mappers: functions that add columns to a frame batch by batch, such as a model's prediction.
 *
 * A plan names a mapper by its kind and carries its payload as plain data; whoever runs the plan has provided the kind.
 */
import { ShardbookError } from '../core/errors.js'
import type { FeedBatch, FeedColumn } from './feed.js'

/** Computes the added columns of a batch; closed when the last batch is through. */
export type Mapper = (batch: FeedBatch) => Promise<Readonly<Record<string, FeedColumn>>>
export type MakeMapper = (payload: unknown) => Promise<Mapper | { readonly map: Mapper; close(): Promise<void> }>

const makers = new Map<string, MakeMapper>()

/** Makes a kind of mapper known in this process. */
export function provideMapper(kind: string, make: MakeMapper): void {
  makers.set(kind, make)
}

export async function openMapper(kind: string, payload: unknown): Promise<{ map: Mapper; close(): Promise<void> }> {
  const make = makers.get(kind)
  if (make === undefined) {
    throw new ShardbookError(
      'state',
      `frame: expected a mapper of kind '${kind}', got ${[...makers.keys()].join(', ') || 'none'}.`,
    )
  }
  const opened = await make(payload)
  return typeof opened === 'function' ? { map: opened, close: async () => {} } : opened
}
