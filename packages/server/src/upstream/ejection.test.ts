// Which addresses take part, tried by simulation: a clock of our own, faults from a seed, and after each step what must
// always hold.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../sallyport/test/runs.ts'
import { Address, createBalance } from './balance.ts'

const LIMITS = { failures: 3, firstMs: 100, longestMs: 1_000 } as const

function world(count: number, limits: typeof LIMITS | 'none' = LIMITS) {
  const clock = { now: 0 }
  const addresses = Array.from(
    { length: count },
    (_, i) => new Address(`http://${i}`, i, limits === 'none' ? undefined : limits),
  )
  return { clock, addresses, balance: createBalance(addresses, () => clock.now) }
}

type World = ReturnType<typeof world>

/** One request from its choice to its end. */
function send({ balance }: World, isWell: (address: number) => boolean, reason = 'ECONNREFUSED'): number {
  const by = {}
  const address = balance.choose(by)
  if (isWell(address.way)) balance.good(by, address)
  else balance.bad(by, address, reason)
  balance.left(by, address)
  return address.way
}

test('an address that fails three times in a row is left out, and one request finds that it is well again', () => {
  const here = world(2)
  const ways = (count: number, isWell: (address: number) => boolean) =>
    Array.from({ length: count }, () => send(here, isWell))
  assert.equal(ways(6, (way) => way !== 0).filter((way) => way === 0).length, 3)
  assert.deepEqual(new Set(ways(10, () => true)), new Set([1]))
  here.clock.now = 99
  assert.deepEqual(new Set(ways(10, () => true)), new Set([1]))
  here.clock.now = 100
  // One is let through to try it; the others go on elsewhere until it is judged.
  const trial = {}
  const tried = here.balance.choose(trial)
  assert.equal(tried.way, 0)
  assert.deepEqual(new Set(ways(10, () => true)), new Set([1]))
  here.balance.good(trial, tried)
  here.balance.left(trial, tried)
  assert.deepEqual(new Set(ways(10, () => true)), new Set([0, 1]))
})

test('each failed trial doubles the absence, up to the longest', () => {
  const here = world(2)
  const [bad] = here.addresses
  const absences: number[] = []
  for (let i = 0; i < 8; i++) {
    while (bad!.health.ejectedUntil === undefined || bad!.health.ejectedUntil <= here.clock.now)
      send(here, (way) => way !== 0)
    absences.push(bad!.health.ejectedUntil - here.clock.now)
    here.clock.now = bad!.health.ejectedUntil
  }
  assert.deepEqual(absences, [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000])
})

test('who did well for as long as the longest absence begins anew', () => {
  const here = world(2)
  const [one] = here.addresses
  const fail = () => {
    while (one!.health.ejectedUntil === undefined) send(here, (way) => way !== 0)
    return one!.health.ejectedUntil - here.clock.now
  }
  const heal = () => {
    here.clock.now = one!.health.ejectedUntil!
    while (one!.health.ejectedUntil !== undefined) send(here, () => true)
  }
  assert.equal(fail(), 100)
  heal()
  here.clock.now += 1_000
  assert.equal(fail(), 200)
  heal()
  here.clock.now += 1_001
  assert.equal(fail(), 100)
})

test('a success between two failures keeps an address in', () => {
  const here = world(2)
  const turns = [0, 0]
  for (let i = 0; i < 100; i++) send(here, (way) => way !== 0 || turns[0]!++ % 3 === 2)
  assert.equal(here.addresses[0]!.health.ejections, 0)
})

test('a trial that its client gave up leaves the way free for the next', () => {
  const here = world(2)
  while (here.addresses[0]!.health.ejectedUntil === undefined) send(here, (way) => way !== 0)
  here.clock.now = 100
  const trial = {}
  const tried = here.balance.choose(trial)
  here.balance.left(trial, tried)
  assert.equal(
    send(here, () => true),
    0,
  )
  assert.equal(here.addresses[0]!.health.ejectedUntil, undefined)
})

for (const [reason, count, left] of [
  ['ECONNREFUSED', 5, 1],
  ['status_503', 5, 3],
  ['status_503', 4, 2],
  ['status_503', 3, 2],
  ['status_503', 2, 1],
  ['status_503', 1, 1],
] as const)
  test(`of ${count} that all fail by ${reason}, ${left} ${left > 1 ? 'take' : 'takes'} part`, () => {
    const here = world(count)
    for (let i = 0; i < 100; i++) send(here, () => false, reason)
    assert.equal(here.addresses.filter(({ health }) => health.ejectedUntil === undefined).length, left)
  })

test('without ejection, and with one address, nobody is ever left out', () => {
  const alone = world(1)
  for (let i = 0; i < 10; i++)
    assert.equal(
      send(alone, () => false),
      0,
    )
  assert.equal(alone.addresses[0]!.health.ejections, 0)
  const all = world(2, 'none')
  for (let i = 0; i < 20; i++) send(all, (way) => way !== 0)
  for (const { health } of all.addresses) assert.equal(health.ejectedUntil, undefined)
})

test('the least busy is chosen, equals in turn, and not what failed before', () => {
  const here = world(3)
  const first = Array.from({ length: 3 }, () => here.balance.choose({}).way)
  assert.deepEqual(new Set(first), new Set([0, 1, 2]))
  here.balance.left({}, here.addresses[1]!)
  assert.equal(here.balance.choose({}).way, 1)
  const failed = here.addresses[0]!
  here.balance.left({}, failed)
  assert.notEqual(here.balance.choose({}, failed).way, 0)
})

interface Flying {
  readonly by: object
  readonly address: Address<number>
  readonly isTrial: boolean
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'send' } as const) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), pick: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fault' as const), which: fc.nat(4) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 700 }) }),
  },
)

test('whatever fails and heals: one takes part, none is asked while it is left out, all come back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 300 }), (count, steps) => {
      const here = world(count)
      const { clock, addresses, balance } = here
      const isBroken = addresses.map(() => false)
      const flying: Flying[] = []
      const take = (pick: number) => flying.splice(pick % flying.length, 1)[0]!
      for (const one of steps) {
        if (one.kind === 'wait') clock.now += one.ms
        else if (one.kind === 'fault') isBroken[one.which % count] = !isBroken[one.which % count]
        else if (one.kind === 'send') {
          const by = {}
          const before = addresses.map(({ health }) => health.ejectedUntil)
          const address = balance.choose(by)
          const until = before[address.way]
          if (until !== undefined) {
            assert.ok(clock.now >= until, 'asked while it is left out')
            assert.ok(!flying.some((other) => other.isTrial && other.address === address), 'tried by two')
          }
          flying.push({ by, address, isTrial: until !== undefined })
        } else if (flying.length > 0) {
          const { by, address } = take(one.pick)
          if (one.kind === 'end') {
            if (isBroken[address.way]) balance.bad(by, address, 'ECONNRESET')
            else balance.good(by, address)
          }
          balance.left(by, address)
        }
        assert.ok(
          addresses.some(({ health }) => health.ejectedUntil === undefined),
          'nobody takes part',
        )
        for (const { health } of addresses)
          assert.ok((health.ejectedUntil ?? 0) - clock.now <= LIMITS.longestMs, 'left out for too long')
        assert.equal(
          addresses.reduce((sum, { inFlight }) => sum + inFlight, 0),
          flying.length,
        )
      }
      for (const { by, address } of flying) balance.left(by, address)
      clock.now += LIMITS.longestMs
      for (let i = 0; i < count; i++) send(here, () => true)
      for (const { health, inFlight } of addresses)
        assert.deepEqual([health.ejectedUntil, inFlight], [undefined, 0])
    }),
    runs(300),
  )
})
