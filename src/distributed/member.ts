/** The members of a run: ranks with their share of the batch, and where each of them stands. */
import type { Slot } from './roster.js'

/**
 *   absent -> preparing -> ready -> running -> finished
 *                 ^          ^---- halting <----'  (and from any: absent, when the process is lost)
 */
export type Phase = 'absent' | 'preparing' | 'ready' | 'running' | 'halting' | 'finished' | 'failed'

export interface Member {
  readonly slot: Slot
  /** Its slices of the batch. */
  readonly owned: readonly number[]
  phase: Phase
  /** Steps done when it last rested. */
  step: number
  /** Whether it joined since the last ring. */
  fresh: boolean
  paused: boolean
  /** Whether a process of this rank was lost. */
  lost: boolean
}

/** A member a slot; the slices are dealt out in blocks of as equal a size as can be. */
export function membersOf(slots: readonly Slot[], slices: number): Member[] {
  return slots.map((slot, i) => {
    const first = Math.floor((i * slices) / slots.length)
    const end = Math.floor(((i + 1) * slices) / slots.length)
    return {
      slot,
      owned: Array.from({ length: end - first }, (_, k) => first + k),
      phase: 'absent',
      step: 0,
      fresh: true,
      paused: false,
      lost: false,
    }
  })
}
