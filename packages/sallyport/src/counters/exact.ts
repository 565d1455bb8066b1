// The exact window: every request is remembered until it is a whole window old. Times stand in runs (time, how many),
// runs in blocks of a common pool; a pool that is full makes runs younger than they are, never older, so the limit holds.

import { runPool } from './run-pool.ts'
import { slotTable } from './slot-table.ts'
import { overflowSlots, type Tally, tallyAnswer } from './tally.ts'

/**
 * @param capacity callers that can be told apart at once; 24 bytes each.
 * @param records requests remembered at once by all callers together; about 12 bytes each.
 */
export function exactTally(capacity: number, records: number): Tally {
  let cursorUs = 0
  let hand = 0
  const table = slotTable(capacity, 4, alive)
  const pool = runPool(records + overflowSlots * 16)
  // What a slot keeps: its first run and its last, how many requests they hold, and its window in milliseconds.
  const heads = new Uint32Array(table.words.buffer)
  const tails = heads.subarray(1)
  const used = heads.subarray(2)
  const windows = heads.subarray(3)
  const answer = tallyAnswer()
  // Each overflow slot owns a run from the start, so there is always a place that counts.
  for (let bucket = 0; bucket < overflowSlots; bucket++) {
    const spare = table.spare(bucket)
    const run = pool.block()
    heads[spare] = run
    tails[spare] = run
    pool.times[run] = Number.NEGATIVE_INFINITY
  }

  // Run 0 is nobody's, so a head of 0 says that the slot has no runs.
  function alive(slot: number): boolean {
    return heads[slot]! > 0 && pool.times[tails[slot]!]! + windows[slot]! * 1000 > cursorUs
  }

  function drop(slot: number): void {
    if (heads[slot]! > 0) pool.release(heads[slot]!, tails[slot]!)
    heads[slot] = 0
    used[slot] = 0
  }

  /** Frees what dead callers still hold, a few slots at a time, so that no request pays for many. */
  function sweep(steps: number): void {
    for (let step = 0; step < steps; step++) {
      hand = (hand + 1) % table.slots
      const slot = table.at(hand)
      if (heads[slot]! > 0 && !alive(slot)) drop(slot)
    }
  }

  function block(): number {
    sweep(2)
    const run = pool.block()
    if (run > 0) return run
    sweep(64)
    return pool.block()
  }

  function expire(slot: number): void {
    const edge = cursorUs - windows[slot]! * 1000
    let head = heads[slot]!
    while (pool.times[head]! <= edge) {
      used[slot] = used[slot]! - pool.amounts[head]!
      pool.amounts[head] = 0
      if (head === tails[slot]) {
        // An empty run is as young as the last look at it, so that nothing takes the slot away within this request.
        pool.times[head] = cursorUs
        break
      }
      head = pool.after(head)
    }
    heads[slot] = head
  }

  /** Gives the slot its first run, empty, written now; false where the pool has no room. */
  function begin(slot: number, windowMs: number): boolean {
    drop(slot)
    windows[slot] = windowMs
    const run = block()
    if (run === 0) return false
    heads[slot] = run
    tails[slot] = run
    pool.times[run] = cursorUs
    pool.amounts[run] = 0
    return true
  }

  return {
    answer,
    locate(low, high, overflow, windowMs, nowUs) {
      cursorUs = nowUs
      const found = table.find(low, high)
      if (found >= 0 && heads[found]! > 0) {
        expire(found)
        return found
      }
      const spare = table.spare(overflow)
      const crowded = alive(spare)
      const slot = found >= 0 ? found : table.claim(low, high)
      if (slot >= 0 && begin(slot, windowMs)) {
        // The caller may be one of those that shared the overflow slot: all that they used together counts as new.
        if (crowded) {
          expire(spare)
          pool.times[heads[slot]!] = pool.times[tails[spare]!]!
          pool.amounts[heads[slot]!] = used[spare]!
          used[slot] = used[spare]!
        }
        return slot
      }
      windows[spare] = windowMs
      expire(spare)
      return spare
    },
    check(slot, { limit, windowMs }, cost, nowUs) {
      const count = used[slot]!
      answer.fits = count + cost <= limit
      answer.remaining = Math.max(0, limit - count)
      answer.retryUs = 0
      if (answer.fits) return
      answer.retryUs = Number.POSITIVE_INFINITY
      if (cost > limit) return
      let run = heads[slot]!
      let left = count + cost - limit - pool.amounts[run]!
      while (left > 0) {
        run = pool.next(run)
        left -= pool.amounts[run]!
      }
      answer.retryUs = pool.times[run]! + windowMs * 1000 - nowUs
    },
    reset(slot, { windowMs }, nowUs) {
      answer.resetUs = used[slot] === 0 ? 0 : pool.times[tails[slot]!]! + windowMs * 1000 - nowUs
    },
    commit(slot, { cost, windowMs }, nowUs) {
      let tail = tails[slot]!
      if (pool.times[tail]! < nowUs && pool.amounts[tail]! > 0) {
        const following = pool.follows(tail) || pool.extend(tail, block())
        if (following > 0) {
          tail = following
          tails[slot] = tail
          pool.amounts[tail] = 0
        }
      }
      pool.times[tail] = nowUs
      pool.amounts[tail] = pool.amounts[tail]! + cost
      used[slot] = used[slot]! + cost
      answer.resetUs = windowMs * 1000
    },
    // The oldest that still count go, whichever they were: what is left is never older than what really came.
    refund(slot, { cost, windowMs }, takenAtUs, nowUs) {
      if (takenAtUs + windowMs * 1000 <= nowUs) return
      let left = Math.min(cost, used[slot]!)
      used[slot] = used[slot]! - left
      for (let run = heads[slot]!; left > 0; run = pool.next(run)) {
        const part = Math.min(left, pool.amounts[run]!)
        pool.amounts[run] = pool.amounts[run]! - part
        left -= part
      }
    },
    shared: table.isSpare,
  }
}
