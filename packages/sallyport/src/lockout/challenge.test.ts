// Challenges: what a puzzle is bound to, what a provider of the application's own is asked, and what neither can do.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AuditEvent } from '../ports/audit.ts'
import type { Challenge, Challenges } from '../ports/challenges.ts'
import { createLockout, type LockoutOptions } from './engine.ts'
import { memoryLockouts } from './memory.ts'
import { lockoutDefaults } from './numbers.ts'
import { solveChallenge } from './solve.ts'

const address = '198.51.100.7'

/** An engine in whose time a surge has begun. */
async function surging(options: Partial<LockoutOptions> = {}) {
  let now = Date.UTC(2026, 0, 1)
  let seed = 1
  const clock = () => now
  const audit: AuditEvent[] = []
  const lockout = createLockout({
    store: memoryLockouts({ clock }),
    numbers: { ...lockoutDefaults, surge: { failures: 10, seconds: 60, calmSeconds: 600 } },
    puzzle: { difficulty: 6, lifeSeconds: 60 },
    clock,
    random(bytes) {
      for (let at = 0; at < bytes.length; at++) bytes[at] = seed = (seed * 48_271) % 2_147_483_647
      return bytes
    },
    pepper: 'a pepper of the tests, long enough',
    audit: { record: (event) => void audit.push(event) },
    ...options,
  })
  const attempt = (name: string, challengeAnswer?: string, from: string | undefined = address) =>
    lockout.attempt(name, { authenticator: 'password', address: from, challengeAnswer })
  const outcome = async (name: string, answer?: string, from?: string) => {
    const made = await attempt(name, answer, from)
    return made.allowed ? made.by : made.because
  }
  const challenge = async (name: string, from?: string): Promise<Challenge> => {
    const made = await attempt(name, undefined, from)
    assert.ok(!made.allowed && made.because === 'challenge')
    return made.challenge
  }
  for (let count = 0; count < 10; count++) await attempt(`n${count}`, undefined, `203.0.113.${count}`)
  const pass = (seconds: number): void => {
    now += seconds * 1_000
  }
  return { lockout, audit, attempt, outcome, challenge, pass, clock }
}

test('I4 a puzzle says nothing of the name but in its seal', async () => {
  const { challenge } = await surging()
  const shapes = await Promise.all(
    ['n1', 'nobody', 'Ada@example.com'].map(async (name) => {
      const { puzzle, ...rest } = await challenge(name)
      const [version, difficulty, issued, life, nonce, seal] = String(puzzle).split('.')
      return { ...rest, version, difficulty, issued, life, lengths: [nonce?.length, seal?.length] }
    }),
  )
  assert.deepEqual(shapes[1], shapes[0])
  assert.deepEqual(shapes[2], shapes[0])
  assert.deepEqual(shapes[0], {
    kind: 'proof-of-work',
    algorithm: 'SHA-256',
    difficulty: '6',
    expiresIn: 60,
    answerIn: 'Challenge-Answer',
    version: '1',
    issued: (Date.UTC(2026, 0, 1) / 1_000).toString(36),
    life: (60).toString(36),
    lengths: [22, 43],
  })
})

test('a solution is good once, for one name and address, and any spelling of them', async () => {
  const { challenge, outcome } = await surging()
  const answer = await solveChallenge(await challenge('ada', '2001:db8::1'))
  assert.equal(await outcome('bob', answer, '2001:db8::1'), 'challenge')
  assert.equal(await outcome('ada', answer, '2001:db8:0:1::1'), 'challenge')
  assert.equal(await outcome('ADA', answer, '2001:db8::2'), 'stranger')
  assert.equal(await outcome('ada', answer, '2001:db8::1'), 'challenge')
})

test('all solutions of one puzzle together are good for one guess', async () => {
  const { challenge, outcome } = await surging({ puzzle: { difficulty: 0, lifeSeconds: 60 } })
  const { puzzle } = await challenge('ada')
  assert.equal(await outcome('ada', `${puzzle}.1`), 'stranger')
  for (const number of ['0', '2', 'zz'])
    assert.equal(await outcome('ada', `${puzzle}.${number}`), 'challenge')
})

test('a solution of another secret’s puzzle, or of one that is too old, is good for nothing', async () => {
  const { lockout, challenge, outcome, pass } = await surging()
  const code = await lockout.attempt('ada', { authenticator: 'totp', address })
  assert.ok(!code.allowed && code.because === 'challenge')
  assert.equal(await outcome('ada', await solveChallenge(code.challenge)), 'challenge')
  const answer = await solveChallenge(await challenge('ada'))
  pass(60)
  assert.equal(await outcome('ada', answer), 'challenge')
})

test('no change of an answer leaves it good, and nothing makes the engine throw', async () => {
  const { challenge, outcome } = await surging()
  const answer = await solveChallenge(await challenge('ada'))
  // Behind it stands the number, and another may be another solution.
  const end = answer.lastIndexOf('.')
  const last = answer[end - 1]!
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (const bits of [1, 2, 3]) {
    const twin = alphabet[alphabet.indexOf(last) + bits]!
    const puzzle = `${answer.slice(0, end - 1)}${twin}`
    const solved = await solveChallenge({ ...(await challenge('ada')), puzzle })
    assert.equal(await outcome('ada', solved), 'challenge', 'its seal is not written as we write it')
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(end - 1), fc.constantFrom(...'0Aaz-_.~'), async (at, char) => {
      const changed = answer.slice(0, at) + char + answer.slice(at + 1)
      if (changed !== answer) assert.equal(await outcome('ada', changed), 'challenge')
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) =>
      assert.equal(await outcome('ada', text), 'challenge'),
    ),
  )
  assert.equal(await outcome('ada', 'x'.repeat(100_000)), 'challenge')
  assert.equal(await outcome('ada', answer), 'stranger')
})

test('whoever solves every puzzle has the budget of one who is asked for none', async () => {
  const { challenge, outcome } = await surging()
  const outcomes: string[] = []
  for (let at = 0; at < 7; at++) {
    const from = `192.0.2.${at}`
    outcomes.push(await outcome('ada', await solveChallenge(await challenge('ada', from)), from))
  }
  assert.deepEqual(outcomes, [...Array(5).fill('stranger'), 'waiting', 'waiting'])
})

test('a solution that met a wait is still good when the wait is over', async () => {
  const { challenge, outcome, pass } = await surging()
  for (let at = 0; at < 5; at++) await outcome('ada', await solveChallenge(await challenge('ada')))
  const answer = await solveChallenge(await challenge('ada'))
  assert.equal(await outcome('ada', answer), 'waiting')
  pass(35)
  assert.equal(await outcome('ada', answer), 'stranger')
})

test('of a surge the log hears once that it began and once that it ended, and nobody is named', async () => {
  const { audit, attempt, pass } = await surging({ control: 'SP-LOCKOUT-01' })
  const of = (action: string) => audit.filter((event) => event.action === action)
  await attempt('ada')
  assert.deepEqual(of('lockout.surge_began'), [
    {
      action: 'lockout.surge_began',
      outcome: 'denied',
      at: Date.UTC(2026, 0, 1),
      control: 'SP-LOCKOUT-01',
      details: { failures: 10, seconds: 60 },
    },
  ])
  assert.deepEqual(of('lockout.refused')[0]?.details, { authenticator: 'password', because: 'challenge' })
  pass(600)
  for (let at = 0; at < 3; at++) await attempt('ada')
  assert.deepEqual(
    of('lockout.surge_ended').map(({ outcome, details }) => [outcome, details]),
    [['success', { lastedSeconds: 600 }]],
  )
})

/** A provider that takes "human N" for solved, and counts what it is asked. */
function provider(clock: () => number, asked: string[]): Challenges {
  return {
    async issue({ address }) {
      asked.push(`issue ${address}`)
      return { kind: 'turnstile', sitekey: 'key of the site' }
    },
    async check(answer) {
      asked.push(`check ${answer}`)
      return answer.startsWith('human ')
        ? { id: answer, issuedAt: clock(), expiresAt: clock() + 300_000 }
        : undefined
    },
  }
}

test('a provider of the application’s own is asked in place of puzzles, and only in a surge', async () => {
  const asked: string[] = []
  const { lockout, outcome, challenge } = await surging({
    challenges: provider(() => Date.UTC(2026, 0, 1), asked),
  })
  assert.deepEqual(asked, [])
  assert.deepEqual(await challenge('ada'), { kind: 'turnstile', sitekey: 'key of the site' })
  assert.equal(await outcome('ada', 'robot'), 'challenge')
  assert.equal(await outcome('ada', 'human 1'), 'stranger')
  assert.equal(await outcome('ada', 'human 1'), 'challenge')
  assert.deepEqual(asked.slice(0, 4), [
    `issue ${address}`,
    'check robot',
    `issue ${address}`,
    'check human 1',
  ])
  const calm = createLockout({
    store: memoryLockouts({ clock: () => 0 }),
    clock: () => 0,
    random: (bytes) => bytes,
    pepper: 'a pepper of the tests, long enough',
    challenges: provider(() => 0, asked),
  })
  const before = asked.length
  assert.equal(
    (await calm.attempt('ada', { authenticator: 'password', challengeAnswer: 'human 2' })).allowed,
    true,
  )
  assert.equal(asked.length, before)
  assert.ok(lockout)
})

test('while a provider is away strangers are refused, and known devices are not', async () => {
  const away = () => Promise.reject(new Error('away'))
  const { lockout, attempt, outcome } = await surging({ challenges: { issue: away, check: away } })
  assert.equal(await outcome('ada'), 'unavailable')
  assert.deepEqual(await attempt('ada', 'human 1'), {
    allowed: false,
    because: 'unavailable',
    retryAfterSeconds: 5,
  })
  assert.ok(lockout)
})

test('ASVS 6.1.1: a browser that has signed in is asked for nothing in a surge', async () => {
  let now = 0
  const lockout = createLockout({
    store: memoryLockouts({ clock: () => now }),
    numbers: { surge: { failures: 10, seconds: 60, calmSeconds: 600 } },
    clock: () => now,
    random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    pepper: 'a pepper of the tests, long enough',
  })
  const attempt = (name: string, deviceToken?: string) =>
    lockout.attempt(name, { authenticator: 'password', deviceToken })
  const first = await attempt('ada')
  assert.ok(first.allowed)
  await first.settle(true)
  now += 1_000
  for (let count = 0; count < 10; count++) await attempt(`n${count}`)
  const [known, stranger, other] = await Promise.all([
    attempt('ada', first.newDeviceToken),
    attempt('ada'),
    attempt('bob', first.newDeviceToken),
  ])
  assert.deepEqual(
    [known, stranger, other].map((made) => (made.allowed ? made.by : made.because)),
    ['device', 'challenge', 'challenge'],
  )
})

test('a /48 has its guesses however they are spread over its /64s, and an IPv4 network none of its own', async () => {
  const { outcome, pass } = await surging({ numbers: lockoutDefaults })
  pass(700)
  const outcomes: string[] = []
  for (let at = 0; at < 205; at++)
    outcomes.push(await outcome(`m${at}`, undefined, `2001:db8:7:${(at * 319).toString(16)}::1`))
  assert.deepEqual([outcomes.indexOf('network'), outcomes.at(-1)], [200, 'network'])
  assert.equal(await outcome('ada', undefined, '2001:db8:8::1'), 'stranger')
  for (let at = 0; at < 250; at++)
    assert.equal(await outcome(`v${at}`, undefined, `192.0.2.${at}`), 'stranger')
})
