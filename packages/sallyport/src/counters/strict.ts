// The strict window: 16 slots of a fifteenth of the window, in a ring. At any moment the 16 newest slots reach back at
// least one whole window, so what they hold is at least what any window that ends now holds: the limit is never passed.

import { slotTable } from './slot-table.ts'
import { overflowSlots, type Tally, tallyAnswer } from './tally.ts'

const ring = 16

/** @param capacity callers that can be told apart at once; 48 bytes each. */
export function strictTally(capacity: number): Tally {
  let cursorMs = 0
  const table = slotTable(capacity, alive)
  const room = table.slots + overflowSlots
  const last = new Uint32Array(room)
  const width = new Uint32Array(room)
  const counts = new Uint16Array(room * ring)
  const answer = tallyAnswer()

  /** The number of the slot of time, modulo 2^32: the ring divides it, so positions stay right. */
  function slotOfTime(widthMs: number): number {
    return Math.floor(cursorMs / widthMs) >>> 0
  }

  function alive(slot: number): boolean {
    return width[slot]! > 0 && (slotOfTime(width[slot]!) - last[slot]!) >>> 0 < ring
  }

  function roll(slot: number, now: number): void {
    const behind = (now - last[slot]!) >>> 0
    const base = slot * ring
    if (behind >= ring) counts.fill(0, base, base + ring)
    else for (let step = 1; step <= behind; step++) counts[base + ((last[slot]! + step) & (ring - 1))] = 0
    last[slot] = now
  }

  function widthOf(windowMs: number): number {
    return Math.ceil(windowMs / (ring - 1))
  }

  return {
    answer,
    locate(low, high, overflow, windowMs, nowUs) {
      cursorMs = Math.floor(nowUs / 1000)
      const widthMs = widthOf(windowMs)
      const found = table.find(low, high)
      if (found >= 0) {
        roll(found, slotOfTime(widthMs))
        return found
      }
      const spare = table.slots + overflow
      const crowded = alive(spare)
      const slot = table.claim(low, high)
      const target = slot < 0 ? spare : slot
      if (slot < 0 && crowded) {
        roll(spare, slotOfTime(widthMs))
        return spare
      }
      const base = target * ring
      // The caller may be one of those that shared the overflow slot: it starts with all that they used together.
      if (crowded) counts.copyWithin(base, spare * ring, spare * ring + ring)
      else counts.fill(0, base, base + ring)
      last[target] = crowded ? last[spare]! : slotOfTime(widthMs)
      width[target] = widthMs
      roll(target, slotOfTime(widthMs))
      return target
    },
    check(slot, { limit, windowMs }, cost, nowUs) {
      const base = slot * ring
      let used = 0
      for (let at = base; at < base + ring; at++) used += counts[at]!
      answer.remaining = Math.max(0, limit - used)
      answer.fits = used + cost <= limit
      const widthUs = widthOf(windowMs) * 1000
      const now = Math.floor(nowUs / widthUs)
      answer.retryUs = 0
      answer.resetUs = 0
      if (used === 0 && answer.fits) return
      if (!answer.fits)
        answer.retryUs = cost > limit ? Number.POSITIVE_INFINITY : retry(base, used + cost - limit)
      for (let age = 0; age < ring; age++)
        if (counts[base + ((now - age) & (ring - 1))]! > 0) {
          answer.resetUs = (now - age + ring) * widthUs - nowUs
          return
        }

      function retry(first: number, excess: number): number {
        let left = excess
        for (let age = ring - 1; age >= 0; age--) {
          left -= counts[first + ((now - age) & (ring - 1))]!
          if (left <= 0) return (now - age + ring) * widthUs - nowUs
        }
        return ring * widthUs
      }
    },
    commit(slot, { cost, windowMs }, nowUs) {
      const widthUs = widthOf(windowMs) * 1000
      const now = Math.floor(nowUs / widthUs)
      const at = slot * ring + (now & (ring - 1))
      counts[at] = counts[at]! + cost
      answer.resetUs = (now + ring) * widthUs - nowUs
    },
    refund(slot, { cost, windowMs }, takenAtUs, nowUs) {
      const widthUs = widthOf(windowMs) * 1000
      const taken = Math.floor(takenAtUs / widthUs)
      if (Math.floor(nowUs / widthUs) - taken >= ring) return
      const at = slot * ring + (taken & (ring - 1))
      counts[at] = Math.max(0, counts[at]! - cost)
    },
    shared: (slot) => slot >= table.slots,
  }
}
