/** The members of a run: ranks with their share of the batch, where each of them stands, and what that allows next. */
import type { Slot } from './seat.js'

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
  /** Version of the pause in which it waits, or -1. */
  pausedAt: number
  /** Whether a process of this rank was lost. */
  lost: boolean
  /** Whether it tells the events and saves the states. */
  lead: boolean
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
      pausedAt: -1,
      lost: false,
      lead: false,
    }
  })
}

export type Move =
  | { readonly kind: 'wait' }
  /** Get the state of a member that rests: it is the result, or what others lack, or what is left. */
  | { readonly kind: 'ask'; readonly member: Member }
  /** Give the state that is kept to whoever is behind it. */
  | { readonly kind: 'restore' }
  /** Deal the slices out anew, from the state that is kept. */
  | { readonly kind: 'deal' }
  | { readonly kind: 'run' }
  | { readonly kind: 'give up' }

/**
 * What a run does next. `keptStep` is the step of the newest state outside of the workers; of a run that `failed` only the
 * newest state is still wanted; one whose members are others than before has the slices to `deal`. Where members hold `parts` of
 * the state only, none is asked before it has finished.
 */
export function nextMove(
  members: readonly Member[],
  keptStep: number,
  { failed, deal, parts }: { failed: boolean; deal: boolean; parts: boolean },
): Move {
  const present = members.filter(({ phase }) => phase !== 'absent')
  if (present.some(({ phase }) => phase === 'running' || phase === 'halting')) return { kind: 'wait' }
  const newest = Math.max(-1, ...present.map(({ step }) => step))
  const ahead = parts ? undefined : present.find(({ step, phase }) => step === newest && phase !== 'preparing')
  if (failed) return ahead !== undefined && newest > keptStep ? { kind: 'ask', member: ahead } : { kind: 'give up' }
  const finished = present.find(({ phase }) => phase === 'finished')
  if (finished !== undefined) return { kind: 'ask', member: finished }
  if (deal) return ahead !== undefined && newest > keptStep ? { kind: 'ask', member: ahead } : { kind: 'deal' }
  if (members.length === 0 || members.some(({ phase }) => phase !== 'ready')) return { kind: 'wait' }
  if (ahead === undefined) return { kind: parts ? 'run' : 'wait' }
  if (newest > keptStep)
    return members.some(({ step }) => step < newest) ? { kind: 'ask', member: ahead } : { kind: 'run' }
  return members.some(({ step }) => step < keptStep) ? { kind: 'restore' } : { kind: 'run' }
}

/** Whether some member has seen more of the run than what is kept outside of the workers. */
export function anyHolds(members: readonly Member[], keptStep: number): boolean {
  return members.some(({ phase, fresh, step }) => phase !== 'absent' && (!fresh || step > keptStep))
}
