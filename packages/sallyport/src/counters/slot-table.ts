// Where a caller's slot is: 64-bit tags in buckets of sixteen, two choices for each caller, all laid out at the start, so
// it never grows and never pauses. A slot that still counts is never given to another caller. At many callers a decision is
// mostly a wait for memory. So what a slot keeps lies behind its tag; nine callers in ten are in the first of their two
// buckets, also where four fifths of the table are in use; and the search begins where most callers are, at the place that
// the hash names.

import { overflowSlots } from './tally.ts'

const ways = 16
const tagWords = 2
/**
 * With so many places free in its first bucket a caller stays there; else the emptier of the two has it. More would send
 * more callers to the second bucket, fewer would leave more of them without a place in a table that is nearly full.
 */
const roomy = 4

export interface SlotTable {
  /** How many callers it has slots for. */
  readonly slots: number
  /** Everything, in 32-bit words. A slot is the place of the first word of what it keeps. */
  readonly words: Int32Array<ArrayBuffer>
  /** The slot of a number from 0 to `slots`. */
  at(index: number): number
  /** The slot that the callers of a bucket share when there is no room. */
  spare(bucket: number): number
  isSpare(slot: number): boolean
  /** The caller's slot, or -1. */
  find(low: number, high: number): number
  /** A slot for a caller that has none: an empty or a dead one; -1 where all that it may have still count. */
  claim(low: number, high: number): number
}

/**
 * @param capacity callers; rounded up to whole buckets.
 * @param stride 32-bit words that each slot keeps.
 * @param alive says whether what a slot counts may still matter. Asked for slots in use only.
 */
export function slotTable(capacity: number, stride: number, alive: (slot: number) => boolean): SlotTable {
  const buckets = Math.max(2, Math.ceil(capacity / ways))
  const slotWords = tagWords + stride
  const bucketWords = ways * slotWords
  const spares = buckets * bucketWords
  // Signed words: an unsigned one over 2^31 is no small integer, and would be slower to compare.
  const words = new Int32Array(spares + overflowSlots * stride)
  const scale = buckets / 2 ** 32

  function bucketOf(half: number): number {
    return Math.floor((half >>> 0) * scale) * bucketWords
  }

  function slotOf(bucket: number, place: number): number {
    return bucket + place * slotWords + tagWords
  }

  function seek(bucket: number, low: number, high: number): number {
    for (let step = 0; step < ways; step++) {
      const slot = slotOf(bucket, (low + step) & (ways - 1))
      if (words[slot - 2] === low && words[slot - 1] === high) return slot
    }
    return -1
  }

  /** How many places of the bucket nobody needs, counted up to `enough`; `free` is the first of them, or -1. */
  let free = -1
  function room(bucket: number, low: number, enough: number): number {
    let count = 0
    free = -1
    for (let step = 0; step < ways && count < enough; step++) {
      const slot = slotOf(bucket, (low + step) & (ways - 1))
      const used = (words[slot - 2]! | words[slot - 1]!) !== 0
      if (used && alive(slot)) continue
      if (count++ === 0) free = slot
    }
    return count
  }

  return {
    slots: buckets * ways,
    words,
    at: (index) => index * slotWords + tagWords,
    spare: (bucket) => spares + bucket * stride,
    isSpare: (slot) => slot >= spares,
    find(low, high) {
      const slot = seek(bucketOf(low), low, high)
      return slot >= 0 ? slot : seek(bucketOf(high), low, high)
    },
    claim(low, high) {
      const here = room(bucketOf(low), low, roomy)
      let slot = free
      if (here < roomy && room(bucketOf(high), low, here + 1) > here) slot = free
      if (slot < 0) return -1
      words[slot - 2] = low
      words[slot - 1] = high
      return slot
    },
  }
}
