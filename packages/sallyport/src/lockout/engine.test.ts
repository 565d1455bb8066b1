// The engine: names, device tokens, what is told and to whom, and what happens when something is missing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AuditEvent } from '../ports/audit.ts'
import type { Guess, LockoutStore } from '../ports/lockouts.ts'
import { deviceCookie, deviceTokenIn } from './device-token.ts'
import { type Attempt, createLockout, type LockoutOptions, verifyEqually } from './engine.ts'
import { memoryLockouts } from './memory.ts'
import { normaliseName } from './normalise.ts'

const PEPPER = 'a pepper of the tests, long enough'
const DAY = 86_400
type Allowed = Extract<Attempt, { readonly allowed: true }>

function engine(options: Partial<LockoutOptions> = {}) {
  let now = Date.UTC(2026, 0, 1)
  let seed = 1
  const clock = () => now
  const audit: AuditEvent[] = []
  const guesses: Guess[] = []
  const memory = memoryLockouts({ clock })
  const store: LockoutStore = {
    ...memory,
    reserve(guess, numbers) {
      guesses.push(guess)
      return memory.reserve(guess, numbers)
    },
  }
  const lockout = createLockout({
    store,
    clock,
    random(bytes) {
      for (let at = 0; at < bytes.length; at++) {
        seed = (seed * 48_271) % 2_147_483_647
        bytes[at] = seed
      }
      return bytes
    },
    pepper: PEPPER,
    audit: { record: (event) => void audit.push(event) },
    ...options,
  })
  const attempt = (name: string, about: Partial<Parameters<typeof lockout.attempt>[1]> = {}) =>
    lockout.attempt(name, { authenticator: 'password', ...about })
  const signIn = async (name: string, about = {}): Promise<Allowed> => {
    const made = await attempt(name, about)
    assert.ok(made.allowed)
    await made.settle(true)
    return made
  }
  const pass = (seconds: number): void => {
    now += seconds * 1_000
  }
  return { lockout, attempt, signIn, audit, guesses, pass }
}

const refusal = (made: Attempt) => (made.allowed ? 'allowed' : made.because)

test('spellings of one name share a count, and the store sees a digest alone', async () => {
  const { attempt, guesses } = engine()
  const spellings = [
    'ada@example.com',
    ' ADA@Example.COM ',
    'a\u200bda@example.com',
    'ａda@example.com',
    'áda@example.com.',
  ]
  for (const name of spellings) assert.equal((await attempt(name)).allowed, true)
  assert.equal(refusal(await attempt('Ada@EXAMPLE.com')), 'waiting')
  assert.equal(new Set(guesses.map(({ name }) => name)).size, 1)
  assert.match(guesses[0]!.name, /^[\w-]{43}$/)
})

test('digests of names hang on the pepper', async () => {
  const [one, other] = [engine(), engine({ pepper: `${PEPPER}, and another` })]
  await one.attempt('ada')
  await other.attempt('ada')
  assert.notEqual(one.guesses[0]?.name, other.guesses[0]?.name)
})

const NAMES: readonly (readonly [written: string, normal: string])[] = [
  ['Ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
  ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
  ['ada@faß.example', 'ada@xn--fa-hia.example'],
  ['Straße', 'strasse'],
  ['STRASSE', 'strasse'],
  ['José', 'jose'],
  ['ﬁne', 'fine'],
  ['KELVIN K', 'kelvin k'],
  ['\u00adada\ufeff', 'ada'],
  ['a\u0000da', 'ada'],
  ['ada@exa mple', 'ada@exa mple'],
  ['a@b@C', 'a@b@c'],
  ['', ''],
  ['@', '@'],
]
test('a name is normalised as collations of databases read it', () => {
  for (const [written, normal] of NAMES) assert.equal(normaliseName(written), normal)
})

test('normalising is total, and twice is the same as once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
      const once = normaliseName(name)
      assert.equal(normaliseName(once), once)
      assert.equal(normaliseName(name.toUpperCase()), normaliseName(name.toUpperCase().toLowerCase()))
    }),
    { numRuns: 2_000 },
  )
})

test('a device token is good for its name, until it runs out or the password changes', async () => {
  const { lockout, attempt, signIn, pass } = engine()
  const deviceToken = (await signIn('ada')).newDeviceToken!
  assert.match(deviceToken, /^[\w.-]{60,100}$/)
  const by = async (name: string, token = deviceToken) => {
    const made = await attempt(name, { deviceToken: token })
    if (made.allowed) await made.settle(true)
    return made.allowed && made.by
  }
  assert.equal(await by('ADA'), 'device')
  assert.equal(await by('bob'), 'stranger')
  pass(180 * DAY - 1)
  assert.equal(await by('ada'), 'device')
  pass(2)
  assert.equal(await by('ada'), 'stranger')
  const next = (await signIn('ada')).newDeviceToken!
  assert.equal(await by('ada', next), 'device')
  await lockout.retireDevices('ada')
  assert.equal(await by('ada', next), 'stranger')
  assert.equal(await by('ada', (await signIn('ada')).newDeviceToken), 'device')
})

test('a device that is known gets no second token', async () => {
  const { attempt, signIn } = engine()
  const deviceToken = (await signIn('ada')).newDeviceToken!
  const again = await attempt('ada', { deviceToken })
  assert.equal(again.allowed && again.newDeviceToken, undefined)
})

test('no change of a token leaves it good, and nothing makes the engine throw', async () => {
  const { attempt, signIn } = engine({ numbers: { freeFailures: 10_000, disabledAt: 10_000 } })
  const deviceToken = (await signIn('ada')).newDeviceToken!
  const isDevice = async (token: string) => {
    const made = await attempt('ada', { deviceToken: token })
    return made.allowed && made.by === 'device'
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(deviceToken.length - 1), fc.constantFrom(...'0Aaz-_.~'), async (at, char) => {
      const changed = deviceToken.slice(0, at) + char + deviceToken.slice(at + 1)
      // The last character of base64url carries bits that mean nothing.
      if (changed !== deviceToken && at < deviceToken.length - 1) assert.equal(await isDevice(changed), false)
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (token) =>
      assert.equal(await isDevice(token), false),
    ),
  )
})

test('the cookie of a token is read back from a header, and nothing else is', () => {
  const cookie = deviceCookie('1.2.a.b').split(';')[0]!
  assert.equal(deviceTokenIn(`a=1; ${cookie}; b=2`), '1.2.a.b')
  assert.equal(deviceTokenIn(cookie.replace('__Host-', '')), undefined)
  assert.equal(deviceTokenIn(undefined), undefined)
  assert.equal(deviceTokenIn(';;=;'), undefined)
})

test('of a lock the audit log hears once, of a failure each time, and never a name or a token', async () => {
  const { attempt, audit, pass } = engine({ control: 'SP-LOCKOUT-01' })
  for (let failures = 1; failures <= 12; failures++) {
    const made = await attempt('ada@example.com', {
      address: `192.0.2.${failures}`,
      requestId: `r${failures}`,
    })
    assert.ok(made.allowed)
    await made.settle(false)
    await made.settle(false)
    pass(4_200)
  }
  const actions = audit.map(({ action }) => action)
  assert.equal(actions.filter((action) => action === 'session.failed').length, 12)
  const locked = audit.filter(({ action }) => action === 'lockout.locked')
  assert.equal(locked.length, 1)
  assert.deepEqual(
    [locked[0]?.requestId, locked[0]?.address, locked[0]?.control, locked[0]?.details?.['authenticator']],
    ['r10', '192.0.2.10', 'SP-LOCKOUT-01', 'password'],
  )
  assert.ok(!JSON.stringify(audit).includes('ada@'))
})

test('H19 a right password starts a session, and other secrets are second factors', async () => {
  const { attempt, audit } = engine()
  for (const [authenticator, isRight] of [
    ['password', true],
    ['totp', false],
    ['totp', true],
  ] as const) {
    const made = await attempt('ada', { authenticator })
    assert.ok(made.allowed)
    await made.settle(isRight)
  }
  assert.deepEqual(
    audit.map(({ action, outcome }) => [action, outcome]),
    [
      ['session.started', 'success'],
      ['session.mfa_failed', 'failure'],
      ['session.mfa_passed', 'success'],
    ],
  )
})

test('a guess that was right on the way up tells of no lock', async () => {
  const { attempt, audit, pass } = engine()
  for (let failures = 1; failures <= 10; failures++) {
    const made = await attempt('ada')
    assert.ok(made.allowed)
    await made.settle(failures === 10)
    pass(4_200)
  }
  assert.ok(audit.every(({ action }) => action !== 'lockout.locked'))
  assert.equal(audit.at(-1)?.action, 'session.started')
})

test('a wait is told coarsely', async () => {
  const { attempt, pass } = engine()
  for (let failures = 1; failures <= 9; failures++) {
    await attempt('ada')
    pass(failures < 9 ? 600 : 0)
  }
  const refused = await attempt('ada')
  assert.deepEqual(refused, { allowed: false, because: 'waiting', retryAfterSeconds: 600 })
})

test('while the store is away every guess is refused, and a settlement is lost without a sound', async () => {
  const away = () => Promise.reject(new Error('away'))
  const { attempt } = engine({ store: { reserve: away, succeed: away, reset: away, retireDevices: away } })
  const refused = { allowed: false, because: 'unavailable', retryAfterSeconds: 5 }
  assert.deepEqual(await attempt('ada'), refused)
  const memory = memoryLockouts({ clock: Date.now })
  const half = engine({ store: { ...memory, succeed: away } })
  const made = await half.attempt('ada')
  assert.ok(made.allowed)
  await made.settle(true)
})

test('after a recovery a name starts anew', async () => {
  const { lockout, attempt } = engine()
  for (let failures = 1; failures <= 5; failures++) await attempt('ada')
  await lockout.reset('ADA', 'password')
  assert.equal((await attempt('ada')).allowed, true)
})

test('a short pepper is refused with a way to make one', () => {
  assert.throws(() => engine({ pepper: 'short' }), /openssl rand/)
})

test('I4 verifying costs the same whether or not there is an account, and nobody never passes', async () => {
  const seen: string[] = []
  const verify = async ({ hash }: { readonly hash: string }) => {
    seen.push(hash)
    return true
  }
  const nobody = { hash: 'of nobody' }
  assert.equal(await verifyEqually({ hash: 'of ada' }, nobody, verify), true)
  assert.equal(await verifyEqually(undefined, nobody, verify), false)
  assert.deepEqual(seen, ['of ada', 'of nobody'])
})
