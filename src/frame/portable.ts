/** Portable plans: what leaves this process refers to files only, and any run of its rows can be read alone. */
import { prepare } from './execute.js'
import type { Plan } from './plan.js'
import { addressable, spillTables } from './spill.js'

/** An equal plan that any process of this machine can run while this one lives. */
export async function portable(plan: Plan): Promise<Plan> {
  const { plan: files } = await addressable(await spillTables(await prepare(plan)))
  return files
}
