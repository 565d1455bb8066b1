// The contract of every place that remembers failed guesses, as tests: memory, the embedded database and PostgreSQL run
// the same ones. Time is moved by whoever calls the suite, never waited for.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { Guess, LockoutNumbers, LockoutStore, Reservation } from '../ports/lockouts.ts'
import { budget, lockoutDefaults, waitSeconds } from './numbers.ts'

/** An empty store whose time moves by `pass` alone, but for the few milliseconds that a database's clock runs on. */
export interface LockoutsUnderTest {
  readonly store: LockoutStore
  pass(seconds: number): Promise<void> | void
}

export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** A guess at Ada's password from an address that nobody else has, unless told otherwise. */
export function guess(about: Partial<Guess> = {}): Guess {
  return { name: digestOf('ada'), authenticator: 'password', jitter: 0, ...about }
}

const device = (name: string, generation = 0) => ({ device: { digest: digestOf(name), generation } })
const outcome = (reservation: Reservation): string =>
  reservation.allowed ? `${reservation.by} ${reservation.failures}` : reservation.because

/** @param make an empty store for one test */
export function lockoutContract(
  name: string,
  make: (context: TestContext) => Promise<LockoutsUnderTest> | LockoutsUnderTest,
): void {
  const it = (title: string, body: (under: LockoutsUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async (context) => body(await make(context)))
  const numbers = lockoutDefaults
  const few: LockoutNumbers = { ...numbers, disabledAt: 12, firstWaitSeconds: 30, longestWaitSeconds: 60 }

  it('H12 of sixty simultaneous guesses five are counted and let through', async ({ store }) => {
    // A loaded machine takes its time between the guesses.
    const began = performance.now()
    const elapsed = () => performance.now() - began + 1_000
    const all = await Promise.all(Array.from({ length: 60 }, () => store.reserve(guess(), numbers)))
    const allowed = all.filter((each) => each.allowed)
    assert.deepEqual(allowed.map(({ failures }) => failures).sort(), [1, 2, 3, 4, 5])
    for (const each of all)
      if (!each.allowed) {
        assert.equal(each.because, 'waiting')
        assert.ok(
          each.retryAfterMs! > 30_000 - elapsed() && each.retryAfterMs! <= 30_000,
          `${each.retryAfterMs}`,
        )
      }
  })

  it('H12 waits grow from half a minute to an hour, and a refused guess makes none longer', async (under) => {
    const { store, pass } = under
    for (let failures = 1; failures <= 14; failures++) {
      const reservation = await store.reserve(guess(), numbers)
      assert.equal(outcome(reservation), `stranger ${failures}`)
      const seconds = waitSeconds(failures, numbers)
      if (seconds === 0) continue
      await pass(seconds - 15)
      for (let refused = 0; refused < 3; refused++)
        assert.equal(outcome(await store.reserve(guess(), numbers)), 'waiting')
      await pass(15)
    }
  })

  it('jitter makes a wait longer, by no more than it says', async ({ store, pass }) => {
    for (let failures = 1; failures <= 5; failures++) await store.reserve(guess({ jitter: 150 }), numbers)
    await pass(32)
    assert.equal(outcome(await store.reserve(guess(), numbers)), 'waiting')
    await pass(3)
    assert.equal(outcome(await store.reserve(guess(), numbers)), 'stranger 6')
  })

  it('failures in a row are forgotten after a quiet day, the hard count is not', async ({ store, pass }) => {
    for (let failures = 1; failures <= 5; failures++) await store.reserve(guess(), numbers)
    await pass(numbers.quietSeconds + 60)
    const next = await store.reserve(guess(), numbers)
    assert.deepEqual([next.allowed && next.failures, next.allowed && next.hard], [1, 6])
  })

  it('NIST 800-63B 3.2.2: at the hard limit nothing passes until the authenticator is bound anew', async (under) => {
    const { store, pass } = under
    for (let failures = 1; failures <= few.disabledAt; failures++) {
      assert.equal((await store.reserve(guess(), few)).allowed, true)
      await pass(60)
    }
    for (const days of [0, 1, 400]) {
      await pass(days * 86_400)
      const refused = await store.reserve(guess(), few)
      assert.deepEqual(refused, { allowed: false, because: 'disabled', retryAfterMs: undefined })
      assert.equal(outcome(await store.reserve(guess(device('laptop')), few)), 'disabled')
    }
    await store.reset(guess().name, 'password')
    assert.equal(outcome(await store.reserve(guess(), few)), 'stranger 1')
  })

  it('a success takes everything of a stranger back', async ({ store, pass }) => {
    for (let failures = 1; failures <= 7; failures++) {
      await store.reserve(guess(), numbers)
      await pass(120)
    }
    const right = guess()
    assert.equal(outcome(await store.reserve(right, numbers)), 'stranger 8')
    await store.succeed(right, 'stranger')
    const next = await store.reserve(guess(), numbers)
    assert.deepEqual([next.allowed && next.failures, next.allowed && next.hard], [1, 1])
  })

  it('H12 an address has its guesses in any window, whatever succeeds, and others keep theirs', async (under) => {
    const { store, pass } = under
    const from = (address: string, who: string) =>
      store.reserve(guess({ address, name: digestOf(who) }), numbers)
    for (let count = 1; count <= 10; count++)
      assert.equal((await from('192.0.2.1', `early-${count}`)).allowed, true)
    await pass(400)
    for (let count = 1; count <= 10; count++) {
      const who = guess({ address: '192.0.2.1', name: digestOf(`late-${count}`) })
      assert.equal((await store.reserve(who, numbers)).allowed, true)
      await store.succeed(who, 'stranger')
    }
    const refused = await from('192.0.2.1', 'ada')
    assert.equal(outcome(refused), 'address')
    const { retryAfterMs } = refused as { retryAfterMs: number }
    assert.ok(retryAfterMs > 190_000 && retryAfterMs <= 200_000, `${retryAfterMs}`)
    assert.equal(outcome(await from('192.0.2.2', 'ada')), 'stranger 1')
    await pass(201)
    for (let count = 1; count <= 10; count++)
      assert.equal((await from('192.0.2.1', `again-${count}`)).allowed, true)
    assert.equal(outcome(await from('192.0.2.1', 'ada')), 'address')
  })

  it('of sixty simultaneous guesses of one address at sixty names twenty are let through', async ({
    store,
  }) => {
    const all = await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        store.reserve(guess({ address: '192.0.2.1', name: digestOf(`n${at}`) }), numbers),
      ),
    )
    assert.equal(all.filter(({ allowed }) => allowed).length, 20)
  })

  it('a known device has a count of its own, whatever strangers do at its name and address', async (under) => {
    const { store, pass } = under
    const address = '192.0.2.1'
    for (let count = 1; count <= 20; count++)
      await store.reserve(guess({ address, name: digestOf(count < 6 ? 'ada' : `n${count}`) }), numbers)
    const own = guess({ address, ...device('laptop') })
    for (let failures = 1; failures <= 5; failures++)
      assert.equal(outcome(await store.reserve(own, numbers)), `device ${failures}`)
    assert.equal(outcome(await store.reserve(own, numbers)), 'waiting')
    assert.equal(outcome(await store.reserve(guess({ ...device('phone') }), numbers)), 'device 1')
    await pass(30)
    assert.equal(outcome(await store.reserve(own, numbers)), 'device 6')
    await store.succeed(own, 'device')
    const after = await store.reserve(own, numbers)
    assert.deepEqual([after.allowed && after.failures, after.allowed && after.hard], [1, 1])
    assert.equal(outcome(await store.reserve(guess(), numbers)), 'stranger 6')
  })

  it('a device’s success with one authenticator leaves its failures at another', async ({ store }) => {
    const code = guess({ authenticator: 'totp', ...device('laptop') })
    for (let failures = 1; failures <= 5; failures++) await store.reserve(code, numbers)
    const password = guess(device('laptop'))
    assert.equal(outcome(await store.reserve(password, numbers)), 'device 1')
    await store.succeed(password, 'device')
    assert.equal(outcome(await store.reserve(code, numbers)), 'waiting')
  })

  it('tokens of an earlier generation are a stranger’s', async ({ store }) => {
    const first = await store.reserve(guess(device('laptop')), numbers)
    assert.deepEqual([outcome(first), first.allowed && first.generation], ['device 1', 0])
    await store.retireDevices(guess().name)
    const second = await store.reserve(guess(device('laptop')), numbers)
    assert.deepEqual([outcome(second), second.allowed && second.generation], ['stranger 1', 1])
    assert.equal(outcome(await store.reserve(guess(device('laptop', 1)), numbers)), 'device 1')
    assert.equal(outcome(await store.reserve(guess({ ...device('laptop', 2) }), numbers)), 'stranger 2')
  })

  it('names and authenticators stand apart', async ({ store }) => {
    for (let failures = 1; failures <= 5; failures++) await store.reserve(guess(), numbers)
    assert.equal(outcome(await store.reserve(guess({ name: digestOf('bob') }), numbers)), 'stranger 1')
    assert.equal(outcome(await store.reserve(guess({ authenticator: 'totp' }), numbers)), 'stranger 1')
    assert.equal(outcome(await store.reserve(guess(), numbers)), 'waiting')
  })

  it('H12 a guesser who never tires gets the budget and no more', async ({ store, pass }) => {
    let verified = 0
    let seconds = 0
    for (const step of [0, 30, 60, 120, 240, 480, 960, 1_710]) {
      await pass(step)
      seconds += step
      for (let tried = 0; tried < 8; tried++) if ((await store.reserve(guess(), numbers)).allowed) verified++
      // The test's own pace is that of the waits, so the bound is met exactly.
      assert.equal(verified, budget(seconds, numbers))
    }
    assert.deepEqual([seconds, verified], [3_600, 11])
  })
}
