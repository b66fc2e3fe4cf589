/**
 * The update of a step, taken apart by weights: which weight each slot belongs to, and the part of the update that concerns
 * some of the weights. It follows from the trace, whatever the optimiser: what is computed of a weight, its gradient and its slots
 * belongs to that weight.
 *
 * Signature of an update: weights..., slots..., gradients (one a weight)..., numbers... -> weights..., slots...
 */
import { ShardbookError } from '../core/errors.js'
import { inputsOf } from './call-inputs.js'
import { removeDeadCalls } from './remove-dead-calls.js'
import type { Trace } from './trace.js'

/**
 * The weight of each slot. A slot that no weight is computed from belongs to the first.
 *
 * @throws ShardbookError `argument` when some weight's update depends on other weights or their gradients.
 */
export function slotOwners(update: Trace, weights: number): number[] {
  const slots = update.outputs.length - weights
  // A node a weight, then one a slot; gradients are at their weights. Values of numbers alone are nobody's.
  const parent = Array.from({ length: weights + slots }, (_, node) => node)
  const find = (node: number): number => (parent[node] === node ? node : (parent[node] = find(parent[node]!)))
  const join = (nodes: readonly number[]): number | undefined => {
    // The least one is the root: that of a weight, where there is one.
    const roots = nodes.map(find).toSorted((a, b) => a - b)
    for (const root of roots) parent[root] = roots[0]!
    return roots[0]
  }
  const nodeOf = new Map<number, number>()
  for (const [i, { value }] of update.inputs.slice(0, 2 * weights + slots).entries()) {
    nodeOf.set(value, i < weights + slots ? i : i - weights - slots)
  }
  const nodesOf = (values: readonly number[]): number[] =>
    values.flatMap((value) => (nodeOf.has(value) ? [nodeOf.get(value)!] : []))
  for (const call of update.calls) {
    const node = join(nodesOf(inputsOf(call)))
    if (node !== undefined) for (const value of call.outputs) nodeOf.set(value, node)
  }
  for (const [i, { value }] of update.outputs.entries()) join([i, ...nodesOf([value])])
  for (let weight = 0; weight < weights; weight++) {
    if (find(weight) === weight) continue
    const [one, other] = [find(weight), weight].map((i) => update.outputs[i]!.name)
    throw new ShardbookError(
      'argument',
      `zero1: expected an optimiser that updates each weight by its own gradient, got one for which ${one} and ${other} depend on one another.`,
      { hint: 'Clip by value or by the norm of each weight, and scale no loss; or share by allReduce.' },
    )
  }
  return Array.from({ length: slots }, (_, slot) => {
    const owner = find(weights + slot)
    return owner < weights ? owner : 0
  })
}

/**
 * The part of an update that changes some of the weights: all weights, slots of `slots` only, all gradients, numbers -> all weights,
 * those not `isOwn` as they were, and these slots.
 */
export function narrowUpdate(
  update: Trace,
  weights: number,
  { isOwn, slots }: { readonly isOwn: (weight: number) => boolean; readonly slots: readonly number[] },
): Trace {
  const pick = <T>(list: readonly T[]): T[] => slots.map((slot) => list[weights + slot]!)
  const count = update.outputs.length
  return removeDeadCalls({
    ...update,
    inputs: [...update.inputs.slice(0, weights), ...pick(update.inputs), ...update.inputs.slice(count)],
    outputs: [
      ...update.outputs
        .slice(0, weights)
        .map((output, i) => (isOwn(i) ? output : { ...output, value: update.inputs[i]!.value })),
      ...pick(update.outputs),
    ],
  })
}
