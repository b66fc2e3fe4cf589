/**
 * Work that shows by itself how it gets on, such as a training with its chart: what it asks of other parts on the way shows no
 * progress of its own. That goes down the call stack by itself (async context), as cancelling does.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

const quiet = new AsyncLocalStorage<true>()

/** Runs `work`, whose queries and transfers show nothing. */
export function showingItself<T>(work: () => T): T {
  return quiet.run(true, work)
}

/** Whether whoever asked shows how the running work gets on. */
export function isShown(): boolean {
  return quiet.getStore() === true
}
