// How many requests an upstream takes at the same time, and who waits where it takes no more. Whoever waits is let in as
// soon as there is room for their client, the longest first; nobody waits where the queue is full.

import { createShares } from './shares.ts'

/** Whoever wants a slot. */
export interface Waiting {
  /** Whose share it takes from. */
  readonly client: string | undefined
  /** It has its slot now. */
  proceed(): void
}

/** What became of a wish for a slot. */
export type SlotAnswer = 'taken' | 'queued' | 'full'

/** Slots, given out and taken back. */
export interface Slots<One extends Waiting> {
  ask(one: One): SlotAnswer
  /** Gives a slot back. */
  give(one: One): void
  /** Waits no longer. */
  leave(one: One): void
  readonly waiting: number
}

/** @param queue so many may wait, one client half of them */
export function createSlots<One extends Waiting>(
  total: number,
  perClient: number,
  queue: number,
): Slots<One> {
  const slots = createShares(total, perClient)
  const places = createShares(queue, Math.ceil(queue / 2))
  const line: One[] = []

  // No further than needed: what is free was given back by one, and one takes it.
  function letIn(): void {
    const index = line.findIndex((one) => slots.take(one.client, 1))
    const one = line[index]
    if (one === undefined) return
    line.splice(index, 1)
    places.give(one.client, 1)
    one.proceed()
  }

  return {
    ask(one) {
      if (slots.take(one.client, 1)) return 'taken'
      if (!places.take(one.client, 1)) return 'full'
      line.push(one)
      return 'queued'
    },
    give(one) {
      slots.give(one.client, 1)
      if (line.length > 0) letIn()
    },
    leave(one) {
      const index = line.indexOf(one)
      if (index < 0) return
      line.splice(index, 1)
      places.give(one.client, 1)
    },
    get waiting() {
      return line.length
    },
  }
}
