// Where a caller's slot is: 64-bit tags in buckets of eight, two choices for each caller, all laid out at the start, so
// it never grows and never pauses. A slot that still counts is never given to another caller. What a slot keeps lies
// behind its tag, so that it has come from memory when the tag was found.

import { overflowSlots } from './tally.ts'

const ways = 8
const tagWords = 2

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

  function seek(first: number, low: number, high: number): number {
    for (let tag = first, end = first + bucketWords; tag < end; tag += slotWords)
      if (words[tag] === low && words[tag + 1] === high) return tag + tagWords
    return -1
  }

  /** How many slots of the bucket are taken; `free` is the first that is not, or -1. */
  let free = -1
  function taken(first: number): number {
    let count = 0
    free = -1
    for (let tag = first, end = first + bucketWords; tag < end; tag += slotWords) {
      const used = (words[tag]! | words[tag + 1]!) !== 0
      if (used && alive(tag + tagWords)) count++
      else if (free < 0) free = tag + tagWords
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
      const takenLow = taken(bucketOf(low))
      const freeLow = free
      const takenHigh = taken(bucketOf(high))
      const slot = freeLow >= 0 && (takenLow <= takenHigh || free < 0) ? freeLow : free
      if (slot < 0) return -1
      words[slot - 2] = low
      words[slot - 1] = high
      return slot
    },
  }
}
