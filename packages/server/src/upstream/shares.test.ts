// What all share: never more than the total, never more than a client's part, and nothing lost on the way back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createShares, network } from './shares.ts'

test('a client gets its part, the others the rest, and what is given back can be taken again', () => {
  const shares = createShares(4, 2)
  assert.equal(shares.take('a', 1), true)
  assert.equal(shares.take('a', 1), true)
  assert.equal(shares.take('a', 1), false)
  assert.equal(shares.take('b', 2), true)
  assert.equal(shares.take('c', 1), false)
  shares.give('a', 1)
  assert.equal(shares.take('c', 1), true)
})

test('clients without a name have the total alone', () => {
  const shares = createShares(3, 1)
  assert.deepEqual(
    [1, 1, 1, 1].map((units) => shares.take(undefined, units)),
    [true, true, true, false],
  )
})

test('for any order of taking and giving back, a model agrees', () => {
  const step = fc.record({
    client: fc.constantFrom('a', 'b', 'c', undefined),
    units: fc.nat({ max: 4 }),
    gives: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 6 }),
      (steps, total, part) => {
        const shares = createShares(total, part)
        const held: { client: string | undefined; units: number }[] = []
        const sum = (client?: string) =>
          held
            .filter((each) => client === undefined || each.client === client)
            .reduce((all, { units }) => all + units, 0)
        for (const { client, units, gives } of steps) {
          if (gives) {
            const index = held.findIndex((each) => each.client === client)
            if (index < 0) continue
            shares.give(client, held.splice(index, 1)[0]!.units)
            continue
          }
          const fits = sum() + units <= total && (client === undefined || sum(client) + units <= part)
          assert.equal(shares.take(client, units), fits)
          if (fits) held.push({ client, units })
        }
      },
    ),
  )
})

test('an IPv6 address counts by its /64, an IPv4 address by itself', () => {
  for (const [address, expected] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::2:3:4:5', '1:0:0:0::/64'],
  ] as const)
    assert.equal(network(address), expected, address)
})
