// The failures of strangers at all names together, in the memory of one process: whether they surge, and which challenges
// have been solved and used. Bounded, and gone with the process.

import type { Reservation, Solution, SurgeNumbers } from '../ports/lockouts.ts'
import { surgeUntil } from './numbers.ts'

type Counted = Pick<
  Extract<Reservation, { readonly allowed: true }>,
  'place' | 'surgeBegan' | 'surgeEndedAfter' | 'surgeMs'
>

interface Surge {
  readonly since: number
  until: number
}

// How many are looked at to make room.
const LOOKED_AT = 8

/** @param born what was solved of an earlier challenge may have been used before a restart, so it is good for nothing */
export function surgeInMemory(born: number, capacity: number) {
  const failures = new Map<number, number>()
  const spent = new Map<string, number>()
  let last = 0
  /** The one that goes on, or that nobody has been told the end of. */
  let surge: Surge | undefined

  function failuresWithin(now: number, { seconds, failures: limit }: SurgeNumbers): number {
    const room = Math.max(capacity, limit)
    for (const [place, at] of failures)
      if (at <= now - seconds * 1_000 || failures.size > room) failures.delete(place)
      else break
    return failures.size
  }

  return {
    remainingMs: (now: number): number => Math.max(0, (surge?.until ?? 0) - now),

    /** Whether a solution may be used; where there is no room to remember that it was, none may. */
    isGood(solution: Solution | undefined, now: number): boolean {
      if (solution === undefined || solution.issuedAt < born || spent.has(solution.digest)) return false
      for (let looked = 0; spent.size >= capacity && looked < LOOKED_AT; looked++) {
        const [oldest, until] = spent.entries().next().value!
        spent.delete(oldest)
        if (until > now) spent.set(oldest, until)
      }
      return spent.size < capacity
    },

    spend({ digest, leftSeconds }: Solution, now: number): void {
      spent.set(digest, now + leftSeconds * 1_000)
    },

    /** Counts one failure. */
    count(now: number, numbers: SurgeNumbers): Counted {
      last++
      failures.set(last, now)
      const count = failuresWithin(now, numbers)
      let ended: number | undefined
      if (surge !== undefined && surge.until <= now) {
        ended = Math.floor((surge.until - surge.since) / 1_000)
        surge = undefined
      }
      const isNew = surge === undefined
      const until = surgeUntil(now, surge?.until, count, numbers)
      if (until !== undefined) surge = { since: surge?.since ?? now, until }
      return {
        place: String(last),
        ...(ended === undefined ? {} : { surgeEndedAfter: ended }),
        ...(isNew && until !== undefined ? { surgeBegan: true } : {}),
        ...(surge === undefined ? {} : { surgeMs: surge.until - now }),
      }
    },

    takeBack: (place: string): void => void failures.delete(Number(place)),
  }
}
