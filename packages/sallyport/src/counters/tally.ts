// What each algorithm offers to the counters in memory: it keeps state per slot, answers into one shared object, and
// decides nothing about who has which slot.

import type { CounterRequest } from '../ports/counters.ts'

/** The answer of the last `check` or `commit`, in microseconds; written anew, so that deciding allocates little. */
export interface TallyAnswer {
  fits: boolean
  remaining: number
  retryUs: number
  resetUs: number
}

/** One algorithm's table. Slots from `slots` on are shared overflow slots, one for each bucket of the policy. */
export interface Tally {
  readonly answer: TallyAnswer
  /** The caller's slot, made where there is none; the overflow slot of the bucket where there is no room. */
  locate(low: number, high: number, overflow: number, windowMs: number, nowUs: number): number
  /** Whether `cost` fits into the slot now, what is left, and how long to wait. */
  check(slot: number, request: CounterRequest, cost: number, nowUs: number): void
  /** When the whole of the slot is free again. Apart, since `commit` says it too. */
  reset(slot: number, request: CounterRequest, nowUs: number): void
  /** Takes what `check` let through, and says when the whole of the slot is free again. */
  commit(slot: number, request: CounterRequest, nowUs: number): void
  /** Gives back what was taken at a time, never more than that can still count. */
  refund(slot: number, request: CounterRequest, takenAtUs: number, nowUs: number): void
  /** Whether a slot is one that callers share because there was no room. */
  shared(slot: number): boolean
}

/** How many buckets one policy may have, each window of a bucket counted as one: each owns one overflow slot. */
export const overflowSlots = 256

export function tallyAnswer(): TallyAnswer {
  return { fits: false, remaining: 0, retryUs: 0, resetUs: 0 }
}
