// The strict window: 16 slots of a fifteenth of the window, in a ring. At any moment the 16 newest slots reach back at
// least one whole window, so what they hold is at least what any window that ends now holds: the limit is never passed.

import { slotTable } from './slot-table.ts'
import { type Tally, tallyAnswer } from './tally.ts'

const ring = 16
/** 32-bit words of a caller: when it was last seen, how wide its slots are, 16 counts. Beside each other in memory. */
const stride = 2 + ring / 2

/** @param capacity callers that can be told apart at once; 48 bytes each. */
export function strictTally(capacity: number): Tally {
  let cursorMs = 0
  const table = slotTable(capacity, stride, alive)
  const words = new Uint32Array(table.words.buffer)
  const counts = new Uint16Array(words.buffer)
  const answer = tallyAnswer()

  /** The number of the slot of time, modulo 2^32: the ring divides it, so positions stay right. */
  function slotOfTime(widthMs: number): number {
    return Math.floor(cursorMs / widthMs) >>> 0
  }

  /** Where the counts of a caller begin. */
  function countsOf(slot: number): number {
    return slot * 2 + 4
  }

  function alive(slot: number): boolean {
    const widthMs = words[slot + 1]!
    return widthMs > 0 && (slotOfTime(widthMs) - words[slot]!) >>> 0 < ring
  }

  function roll(slot: number, now: number): void {
    const last = words[slot]!
    if (last === now) return
    const behind = (now - last) >>> 0
    const base = countsOf(slot)
    if (behind >= ring) counts.fill(0, base, base + ring)
    else for (let step = 1; step <= behind; step++) counts[base + ((last + step) & (ring - 1))] = 0
    words[slot] = now
  }

  // Most decisions in a row are of the same window, and a division takes as long as the rest of a look at a slot.
  let lastWindowMs = 0
  let lastWidthMs = 0
  function widthOf(windowMs: number): number {
    if (windowMs !== lastWindowMs) {
      lastWindowMs = windowMs
      lastWidthMs = Math.ceil(windowMs / (ring - 1))
    }
    return lastWidthMs
  }

  /** All 16 counts; together they are below 2^16, since no limit is above, so two can be added up in one word. */
  function usedOf(slot: number): number {
    let pairs = 0
    for (let at = slot + 2, end = at + ring / 2; at < end; at++) pairs += words[at]!
    return (pairs >>> 16) + (pairs & 0xffff)
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
      const spare = table.spare(overflow)
      const crowded = alive(spare)
      const slot = table.claim(low, high)
      const target = slot < 0 ? spare : slot
      if (slot < 0 && crowded) {
        roll(spare, slotOfTime(widthMs))
        return spare
      }
      // The caller may be one of those that shared the overflow slot: it starts with all that they used together.
      if (crowded) words.copyWithin(target, spare, spare + stride)
      else {
        words.fill(0, target, target + stride)
        words[target] = slotOfTime(widthMs)
      }
      words[target + 1] = widthMs
      roll(target, slotOfTime(widthMs))
      return target
    },
    check(slot, { limit, windowMs }, cost, nowUs) {
      const used = usedOf(slot)
      answer.remaining = Math.max(0, limit - used)
      answer.fits = used + cost <= limit
      answer.retryUs = 0
      if (answer.fits) return
      answer.retryUs = Number.POSITIVE_INFINITY
      if (cost > limit) return
      const base = countsOf(slot)
      const widthUs = widthOf(windowMs) * 1000
      const now = Math.floor(nowUs / widthUs)
      let left = used + cost - limit
      for (let age = ring - 1; age >= 0; age--) {
        left -= counts[base + ((now - age) & (ring - 1))]!
        if (left <= 0) {
          answer.retryUs = (now - age + ring) * widthUs - nowUs
          return
        }
      }
      answer.retryUs = ring * widthUs
    },
    reset(slot, { windowMs }, nowUs) {
      const base = countsOf(slot)
      const widthUs = widthOf(windowMs) * 1000
      const now = Math.floor(nowUs / widthUs)
      answer.resetUs = 0
      for (let age = 0; age < ring; age++)
        if (counts[base + ((now - age) & (ring - 1))]! > 0) {
          answer.resetUs = (now - age + ring) * widthUs - nowUs
          return
        }
    },
    commit(slot, { cost, windowMs }, nowUs) {
      const widthUs = widthOf(windowMs) * 1000
      const now = Math.floor(nowUs / widthUs)
      const at = countsOf(slot) + (now & (ring - 1))
      counts[at] = counts[at]! + cost
      answer.resetUs = (now + ring) * widthUs - nowUs
    },
    refund(slot, { cost, windowMs }, takenAtUs, nowUs) {
      const widthUs = widthOf(windowMs) * 1000
      const taken = Math.floor(takenAtUs / widthUs)
      if (Math.floor(nowUs / widthUs) - taken >= ring) return
      const at = countsOf(slot) + (taken & (ring - 1))
      counts[at] = Math.max(0, counts[at]! - cost)
    },
    shared: table.isSpare,
  }
}
