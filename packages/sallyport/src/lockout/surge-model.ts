// Surges a second time, as small as they can be said, and what holds of challenges and networks over every sequence of
// events. It drives the engine with its own puzzles; memory and the stores of records are each held to it.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AuditEvent } from '../ports/audit.ts'
import type { LockoutNumbers, LockoutStore } from '../ports/lockouts.ts'
import { createLockout, type Lockout } from './engine.ts'
import { surgeUntil, waitSeconds } from './numbers.ts'
import { solveChallenge, zeroBitsAfter } from './solve.ts'

/** Small numbers, so that short sequences reach every state. No sum of the steps below: a database's clock runs on a little. */
const SMALL_SURGE: LockoutNumbers & Required<Pick<LockoutNumbers, 'surge'>> = {
  freeFailures: 1,
  firstWaitSeconds: 10,
  longestWaitSeconds: 40,
  lockedAt: 3,
  disabledAt: 6,
  quietSeconds: 105,
  addressFailures: 3,
  networkFailures: 4,
  addressWindowSeconds: 35,
  surge: { failures: 2, seconds: 45, calmSeconds: 50 },
}
const PUZZLE = { difficulty: 4, lifeSeconds: 60 } as const

/** Two households of one site, one of another, and an IPv4 address. */
const ADDRESSES = ['2001:db8:1:1::5', '2001:db8:1:2::6', '2001:db8:2:1::7', '192.0.2.1'] as const
const NETWORKS = [0, 0, 1, undefined] as const
type From = 0 | 1 | 2 | 3

const PEOPLE = ['ada', 'bob', 'cid', 'laptop of ada'] as const
type Who = (typeof PEOPLE)[number]
const nameOf = (who: Who) => (who === 'laptop of ada' ? 'ada' : who)

/**
 * What comes along with a guess: nothing; a puzzle asked for and solved now; an answer that was kept for this name and
 * address, used or not; one that was kept for another; a puzzle of now with a number that doesn't solve it.
 */
type With = 'nothing' | 'fresh' | 'kept' | 'stolen' | 'unsolved'

export type SurgeEvent =
  | {
      readonly kind: 'guess'
      readonly who: Who
      readonly from: From
      readonly with: With
      readonly right: boolean
    }
  /** Solves a puzzle and keeps the answer, where one is asked for. */
  | { readonly kind: 'keep'; readonly who: Who; readonly from: From }
  | { readonly kind: 'pass'; readonly seconds: 10 | 40 | 60 }
  | { readonly kind: 'retire' }
  | { readonly kind: 'restart' }

const guess = (who: Who, from: From, about: With = 'nothing', right = false): SurgeEvent => ({
  kind: 'guess',
  who,
  from,
  with: about,
  right,
})

/** Every event, for exhaustive sequences behind `BEGINNINGS`: what only doubles another is left out. */
export const SURGE_EVENTS: readonly SurgeEvent[] = [
  guess('ada', 0),
  guess('bob', 1, 'fresh'),
  guess('bob', 1, 'kept'),
  guess('ada', 0, 'fresh', true),
  guess('ada', 0, 'stolen'),
  guess('cid', 0, 'unsolved'),
  guess('laptop of ada', 1),
  { kind: 'keep', who: 'bob', from: 1 },
  { kind: 'pass', seconds: 10 },
  { kind: 'pass', seconds: 60 },
]

/** In which state exhaustive sequences begin: nothing has happened, a surge has begun, an answer is kept in one. */
export const BEGINNINGS: readonly (readonly SurgeEvent[])[] = [
  [],
  [guess('cid', 2), guess('ada', 3)],
  [guess('cid', 2), guess('ada', 3), { kind: 'keep', who: 'bob', from: 1 }],
]

/** Long random sequences. */
export function surgeSequences(maxLength: number): fc.Arbitrary<readonly SurgeEvent[]> {
  const one = <const T extends readonly unknown[]>(...values: T): fc.Arbitrary<T[number]> =>
    fc.constantFrom(...values)
  const from = one(0, 1, 2, 3)
  const event: fc.Arbitrary<SurgeEvent> = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: one('guess'),
        who: one(...PEOPLE),
        from,
        with: one('nothing', 'nothing', 'fresh', 'fresh', 'fresh', 'kept', 'kept', 'stolen', 'unsolved'),
        right: one(false, false, false, true),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: one('keep'), who: one(...PEOPLE), from }) },
    { weight: 6, arbitrary: fc.record({ kind: one('pass'), seconds: one(10, 10, 40, 60) }) },
    { weight: 1, arbitrary: one({ kind: 'retire' }, { kind: 'restart' }) },
  )
  return fc.array(event, { maxLength, minLength: Math.floor(maxLength / 2) })
}

interface Count {
  failures: number
  until: number
  last: number
}
const fresh = (): Count => ({ failures: 0, until: 0, last: Number.NEGATIVE_INFINITY })

/** An answer, and what is known of it. */
interface Answer {
  readonly text: string
  readonly name: string
  readonly from: From
  readonly at: number
  isUsed: boolean
}

/** The machine: what becomes of a guess. Seconds. */
function createModel(numbers: typeof SMALL_SURGE) {
  const names = new Map(PEOPLE.map((who) => [nameOf(who), fresh()]))
  const hard = new Map(PEOPLE.map((who) => [nameOf(who), 0]))
  let laptop = fresh()
  let isLaptopKnown = true
  const senders = new Map<string, number[]>()
  let failures: number[] = []
  let surge: { until: number; isEndTold: boolean } | undefined
  const told = { began: 0, ended: 0 }

  function attempt(who: Who, from: From, answer: Answer | undefined, now: number): string {
    const name = nameOf(who)
    const isDevice = who === 'laptop of ada' && isLaptopKnown
    const isSurge = surge !== undefined && now < surge.until
    if (isSurge && !isDevice) {
      const isGood =
        answer !== undefined &&
        !answer.isUsed &&
        answer.name === name &&
        answer.from === from &&
        now < answer.at + PUZZLE.lifeSeconds
      if (!isGood) return 'challenge'
    }
    const counted = isDevice
      ? []
      : [
          { because: 'address', key: ADDRESSES[from], limit: numbers.addressFailures },
          ...(NETWORKS[from] === undefined
            ? []
            : [{ because: 'network', key: `${NETWORKS[from]}`, limit: numbers.networkFailures }]),
        ]
    for (const { because, key, limit } of counted) {
      const recent = (senders.get(key) ?? []).filter((at) => at > now - numbers.addressWindowSeconds)
      senders.set(key, recent)
      if (recent.length >= limit) return because
    }
    if (hard.get(name)! >= numbers.disabledAt) return 'disabled'
    const count = isDevice ? laptop : names.get(name)!
    if (now < count.until) return 'waiting'
    if (count.last < now - numbers.quietSeconds) count.failures = 0
    count.failures++
    count.last = now
    count.until = now + waitSeconds(count.failures, numbers)
    hard.set(name, hard.get(name)! + 1)
    if (isDevice) return 'device'
    for (const { key } of counted) senders.get(key)!.push(now)
    if (isSurge) answer!.isUsed = true
    failures.push(now)
    failures = failures.filter((at) => at > now - numbers.surge.seconds)
    if (surge !== undefined && !isSurge && !surge.isEndTold) {
      surge.isEndTold = true
      told.ended++
    }
    const until = surgeUntil(
      now * 1_000,
      isSurge ? surge!.until * 1_000 : undefined,
      failures.length,
      numbers.surge,
    )
    if (until === undefined) return 'stranger'
    if (!isSurge) told.began++
    surge = { until: until / 1_000, isEndTold: false }
    return 'stranger'
  }

  return {
    attempt,
    told,
    succeed(who: Who, by: string) {
      hard.set(nameOf(who), 0)
      if (by === 'device') laptop = fresh()
      else {
        names.set(nameOf(who), fresh())
        failures.pop()
      }
    },
    retire() {
      isLaptopKnown = false
      laptop = fresh()
    },
  }
}

/** What was let through: the invariants are said over this alone, not over any state. */
function createWitness({ surge, networkFailures, addressWindowSeconds }: typeof SMALL_SURGE) {
  let failed: number[] = []
  let challengedUntil = 0
  const used = new Set<string>()
  const ofNetwork = new Map<number, number[]>()
  return {
    allowed(by: string, name: string, from: From, answer: Answer | undefined, now: number) {
      if (by === 'device') return
      if (now < challengedUntil) {
        assert.ok(answer !== undefined, 'a stranger was heard in a surge without a solution')
        assert.ok(!used.has(answer.text), 'a solution was good twice')
        assert.ok(
          answer.name === name && answer.from === from,
          'a solution was good for another name or address',
        )
        assert.ok(now < answer.at + PUZZLE.lifeSeconds, 'a solution was good after its time')
        used.add(answer.text)
      }
      failed.push(now)
      failed = failed.filter((at) => at > now - surge.seconds)
      if (failed.length >= surge.failures)
        challengedUntil = Math.max(challengedUntil, now + surge.calmSeconds)
      const network = NETWORKS[from]
      if (network === undefined) return
      const own = [...(ofNetwork.get(network) ?? []), now]
      ofNetwork.set(network, own)
      const before = own[own.length - 1 - networkFailures]
      assert.ok(
        before === undefined || now - before >= addressWindowSeconds,
        'a /48 had more than its guesses in a window',
      )
    },
    // What succeeded was no failure. Where it began a surge it has begun all the same, so that is not taken back.
    succeeded: () => void failed.pop(),
  }
}

/** Where a sequence runs. */
export interface SurgeUnderTest {
  /** The store of an event: one of several processes'. */
  storeFor(event: SurgeEvent | undefined): LockoutStore | Promise<LockoutStore>
  pass(seconds: number): Promise<void> | void
  /** Stands for a name: what is known of an account must make no difference. */
  readonly alias?: (name: string) => string
}

/**
 * Runs a sequence on an empty store and holds it to the model and the invariants after each event.
 *
 * @returns what each guess led to
 */
export async function runSurge(
  events: readonly SurgeEvent[],
  { storeFor, pass, alias = (name) => name }: SurgeUnderTest,
): Promise<readonly string[]> {
  const began = Date.UTC(2026, 0, 1)
  let now = 0
  let seed = 1
  const audit: AuditEvent[] = []
  const engineOn = (store: LockoutStore): Lockout =>
    createLockout({
      store,
      numbers: SMALL_SURGE,
      puzzle: PUZZLE,
      clock: () => began + now * 1_000,
      // No jitter; nonces of their own.
      random(bytes) {
        bytes.fill(0)
        if (bytes.length > 2) new DataView(bytes.buffer).setUint32(0, seed++)
        return bytes
      },
      pepper: 'a pepper of the tests, long enough',
      audit: { record: (event) => void audit.push(event) },
    })
  const model = createModel(SMALL_SURGE)
  const witness = createWitness(SMALL_SURGE)
  const kept: Answer[] = []
  const seen: string[] = []

  const first = await engineOn(await storeFor(undefined)).attempt(alias('ada'), { authenticator: 'password' })
  assert.ok(first.allowed)
  await first.settle(true)
  const deviceToken = first.newDeviceToken!

  for (const [at, event] of events.entries()) {
    const lockout = engineOn(await storeFor(event))
    const ask = (who: Who, from: From, challengeAnswer?: string) =>
      lockout.attempt(alias(nameOf(who)), {
        authenticator: 'password',
        address: ADDRESSES[from],
        challengeAnswer,
        ...(who === 'laptop of ada' ? { deviceToken } : {}),
      })
    const solved = async (
      who: Who,
      from: From,
      { puzzle, difficulty }: Readonly<Record<string, string | number>>,
    ) => {
      const text = await solveChallenge({ kind: 'proof-of-work', puzzle: puzzle!, difficulty: difficulty! })
      return { text, name: nameOf(who), from, at: now, isUsed: false }
    }
    switch (event.kind) {
      case 'guess': {
        const { who, from } = event
        const own = kept.findLast((each) => each.name === nameOf(who) && each.from === from)
        let answer =
          event.with === 'kept'
            ? own
            : event.with === 'stolen'
              ? kept.findLast((each) => each !== own)
              : undefined
        let attempt = await ask(who, from, answer?.text)
        if (!attempt.allowed && attempt.because === 'challenge' && event.with === 'fresh') {
          answer = await solved(who, from, attempt.challenge)
          kept.push(answer)
          attempt = await ask(who, from, answer.text)
        } else if (!attempt.allowed && attempt.because === 'challenge' && event.with === 'unsolved')
          attempt = await ask(who, from, unsolved(String(attempt.challenge['puzzle'])))
        const expected = model.attempt(who, from, answer, now)
        assert.equal(attempt.allowed ? attempt.by : attempt.because, expected, `event ${at}`)
        seen.push(expected)
        if (!attempt.allowed) break
        witness.allowed(attempt.by, nameOf(who), from, answer, now)
        await attempt.settle(event.right)
        if (!event.right) break
        model.succeed(who, attempt.by)
        if (attempt.by === 'stranger') witness.succeeded()
        break
      }
      case 'keep': {
        const attempt = await ask(event.who, event.from)
        // Asking for a puzzle is a guess without one.
        const expected = model.attempt(event.who, event.from, undefined, now)
        assert.equal(attempt.allowed ? attempt.by : attempt.because, expected, `event ${at}`)
        if (attempt.allowed) witness.allowed(attempt.by, nameOf(event.who), event.from, undefined, now)
        else if (attempt.because === 'challenge')
          kept.push(await solved(event.who, event.from, attempt.challenge))
        break
      }
      case 'pass':
        now += event.seconds
        await pass(event.seconds)
        break
      case 'retire':
        await lockout.retireDevices(alias('ada'))
        model.retire()
        break
      case 'restart':
    }
  }
  const told = (action: string) => audit.filter((event) => event.action === action).length
  assert.deepEqual({ began: told('lockout.surge_began'), ended: told('lockout.surge_ended') }, model.told)
  return seen
}

function unsolved(puzzle: string): string {
  const zeros = zeroBitsAfter(`${puzzle}.`)
  let number = 0
  while (zeros(number.toString(36)) >= PUZZLE.difficulty) number++
  return `${puzzle}.${number.toString(36)}`
}
