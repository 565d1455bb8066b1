// The table of callers: each is found again, nobody's place is given away, and it can be filled nearly to the end.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyedHash } from './keyed-hash.ts'
import { slotTable } from './slot-table.ts'

const stride = 3

/** A table that keeps the number of each caller, and claims a slot for callers 0 to `count`. */
function filled(capacity: number, count: number, alive: (slot: number) => boolean = () => true) {
  const table = slotTable(capacity, stride, alive)
  const hash = keyedHash([0x2545f491, 0x4f6cdd1d])
  const of = (caller: number): readonly [number, number] => {
    hash.of(0, `caller ${caller}`)
    return [hash.low, hash.high]
  }
  const slots: number[] = []
  for (let caller = 0; caller < count; caller++) {
    const slot = table.claim(...of(caller))
    slots.push(slot)
    if (slot >= 0) table.words[slot + stride - 1] = caller
  }
  return { table, of, slots }
}

test('every caller of a table that is four fifths full has a place of its own, and is found in it', () => {
  const { table, of, slots } = filled(20_000, 16_000)
  assert.equal(slots.indexOf(-1), -1)
  assert.equal(new Set(slots).size, slots.length)
  for (const [caller, slot] of slots.entries()) {
    assert.equal(table.find(...of(caller)), slot)
    assert.equal(table.words[slot + stride - 1], caller)
    assert.equal(table.isSpare(slot), false)
  }
  for (let caller = 16_000; caller < 20_000; caller++) assert.equal(table.find(...of(caller)), -1)
})

test('nine callers in ten of such a table are in their first bucket', () => {
  const { table, of, slots } = filled(20_000, 16_000)
  const inFirst = slots.filter((slot, caller) => {
    const bucket = Math.floor(slot / (16 * (2 + stride)))
    return bucket === Math.floor(((of(caller)[0] >>> 0) / 2 ** 32) * (table.slots / 16))
  })
  assert.ok(inFirst.length > 0.9 * slots.length, `${inFirst.length} of ${slots.length}`)
})

test('a full table gives nobody a place that still counts, and each that no longer does', () => {
  const dead = new Set<number>()
  const { table, of, slots } = filled(64, 4000, (slot) => !dead.has(slot))
  const taken = slots.filter((slot) => slot >= 0)
  assert.equal(taken.length, table.slots)
  assert.equal(new Set(taken).size, table.slots)
  const [victim] = taken
  dead.add(victim!)
  const heirs = Array.from({ length: 200 }, (_, at) => table.claim(...of(5000 + at))).filter(
    (slot) => slot >= 0,
  )
  assert.ok(heirs.length > 0)
  assert.deepEqual(new Set(heirs), new Set([victim]))
})

test('the numbers of slots go over all of them once', () => {
  const { table, slots } = filled(64, 4000)
  const all = Array.from({ length: table.slots }, (_, index) => table.at(index))
  assert.deepEqual(new Set(all), new Set(slots.filter((slot) => slot >= 0)))
  const spares = Array.from({ length: 256 }, (_, bucket) => table.spare(bucket))
  for (const spare of spares) assert.ok(table.isSpare(spare) && spare + stride <= table.words.length)
})
