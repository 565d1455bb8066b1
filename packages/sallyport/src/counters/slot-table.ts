// Where a caller's slot is: 64-bit tags in buckets of eight, two choices for each caller, all laid out at the start, so
// it never grows and never pauses. A slot that still counts is never given to another caller.

const ways = 8

export interface SlotTable {
  /** How many callers it has slots for. */
  readonly slots: number
  /** The caller's slot, or -1. */
  find(low: number, high: number): number
  /** A slot for a caller that has none: an empty or a dead one; -1 where all that it may have still count. */
  claim(low: number, high: number): number
}

/**
 * @param capacity callers; rounded up to whole buckets.
 * @param alive says whether what a slot counts may still matter. Asked for slots in use only.
 */
export function slotTable(capacity: number, alive: (slot: number) => boolean): SlotTable {
  const buckets = Math.max(2, Math.ceil(capacity / ways))
  const slots = buckets * ways
  const tags = new Uint32Array(slots * 2)
  const scale = buckets / 2 ** 32

  function seek(first: number, low: number, high: number): number {
    for (let slot = first; slot < first + ways; slot++)
      if (tags[slot * 2] === low && tags[slot * 2 + 1] === high) return slot
    return -1
  }

  /** The bucket's first free slot and, in the lowest bits, how many of its slots are taken. */
  let free = -1
  function taken(first: number): number {
    let count = 0
    free = -1
    for (let slot = first; slot < first + ways; slot++) {
      const used = (tags[slot * 2]! | tags[slot * 2 + 1]!) !== 0
      if (used && alive(slot)) count++
      else if (free < 0) free = slot
    }
    return count
  }

  return {
    slots,
    find(low, high) {
      const slot = seek(Math.floor(low * scale) * ways, low, high)
      return slot >= 0 ? slot : seek(Math.floor(high * scale) * ways, low, high)
    },
    claim(low, high) {
      const atLow = taken(Math.floor(low * scale) * ways)
      const freeLow = free
      const atHigh = taken(Math.floor(high * scale) * ways)
      const slot = freeLow >= 0 && (atLow <= atHigh || free < 0) ? freeLow : free
      if (slot < 0) return -1
      tags[slot * 2] = low
      tags[slot * 2 + 1] = high
      return slot
    },
  }
}
