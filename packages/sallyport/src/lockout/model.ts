// The state machine a second time, as small as it can be said, and the invariants that hold over every sequence of events.
// Memory, the embedded database and PostgreSQL are each held to both.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Guess, LockoutNumbers, LockoutStore, Reservation } from '../ports/lockouts.ts'
import { digestOf, type LockoutsUnderTest } from './contract.ts'
import { guessTimes, waitSeconds } from './numbers.ts'

/** Small numbers, so that short sequences reach every state. */
export const SMALL: LockoutNumbers = {
  freeFailures: 1,
  firstWaitSeconds: 10,
  longestWaitSeconds: 40,
  lockedAt: 3,
  disabledAt: 6,
  // No sum of the steps below: a database's clock runs on a little.
  quietSeconds: 105,
  addressFailures: 3,
  networkFailures: 5,
  addressWindowSeconds: 30,
}

/** What may happen. Two names, two addresses, a device of the first name. */
export type Event =
  | {
      readonly kind: 'guess'
      readonly who: Who
      readonly from: 0 | 1
      readonly end: 'right' | 'wrong' | 'crash'
    }
  /** Reserves, and is settled by a later `settle`. */
  | { readonly kind: 'begin'; readonly who: Who; readonly from: 0 | 1 }
  | { readonly kind: 'settle'; readonly right: boolean }
  | { readonly kind: 'pass'; readonly seconds: 10 | 20 | 40 | 110 }
  | { readonly kind: 'rebind'; readonly name: 'ada' | 'bob' }
  | { readonly kind: 'retire' }
  | { readonly kind: 'restart' }
type Who = 'ada' | 'bob' | 'laptop of ada'

const people = ['ada', 'bob', 'laptop of ada'] as const

/** Every event, for exhaustive sequences: what only doubles another is left out. */
export const EVENTS: readonly Event[] = [
  ...people.map((who): Event => ({ kind: 'guess', who, from: 0, end: 'wrong' })),
  { kind: 'guess', who: 'ada', from: 1, end: 'wrong' },
  { kind: 'guess', who: 'ada', from: 0, end: 'right' },
  { kind: 'guess', who: 'laptop of ada', from: 0, end: 'right' },
  { kind: 'begin', who: 'ada', from: 1 },
  { kind: 'settle', right: true },
  { kind: 'pass', seconds: 10 },
  { kind: 'pass', seconds: 110 },
]

const one = <const T extends readonly unknown[]>(...values: T): fc.Arbitrary<T[number]> =>
  fc.constantFrom(...values)

/** Long random sequences, in which failures are likelier than their end. */
export function eventSequences(maxLength: number): fc.Arbitrary<readonly Event[]> {
  const guess: fc.Arbitrary<Event> = fc.record({
    kind: one('guess'),
    who: one('ada', 'ada', 'ada', 'bob', 'laptop of ada'),
    from: one(0, 1),
    end: one('wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'crash', 'right'),
  })
  const begin: fc.Arbitrary<Event> = fc.record({ kind: one('begin'), who: one(...people), from: one(0, 1) })
  const settle: fc.Arbitrary<Event> = fc.record({ kind: one('settle'), right: fc.boolean() })
  const pass: fc.Arbitrary<Event> = fc.record({ kind: one('pass'), seconds: one(10, 10, 20, 40, 110) })
  const rare = one({ kind: 'rebind', name: 'ada' }, { kind: 'retire' }, { kind: 'restart' })
  const event: fc.Arbitrary<Event> = fc.oneof(
    { weight: 10, arbitrary: guess },
    { weight: 3, arbitrary: begin },
    { weight: 2, arbitrary: settle },
    { weight: 8, arbitrary: pass },
    { weight: 1, arbitrary: rare },
  )
  return fc.array(event, { maxLength, minLength: Math.floor(maxLength / 2) })
}

interface Count {
  failures: number
  until: number
  last: number
}
const fresh = (): Count => ({ failures: 0, until: 0, last: Number.NEGATIVE_INFINITY })

/** The machine: what a reservation must say. Seconds. */
function createModel(numbers: LockoutNumbers) {
  const strangers = new Map([
    ['ada', fresh()],
    ['bob', fresh()],
  ])
  const hard = new Map([
    ['ada', 0],
    ['bob', 0],
  ])
  let device = fresh()
  let isDeviceKnown = true
  const addresses: readonly number[][] = [[], []]
  return {
    reserve(who: Who, from: 0 | 1, now: number): string {
      const name = who === 'bob' ? 'bob' : 'ada'
      const by = who === 'laptop of ada' && isDeviceKnown ? 'device' : 'stranger'
      const counted = addresses[from]!.filter((at) => at > now - numbers.addressWindowSeconds)
      if (by === 'stranger' && counted.length >= numbers.addressFailures) return 'address'
      if (hard.get(name)! >= numbers.disabledAt) return 'disabled'
      const count = by === 'device' ? device : strangers.get(name)!
      if (now < count.until) return 'waiting'
      if (count.last < now - numbers.quietSeconds) count.failures = 0
      count.failures++
      count.last = now
      count.until = now + waitSeconds(count.failures, numbers)
      hard.set(name, hard.get(name)! + 1)
      if (by === 'stranger') addresses[from]!.push(now)
      return `${by} ${count.failures} ${hard.get(name)}`
    },
    succeed(who: Who, by: 'stranger' | 'device') {
      const name = who === 'bob' ? 'bob' : 'ada'
      hard.set(name, 0)
      if (by === 'device') device = fresh()
      else strangers.set(name, fresh())
    },
    rebind(name: 'ada' | 'bob') {
      strangers.set(name, fresh())
      hard.set(name, 0)
      if (name === 'ada') device = fresh()
    },
    retire() {
      isDeviceKnown = false
      device = fresh()
    },
  }
}

/** What was let through: the invariants are said over this alone, not over any state. */
function createWitness(numbers: LockoutNumbers) {
  const shortest = guessTimes(numbers)
  const since: Record<'ada' | 'bob', number[]> = { ada: [], bob: [] }
  const unsuccessful: Record<'ada' | 'bob', number> = { ada: 0, bob: 0 }
  const fromAddress: readonly number[][] = [[], []]
  return {
    allowed(name: 'ada' | 'bob', by: 'stranger' | 'device', from: 0 | 1, now: number) {
      unsuccessful[name]++
      assert.ok(unsuccessful[name] <= numbers.disabledAt, 'I7: a guess beyond the hard limit was let through')
      if (by === 'device') return
      const times = since[name]
      times.push(now)
      for (let first = 0; first < times.length; first++) {
        const count = times.length - first
        const least = shortest[count - 1] ?? Number.POSITIVE_INFINITY
        // I1 is the case in which no time passes. Where a device's success gave the hard count back, waits alone bound.
        if (count <= shortest.length)
          assert.ok(now - times[first]! >= least, `I1 I2: ${count} guesses in ${now - times[first]!} s`)
      }
      const own = fromAddress[from]!
      own.push(now)
      const before = own[own.length - 1 - numbers.addressFailures]
      assert.ok(
        before === undefined || now - before >= numbers.addressWindowSeconds,
        'I8: an address had more than its guesses in a window',
      )
    },
    succeeded(name: 'ada' | 'bob', by: 'stranger' | 'device') {
      unsuccessful[name] = 0
      if (by === 'stranger') since[name] = []
    },
    rebound(name: 'ada' | 'bob') {
      unsuccessful[name] = 0
      since[name] = []
    },
  }
}

const outcome = (reservation: Reservation): string =>
  reservation.allowed ? `${reservation.by} ${reservation.failures} ${reservation.hard}` : reservation.because

/** How a sequence is run. */
export interface RunSettings {
  /** Gives the store of an event: another process's, or one that has been opened anew. */
  readonly storeFor?: (at: number, event: Event) => LockoutStore | Promise<LockoutStore>
  /** Names and addresses stand for others: what is known of an account must make no difference. */
  readonly alias?: (name: string) => string
}

/**
 * Runs a sequence on a fresh store, holds it to the model and to the invariants after each event.
 *
 * @returns what each event led to
 */
export async function runSequence(
  events: readonly Event[],
  under: LockoutsUnderTest,
  { storeFor, alias = (name) => name }: RunSettings = {},
): Promise<readonly string[]> {
  const model = createModel(SMALL)
  const witness = createWitness(SMALL)
  const seen: string[] = []
  const pending: { readonly guess: Guess; readonly who: Who; readonly by: 'stranger' | 'device' }[] = []
  let now = 0
  let last: Event | undefined
  const digest = (name: string) => digestOf(alias(name))
  for (const [at, event] of events.entries()) {
    const store = (await storeFor?.(at, event)) ?? under.store
    const settle = async ({ guess, who, by }: (typeof pending)[number], isRight: boolean) => {
      if (!isRight) return
      await store.succeed(guess, by)
      model.succeed(who, by)
      witness.succeeded(who === 'bob' ? 'bob' : 'ada', by)
    }
    switch (event.kind) {
      case 'guess':
      case 'begin': {
        const { who, from } = event
        const name = who === 'bob' ? 'bob' : 'ada'
        const guess: Guess = {
          name: digest(name),
          authenticator: 'password',
          jitter: 0,
          address: alias(`192.0.2.${from}`),
          ...(who === 'laptop of ada' ? { device: { digest: digestOf('laptop'), generation: 0 } } : {}),
        }
        const expected = model.reserve(who, from, now)
        const reservation = await store.reserve(guess, SMALL)
        assert.equal(outcome(reservation), expected, `event ${at}`)
        seen.push(expected)
        if (!reservation.allowed) break
        const { by } = reservation
        witness.allowed(name, by, from, now)
        if (event.kind === 'begin') pending.push({ guess, who, by })
        else if (event.end !== 'crash') await settle({ guess, who, by }, event.end === 'right')
        break
      }
      case 'settle': {
        const first = pending.shift()
        if (first) await settle(first, event.right)
        break
      }
      case 'pass':
        now += event.seconds
        await under.pass(event.seconds)
        break
      case 'rebind':
        await store.reset(digest(event.name), 'password')
        model.rebind(event.name)
        witness.rebound(event.name)
        break
      case 'retire':
        await store.retireDevices(digest('ada'))
        model.retire()
        break
      case 'restart':
        pending.length = 0
    }
    last = event
  }
  // I12: below the hard limit nobody waits longer than the longest wait, from an address of their own.
  if (last?.kind === 'pass' && last.seconds === 110) {
    const free: Guess = {
      name: digest('ada'),
      authenticator: 'password',
      jitter: 0,
      address: alias('203.0.113.1'),
    }
    const reservation = await under.store.reserve(free, SMALL)
    assert.ok(
      reservation.allowed || reservation.because === 'disabled',
      'I12: a wait is longer than the longest',
    )
  }
  return seen
}
