// The control `lockout`: what a policy may say, how it stands on the page, what a change of it means.

import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import type { Strength } from '../../guard/control.ts'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { budget } from '../../lockout/numbers.ts'
import { PolicyError } from '../../policy/problem.ts'
import { createPosture, postureHtml } from '../../posture/page/index.ts'
import { verdictOf } from '../faces.ts'
import { lockout } from './index.ts'
import { nameInBody } from './name-in-body.ts'
import { type LockoutSetting, numbersOf } from './setting.ts'

const name = { from: 'json', field: 'email' } as const
const signIn = (setting: LockoutSetting = {}, route = 'POST /v1/sign-in'): PolicyDocument => ({
  extends: 'api',
  routes: { [route]: { lockout: { name, ...setting } } },
})

function problemsOf(policy: PolicyDocument): readonly string[] {
  try {
    resolvePolicy(policy)
    return []
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    return error.problems.map(({ path, message, mend }) => `${path}: ${message}; ${mend}`)
  }
}

const MISTAKES: readonly (readonly [what: string, policy: PolicyDocument, problem: RegExp])[] = [
  [
    'waits over a day',
    signIn({ longestWaitSeconds: 172_800, quietSeconds: 604_800 }),
    /longestWaitSeconds: lets anybody keep an owner out/,
  ],
  [
    'more than NIST allows',
    signIn({ disabledAt: 101 }),
    /disabledAt: is more than NIST SP 800-63B-4, section 3\.2\.2/,
  ],
  ['many free failures', signIn({ freeFailures: 11, lockedAt: 12 }), /freeFailures: leaves so many guesses/],
  [
    'a first wait that is the longest',
    signIn({ firstWaitSeconds: 60, longestWaitSeconds: 30 }),
    /is shorter than the first wait/,
  ],
  [
    'disabled before waiting',
    signIn({ disabledAt: 4, lockedAt: 4 }),
    /disabledAt: comes before the first wait/,
  ],
  ['told never', signIn({ lockedAt: 101 }), /lockedAt: is never reached/],
  ['told of typing errors', signIn({ lockedAt: 3 }), /lockedAt: tells an owner of 3 failures/],
  [
    'quiet that ends before a wait',
    signIn({ quietSeconds: 3_600 }),
    /quietSeconds: ends before the longest wait/,
  ],
  [
    'disabled in minutes',
    signIn({ longestWaitSeconds: 30, disabledAt: 20 }),
    /disabledAt: is reached within 8 minutes, so anybody can disable any account/,
  ],
  ['a sign-in everywhere', { extends: 'api', lockout: { name } }, /lockout\.name: stands at the top level/],
  ['a sign-in by GET', signIn({}, 'GET /v1/sign-in'), /GET has no body/],
  [
    'a sign-in by every method',
    signIn({}, '/v1/sign-in'),
    /without a body would reach the application uncounted; write the method, as in "POST \/v1\/sign-in"/,
  ],
  [
    'waits that never begin',
    signIn({ freeFailures: 1_000 }),
    /^[^\n]*freeFailures: leaves so many guesses[^\n]*write at most 10; 4 is usual$/,
  ],
  [
    'a network that has less than its addresses',
    signIn({ networkFailures: 19 }),
    /networkFailures: is less than the 20 guesses of each of its addresses; write 200/,
  ],
  [
    'a surge that one network makes',
    { ...signIn(), lockout: { surge: { failures: 200 } } },
    /surge\.failures: is reached by one network alone, which has 200 guesses in 1 minute; write more than 200/,
  ],
  [
    'a surge that flaps',
    { ...signIn(), lockout: { surge: { seconds: 600, calmSeconds: 60 } } },
    /surge\.calmSeconds: ends while the failures that began a surge still count, for 10 minutes/,
  ],
  [
    'a puzzle that runs out before it is solved',
    { ...signIn(), lockout: { surge: { difficulty: 24 } } },
    /surge\.difficulty: takes an old telephone up to 448 seconds, and a puzzle is good for 120/,
  ],
  ['a surge of one route', signIn({ surge: {} }), /surge/],
  [
    'a puzzle for machines',
    { ...signIn(), lockout: { surge: { difficulty: 40 } } },
    /surge\.difficulty: expected a whole number from 8 to 24/,
  ],
  [
    'no field',
    { extends: 'api', routes: { 'POST /s': { lockout: { name: { from: 'json' } } } } },
    /does not say which field/,
  ],
  [
    'a success that is none',
    signIn({ success: [401] }),
    /success\[0\]: expected a whole number from 200 to 399/,
  ],
]
describe('a policy', () => {
  for (const [what, policy, problem] of MISTAKES)
    it(`with ${what} is refused, with a way to mend it`, () =>
      assert.match(problemsOf(policy).join('\n'), problem))

  it('is right with the defaults, with numbers alone, and where the control is off', () => {
    for (const policy of [
      signIn(),
      signIn({ authenticator: 'totp', deviceCookie: false, success: [200, 303] }),
      { extends: 'api', lockout: { freeFailures: 2 } } as PolicyDocument,
      signIn({ mode: 'off', disabledAt: 1_000 }),
    ])
      assert.deepEqual(problemsOf(policy), [])
  })

  it('that is only tried asks for nothing and counts nothing', () => {
    const guard = createGuard(signIn(), 'gateway', { trial: {} })
    const header = (key: string) => (key === 'content-type' ? 'application/json' : undefined)
    const incoming = { method: 'POST', target: '/v1/sign-in', httpVersion: '1.1', rawHeaders: [], header }
    const exchange = guard.open({ ...incoming, peer: undefined, encrypted: true })
    guard.admit(exchange)
    assert.equal(exchange.cell.id, 'POST /v1/sign-in')
    assert.equal(exchange.signIn, undefined)
  })

  it('holds for every spelling of a sign-in’s path that some program takes for it', () => {
    const services = {
      lockouts: { reserve: () => Promise.reject(new Error()) } as never,
      secret: () => 'a pepper of the tests',
    }
    const policy = { ...signIn(), request: { nonCanonical: 'strict' } } as PolicyDocument
    const guard = createGuard(policy, 'gateway', { services })
    for (const target of ['/v1/sign-in', '/V1/Sign-In', '/v1/sign-in/', '/v1/sign-in?x=1']) {
      const incoming = { method: 'POST', target, httpVersion: '1.1', rawHeaders: [], header: () => undefined }
      const { settings } = guard.open({ ...incoming, peer: undefined, encrypted: true }).cell
      assert.deepEqual((settings['lockout'] as LockoutSetting).name, name, target)
    }
  })
})

describe('the page', () => {
  const shown = async (policy: PolicyDocument, audience: 'public' | 'reviewer') =>
    postureHtml(await createPosture(policy, { place: 'gateway', now: 0, audience }))

  it('tells everybody that guessing is limited, and reviewers how', async () => {
    const [everybody, reviewer] = [await shown(signIn(), 'public'), await shown(signIn(), 'reviewer')]
    for (const html of [everybody, reviewer]) assert.ok(html.includes('limited per account and per address'))
    const budgetWords = '5 guesses at once, 11 in the first hour, then 24 a day, 100 in all'
    assert.ok(reviewer.includes(budgetWords))
    assert.ok(!everybody.includes(budgetWords))
    assert.ok(!everybody.includes('20 guesses of one address'))
  })

  it('tells reviewers from when on strangers are challenged, and how hard', async () => {
    const surging = { ...signIn(), lockout: { surge: {} } } as PolicyDocument
    const [everybody, reviewer] = [await shown(surging, 'public'), await shown(surging, 'reviewer')]
    const words = 'from 300 failures of strangers in 1 minute on'
    assert.ok(reviewer.includes(words) && reviewer.includes('about 262,144 hashes'))
    assert.ok(reviewer.includes('200 guesses of one IPv6 /48 in any 10 minutes'))
    assert.ok(!everybody.includes(words))
    assert.ok(!(await shown(signIn(), 'reviewer')).includes(words))
  })

  it('says that nothing is set, and why that matters', () => {
    const { entries, limits } = lockout.describe(
      resolvedFor(resolvePolicy({ extends: 'api' }), lockout),
      'gateway',
    )
    assert.deepEqual(entries, [])
    assert.match(limits[0]!, /how often a password or a code is guessed is not limited here/)
  })

  it('says what is not done', () => {
    const said = (setting: LockoutSetting, place: 'gateway' | 'node') =>
      lockout.describe(resolvedFor(resolvePolicy(signIn(setting)), lockout), place).limits.join('\n')
    assert.match(said({}, 'gateway'), /very many accounts.*are not held back/)
    const surging = { ...signIn(), lockout: { surge: {} } } as PolicyDocument
    const { limits } = lockout.describe(resolvedFor(resolvePolicy(surging), lockout), 'gateway')
    assert.doesNotMatch(limits.join('\n'), /are not held back/)
    assert.match(limits.join('\n'), /dearer and no fewer/)
    assert.match(said({}, 'gateway'), /No route tells of recoveries/)
    assert.doesNotMatch(said({ recovery: true }, 'gateway'), /No route tells of recoveries/)
    assert.match(said({}, 'node'), /withLockout/)
    assert.match(said({ success: [302] }, 'gateway'), /A redirect counts as a success/)
    assert.match(said({ mode: 'report' }, 'gateway'), /In report mode/)
  })
})

const ROWS: readonly (readonly [LockoutSetting, LockoutSetting, Strength])[] = [
  [{}, {}, 'neutral'],
  [{}, { freeFailures: 2 }, 'neutral'],
  [{}, { name }, 'stronger'],
  [{ name }, {}, 'weaker'],
  [{ name }, { name, mode: 'report' }, 'weaker'],
  [{ name }, { name, freeFailures: 3 }, 'stronger'],
  [{ name }, { name, freeFailures: 5 }, 'weaker'],
  [{ name }, { name, firstWaitSeconds: 60 }, 'stronger'],
  [{ name }, { name, firstWaitSeconds: 10, disabledAt: 50 }, 'incomparable'],
  [{ name }, { name, disabledAt: 50 }, 'stronger'],
  [{ name }, { name, longestWaitSeconds: 1_800 }, 'weaker'],
  [{ name }, { name, quietSeconds: 172_800 }, 'neutral'],
  [{ name }, { name, lockedAt: 20 }, 'weaker'],
  [{ name }, { name, addressFailures: 10 }, 'stronger'],
  [{ name }, { name, addressWindowSeconds: 60 }, 'weaker'],
  [{ name }, { name, addressFailures: 10, addressWindowSeconds: 60 }, 'incomparable'],
  [{ name }, { name, networkFailures: 100 }, 'stronger'],
  [{ name }, { name, networkFailures: 400 }, 'weaker'],
  [{ name }, { name, networkFailures: 100, addressWindowSeconds: 60 }, 'incomparable'],
  [{ name }, { name, surge: {} }, 'stronger'],
  [{ name, surge: {} }, { name }, 'weaker'],
  [{ name, surge: {} }, { name, surge: { failures: 300, difficulty: 18 } }, 'neutral'],
  [{ name, surge: {} }, { name, surge: { failures: 250 } }, 'stronger'],
  [{ name, surge: {} }, { name, surge: { failures: 400 } }, 'weaker'],
  [{ name, surge: {} }, { name, surge: { failures: 400, seconds: 120 } }, 'incomparable'],
  [{ name, surge: {} }, { name, surge: { calmSeconds: 60 } }, 'weaker'],
  [{ name, surge: {} }, { name, surge: { difficulty: 17 } }, 'weaker'],
  [{ name, surge: {} }, { name, surge: { lifeSeconds: 300 } }, 'weaker'],
  [{ name, surge: {} }, { name, surge: { lifeSeconds: 60, difficulty: 17 } }, 'incomparable'],
  [{ surge: {} }, {}, 'neutral'],
  [{ name }, { name, success: [200] }, 'stronger'],
  [{ name }, { name, success: [200, 201, 204, 302] }, 'weaker'],
  [{ name }, { name, success: [302] }, 'incomparable'],
  [{ name }, { name, deviceCookie: false }, 'incomparable'],
  [{ name }, { name: { from: 'form', field: 'email' } }, 'incomparable'],
  [{ name }, { name, authenticator: 'totp' }, 'incomparable'],
  [{ name }, { name, secret: 'other' }, 'neutral'],
  [{}, { recovery: true }, 'neutral'],
  [{ name }, { name, freeFailures: 4, authenticator: 'password', deviceCookie: true }, 'neutral'],
]
describe('a change', () => {
  for (const [from, to, wanted] of ROWS)
    it(`${JSON.stringify(from)} → ${JSON.stringify(to)} is ${wanted}`, () =>
      assert.equal(verdictOf(lockout.compare(from, to)), wanted))

  it('that is weaker comes with what has become possible', () => {
    const [change] = lockout.compare({ name }, { name, longestWaitSeconds: 1_800 })
    assert.deepEqual(change, {
      strength: 'weaker',
      what: 'budget',
      because:
        'guess 12 at one account is verified 3690 seconds after the first, where it was 3810 seconds after the first',
    })
  })

  it('that leaves strangers unchallenged says what becomes possible', () => {
    const [change] = lockout.compare({ name, surge: {} }, { name, surge: { difficulty: 10, failures: 500 } })
    assert.equal(
      change?.because,
      'strangers are challenged from 500 failures in 1 minute on, where they were from 300 failures in 1 minute',
    )
    const [gone] = lockout.compare({ name, surge: {} }, { name })
    assert.match(gone?.because ?? '', /very many accounts from very many addresses are not held back/)
  })

  const surge = fc.record(
    {
      failures: fc.constantFrom(250, 300, 1_000),
      seconds: fc.constantFrom(60, 120),
      calmSeconds: fc.constantFrom(300, 600),
      difficulty: fc.constantFrom(16, 18),
      lifeSeconds: fc.constantFrom(60, 120),
    },
    { requiredKeys: [] },
  )
  const numbers = fc.record(
    {
      surge,
      networkFailures: fc.constantFrom(100, 200),
      freeFailures: fc.integer({ min: 0, max: 6 }),
      firstWaitSeconds: fc.constantFrom(10, 30, 60),
      longestWaitSeconds: fc.constantFrom(600, 1_800, 3_600),
      disabledAt: fc.constantFrom(20, 50, 100),
      quietSeconds: fc.constantFrom(7_200, 86_400),
      addressFailures: fc.constantFrom(10, 20),
      addressWindowSeconds: fc.constantFrom(60, 600),
      lockedAt: fc.constantFrom(8, 10),
    },
    { requiredKeys: [] },
  )
  const setting: fc.Arbitrary<LockoutSetting> = numbers.map((over) => ({ name, ...over }))

  it('that is not weaker lets no guesser have more in any time', () => {
    fc.assert(
      fc.property(setting, setting, fc.integer({ min: 0, max: 500_000 }), (from, to, seconds) => {
        const verdict = verdictOf(lockout.compare(from, to))
        if (verdict === 'weaker' || verdict === 'incomparable') return
        assert.ok(budget(seconds, numbersOf(to)) <= budget(seconds, numbersOf(from)))
      }),
    )
  })

  it('is the opposite of its way back, and an order', () => {
    const opposite = {
      stronger: 'weaker',
      weaker: 'stronger',
      neutral: 'neutral',
      incomparable: 'incomparable',
    }
    fc.assert(
      fc.property(setting, setting, setting, (a, b, c) => {
        const order = (from: LockoutSetting, to: LockoutSetting) => verdictOf(lockout.compare(from, to))
        assert.equal(order(b, a), opposite[order(a, b)])
        const isUp = (verdict: Strength) => verdict === 'stronger' || verdict === 'neutral'
        if (isUp(order(a, b)) && isUp(order(b, c))) assert.ok(isUp(order(a, c)))
      }),
    )
  })
})

const bytes = (text: string) => new TextEncoder().encode(text)
const json = { contentType: 'application/json', contentEncoding: undefined, query: '' }

test('a name in JSON that is written in whatever way is the one that JSON.parse reads, or none', () => {
  const text = fc.oneof(
    fc.json(),
    fc
      .array(
        fc.tuple(
          fc.constantFrom('email', 'Email', 'e\\u006dail', 'x', 'email '),
          fc.constantFrom('"a"', '"b"', '1', 'null'),
        ),
      )
      .map((members) => `{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`),
    fc.string(),
  )
  fc.assert(
    fc.property(text, (body) => {
      const found = nameInBody(bytes(body), name, json)
      if ('code' in found) return
      assert.equal((JSON.parse(body) as { email: unknown }).email, found.name)
    }),
    { numRuns: 3_000 },
  )
})

test('a name in a form is the one that URLSearchParams reads, first and last, or none', () => {
  const part = fc.oneof(
    fc.constantFrom('email', 'EMAIL', 'email[]', 'e%6Dail', '&', '=', ';', '+', '%', 'x', '%20'),
    fc.string(),
  )
  const form = { ...json, contentType: 'application/x-www-form-urlencoded' }
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const body = parts.join('')
      const found = nameInBody(bytes(body), { from: 'form', field: 'email' }, form)
      if ('name' in found) assert.deepEqual(new URLSearchParams(body).getAll('email'), [found.name])
    }),
    { numRuns: 3_000 },
  )
})

test('a policy that lets one address guess more often lets its network do so too', () => {
  const { networkFailures } = numbersOf({ addressFailures: 1_000 })
  assert.equal(networkFailures, 1_000)
  assert.equal(numbersOf({ addressFailures: 100 }).networkFailures, 200)
  assert.equal(numbersOf({ addressFailures: 1_000, networkFailures: 300 }).networkFailures, 300)
})
