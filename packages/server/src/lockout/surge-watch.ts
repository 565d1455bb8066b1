// Whether failed sign-ins surge, as this process last heard when a guess was counted: for operators, who must not have to
// ask the store.

import type { LockoutStore, Reservation } from 'sallyport/lockout'

/** A place that remembers, and what it last said. */
export interface WatchedLockouts {
  readonly store: LockoutStore
  /** True from the guess that heard of a surge until the surge is over, as far as was heard. */
  isSurging(): boolean
}

/** @param now milliseconds, of a clock that never goes back */
export function watchSurges(store: LockoutStore, now: () => number): WatchedLockouts {
  let until = 0
  return {
    store: {
      ...store,
      async reserve(guess, numbers): Promise<Reservation> {
        const reservation = await store.reserve(guess, numbers)
        if (reservation.surgeMs !== undefined) until = Math.max(until, now() + reservation.surgeMs)
        return reservation
      },
    },
    isSurging: () => now() < until,
  }
}
