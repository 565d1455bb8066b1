// The smooth bucket (GCRA as a leaky bucket): a level that drains at limit / window and holds at most the burst. The
// level, not a time of arrival, is what is kept, so a plan that changes keeps its meaning: more room at once.

import { burstOf } from '../ports/counters.ts'
import { slotTable } from './slot-table.ts'
import { type Tally, tallyAnswer } from './tally.ts'

/**
 * Room for the rounding of levels. The level is measured against it and costs are whole, so as long as it is below 1 it
 * never lets one more through a window.
 */
const slack = 0.01
/** More than half the distance between two neighbours in 32-bit floating point, as a factor. */
const roundUp = 1 + 2 ** -23

/** 32-bit words of a caller: its level, when that was written, when it has drained. Beside each other in memory. */
const stride = 3

/** @param capacity callers that can be told apart at once; 20 bytes each. */
export function smoothTally(capacity: number): Tally {
  let nowMs = 0
  const table = slotTable(capacity, stride, alive)
  const levels = new Float32Array(table.words.buffer)
  const times = new Uint32Array(table.words.buffer)
  const answer = tallyAnswer()
  // What `check` found, for the `commit` that follows it at once.
  let checked = -1
  const checkedLevel = new Float64Array(1)

  // A slot counts until it has drained; in the millisecond in which it was claimed it may be about to be written.
  function alive(slot: number): boolean {
    return (levels[slot]! > 0 || times[slot + 1] === nowMs) && (times[slot + 2]! - nowMs) >> 0 >= 0
  }

  function levelOf(slot: number, limit: number, windowMs: number): number {
    const elapsed = (nowMs - times[slot + 1]!) >>> 0
    return Math.max(0, levels[slot]! - (elapsed * limit) / windowMs)
  }

  function clear(slot: number): void {
    levels[slot] = 0
    times[slot + 1] = nowMs
    times[slot + 2] = nowMs
  }

  function write(slot: number, level: number, limit: number, windowMs: number): void {
    const near = Math.fround(level)
    levels[slot] = near >= level ? near : near * roundUp
    times[slot + 1] = nowMs
    const drainMs = limit === 0 ? windowMs : Math.ceil((levels[slot]! * windowMs) / limit)
    times[slot + 2] = nowMs + drainMs
  }

  return {
    answer,
    locate(low, high, overflow, _windowMs, nowUs) {
      nowMs = Math.floor(nowUs / 1000) >>> 0
      const found = table.find(low, high)
      if (found >= 0) {
        // A drained slot counts as just claimed, so that nothing takes it away within this request.
        if (!alive(found)) clear(found)
        return found
      }
      const spare = table.spare(overflow)
      const crowded = alive(spare)
      const slot = table.claim(low, high)
      if (slot < 0 && crowded) return spare
      const target = slot < 0 ? spare : slot
      // The caller may be one of those that shared the overflow slot: it starts with all that they used together.
      if (crowded) times.copyWithin(target, spare, spare + stride)
      else clear(target)
      return target
    },
    check(slot, request, cost) {
      const { limit, windowMs } = request
      const burst = burstOf(request)
      const level = levelOf(slot, limit, windowMs)
      checked = slot
      checkedLevel[0] = level
      answer.remaining = Math.max(0, Math.floor(burst - level + slack))
      answer.fits = level + cost <= burst + slack
      answer.retryUs = answer.fits
        ? 0
        : cost > burst
          ? Number.POSITIVE_INFINITY
          : Math.ceil(((level + cost - burst) * windowMs) / limit) * 1000
    },
    reset(slot, { limit, windowMs }) {
      answer.resetUs = limit === 0 ? 0 : ((levelOf(slot, limit, windowMs) * windowMs) / limit) * 1000
    },
    commit(slot, { cost, limit, windowMs }) {
      const level = slot === checked ? checkedLevel[0]! : levelOf(slot, limit, windowMs)
      checked = -1
      write(slot, level + cost, limit, windowMs)
      answer.resetUs = ((levels[slot]! * windowMs) / limit) * 1000
    },
    // What has drained since belongs to whoever came after; only the rest of this request can still be in the level.
    refund(slot, { cost, limit, windowMs }, takenAtUs, nowUs) {
      const left = cost - (Math.max(0, nowUs - takenAtUs) / 1000 + 1) * (limit / windowMs)
      if (left > 0) write(slot, Math.max(0, levelOf(slot, limit, windowMs) - left), limit, windowMs)
    },
    shared: table.isSpare,
  }
}
