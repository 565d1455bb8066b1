// Guessing at passwords through the gateway, over the network, at an upstream that only checks them.

import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { AuditEvent, LockoutStore, PolicyDocument } from 'sallyport'
import { CHALLENGE_ANSWER, type Puzzle, solveChallenge } from 'sallyport/challenge'
import { memoryLockouts } from 'sallyport/lockout'
import { type Answer, ask, gatewayFor, IN_FRONT, type Running, upstreamFor } from './harness.ts'

const SECRET = 'a pepper of the tests, long enough'
const PASSWORDS: Readonly<Record<string, string>> = { 'ada@example.com': 'right', 'bob@example.com': 'right' }
const FORM = 'application/x-www-form-urlencoded'

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

interface SignIns extends Running {
  readonly events: Running['events']
  readonly audit: readonly AuditEvent[]
  /** How many guesses the upstream has verified. */
  verified(): number
  pass(seconds: number): void
  signIn(email: string, password: string, about?: About): Promise<Answer>
}

interface About {
  readonly from?: string
  readonly cookie?: string
  readonly body?: string
  readonly type?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A gateway before an API that signs people in; callers come by a declared proxy, so a test can have many addresses. */
async function signIns(
  context: TestContext,
  options: { lockout?: PolicyDocument['lockout']; store?: LockoutStore } = {},
): Promise<SignIns> {
  let verified = 0
  const upstream = await upstreamFor(context, async (request, response) => {
    const text = await bodyOf(request)
    const isForm = (request.headers['content-type'] ?? '').startsWith(FORM)
    const given = isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text || '{}')
    if (request.url === '/v1/recovery' || request.url === '/v1/elsewhere')
      return void response.writeHead(200, { 'lockout-recovered': encodeURIComponent(given.email) }).end('{}')
    verified++
    if (request.url === '/v1/crash') return void response.writeHead(500).end('{}')
    const isRight = PASSWORDS[String(given.email).trim().toLowerCase()] === given.password
    response.writeHead(isRight ? 200 : 401, {
      'content-type': 'application/json',
      'set-cookie': 'session=1; HttpOnly',
    })
    response.end('{}')
  })
  let now = Date.UTC(2026, 0, 1)
  const clock = () => now
  const audit: AuditEvent[] = []
  const name = { from: 'json', field: 'email' } as const
  const running = await gatewayFor(context, {
    upstream,
    clock,
    policy: {
      ...IN_FRONT,
      client: { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' },
      lockout: options.lockout ?? {},
      routes: {
        'POST /v1/sign-in': { lockout: { name } },
        'POST /v1/code': { lockout: { name, authenticator: 'totp' } },
        'POST /v1/form': { lockout: { name: { from: 'form', field: 'email' } } },
        'POST /v1/crash': { lockout: { name } },
        'POST /v1/recovery': { lockout: { recovery: true } },
      },
    },
    services: {
      lockouts: options.store ?? memoryLockouts({ clock }),
      secret: () => SECRET,
      audit: { record: (event) => void audit.push(event) },
    },
  })
  return Object.assign(running, {
    audit,
    verified: () => verified,
    pass(seconds: number) {
      now += seconds * 1_000
    },
    signIn: (email: string, password: string, about: About = {}) =>
      ask(running, about.path ?? '/v1/sign-in', {
        method: 'POST',
        headers: {
          'x-forwarded-for': about.from ?? '192.0.2.1',
          'content-type': about.type ?? 'application/json',
          ...(about.cookie === undefined ? {} : { cookie: about.cookie }),
          ...about.headers,
        },
        body: about.body ?? JSON.stringify({ email, password }),
      }),
  })
}

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status)
const codeOf = ({ body }: Answer) => (JSON.parse(body) as { code: string }).code
const deviceOf = (answer: Answer) =>
  answer.values('set-cookie').find((value) => value.startsWith('__Host-sallyport_device='))

async function fail(
  under: SignIns,
  times: number,
  about: (at: number) => About = () => ({}),
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let at = 0; at < times; at++)
    answers.push(await under.signIn('ada@example.com', `wrong ${at}`, about(at)))
  return answers
}

test('H12 per e-mail: five guesses from five addresses, and the sixth waits, right or wrong', async (context) => {
  const under = await signIns(context)
  const from = (at: number) => ({ from: `192.0.2.${at}` })
  assert.deepEqual(statuses(await fail(under, 5, from)), [401, 401, 401, 401, 401])
  const [wrong, right] = [
    await under.signIn('ada@example.com', 'wrong', { from: '192.0.2.77' }),
    await under.signIn(' ADA@example.com', 'right', { from: '192.0.2.78' }),
  ]
  assert.deepEqual(statuses([wrong, right]), [429, 429])
  assert.equal(codeOf(wrong), 'locked_out')
  assert.equal(wrong.header('retry-after'), '60')
  const said = ({ body }: Answer) => body.replace(/"requestId":"[^"]*"|"instance":"[^"]*"/g, '')
  assert.equal(said(right), said(wrong))
  assert.equal(under.verified(), 5)
  assert.equal((await under.signIn('bob@example.com', 'right')).status, 200)
})

test('H12 per IP: twenty guesses at twenty accounts, right ones too, and the twenty-first is refused', async (context) => {
  const under = await signIns(context)
  for (let at = 0; at < 19; at++)
    assert.equal((await under.signIn(`n${at}@example.com`, 'spray')).status, 401)
  assert.equal((await under.signIn('ada@example.com', 'right')).status, 200)
  const refused = await under.signIn('bob@example.com', 'right')
  assert.deepEqual([refused.status, codeOf(refused)], [429, 'locked_out'])
  assert.equal((await under.signIn('bob@example.com', 'right', { from: '192.0.2.2' })).status, 200)
  under.pass(601)
  assert.equal((await under.signIn('bob@example.com', 'right')).status, 200)
})

test('H12 per IP: the addresses of one IPv6 household count as one', async (context) => {
  const under = await signIns(context)
  const household = (at: number) => ({ from: `2001:db8:1:2::${at.toString(16)}` })
  for (let at = 0; at < 20; at++)
    assert.equal((await under.signIn(`n${at}@example.com`, 'spray', household(at))).status, 401)
  assert.equal((await under.signIn('ada@example.com', 'right', household(99))).status, 429)
  assert.equal((await under.signIn('ada@example.com', 'right', { from: '2001:db8:1:3::1' })).status, 200)
})

test('H12 exponential backoff: each failure doubles the wait, up to an hour', async (context) => {
  const under = await signIns(context)
  let at = 0
  const guess = () => under.signIn('ada@example.com', 'wrong', { from: `198.51.100.${at++}` })
  for (let failures = 1; failures <= 4; failures++) assert.equal((await guess()).status, 401)
  for (const wait of [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]) {
    assert.equal((await guess()).status, 401)
    under.pass(wait - 1)
    assert.equal((await guess()).status, 429, `${wait} s are not over`)
    // The longest wait is 15 % longer.
    under.pass(1 + wait * 0.15)
  }
})

test('H12 lockout after excessive failures: the owner is told once at ten, and at a hundred only recovery helps', async (context) => {
  const under = await signIns(context)
  for (let failures = 1; failures <= 100; failures++) {
    const { status } = await under.signIn('ada@example.com', 'wrong', { from: `198.51.100.${failures}` })
    assert.equal(status, 401, `guess ${failures}`)
    under.pass(4_200)
  }
  const refused = await under.signIn('ada@example.com', 'right')
  assert.deepEqual([refused.status, refused.header('retry-after')], [429, undefined])
  const told = (action: string) => under.audit.filter((event) => event.action === action)
  assert.deepEqual(
    ['lockout.locked', 'lockout.disabled', 'session.failed', 'lockout.refused'].map(
      (each) => told(each).length,
    ),
    [1, 1, 100, 1],
  )
  const [locked] = told('lockout.locked')
  assert.equal(locked?.control, 'SP-LOCKOUT-01')
  assert.equal(locked.address, '198.51.100.10')
  const record = JSON.stringify(under.audit)
  assert.ok(!record.includes('ada@') && !record.includes('wrong') && !record.includes(SECRET))
})

test('H12 a hundred guesses at once: five are verified', async (context) => {
  const under = await signIns(context)
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, at) =>
      under.signIn('ada@example.com', `wrong ${at}`, { from: `198.51.100.${at}` }),
    ),
  )
  assert.equal(answers.filter(({ status }) => status === 401).length, 5)
  assert.equal(answers.filter(({ status }) => status === 429).length, 95)
  assert.equal(under.verified(), 5)
})

test('H12 names without an account wait like all others', async (context) => {
  const under = await signIns(context)
  const trace: string[][] = []
  for (const email of ['ada@example.com', 'nobody@example.com']) {
    const seen: string[] = []
    for (let at = 0; at < 7; at++) {
      const answer = await under.signIn(email, 'wrong', { from: `198.51.100.${at}` })
      seen.push(`${answer.status} ${answer.header('retry-after')}`)
    }
    trace.push(seen)
  }
  assert.deepEqual(trace[0], trace[1])
})

test('a success forgets the failures before it, and hands the browser a device cookie beside its own', async (context) => {
  const under = await signIns(context)
  await fail(under, 4)
  const right = await under.signIn('ada@example.com', 'right')
  assert.equal(right.status, 200)
  assert.match(
    deviceOf(right) ?? '',
    /^__Host-sallyport_device=[\w.-]+; Path=\/; Max-Age=15552000; Secure; HttpOnly; SameSite=Strict$/,
  )
  assert.ok(right.values('set-cookie').includes('session=1; HttpOnly'))
  const answers = await fail(under, 5)
  assert.deepEqual(statuses(answers), [401, 401, 401, 401, 401])
  for (const answer of answers) assert.equal(deviceOf(answer), undefined)
})

test('ASVS 6.1.1: strangers can’t keep an owner out of a browser that has signed in', async (context) => {
  const under = await signIns(context)
  const [cookie = ''] = (deviceOf(await under.signIn('ada@example.com', 'right')) ?? '').split(';')
  await fail(under, 30)
  assert.equal((await under.signIn('ada@example.com', 'right')).status, 429)
  const own = await under.signIn('ada@example.com', 'right', { cookie: `a=b; ${cookie}` })
  assert.deepEqual([own.status, deviceOf(own)], [200, undefined])
  // It is good for one name alone, and only unchanged.
  await fail(under, 1, () => ({ from: '203.0.113.1' }))
  for (let at = 0; at < 5; at++)
    await under.signIn('bob@example.com', 'wrong', { from: `203.0.113.${at}`, cookie })
  assert.equal((await under.signIn('bob@example.com', 'right', { from: '203.0.113.9', cookie })).status, 429)
  const forged = cookie.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
  assert.equal((await under.signIn('ada@example.com', 'right', { cookie: forged })).status, 429)
})

test('a device cookie that a page of another site sends along counts for nothing', async (context) => {
  const under = await signIns(context)
  const [cookie = ''] = (deviceOf(await under.signIn('ada@example.com', 'right')) ?? '').split(';')
  await fail(under, 5)
  const headers = { origin: 'https://evil.example' }
  assert.equal((await under.signIn('ada@example.com', 'right', { cookie, headers })).status, 429)
  assert.equal((await under.signIn('ada@example.com', 'right', { cookie })).status, 200)
})

test('a device has a budget of its own, and no more', async (context) => {
  const under = await signIns(context)
  const [cookie = ''] = (deviceOf(await under.signIn('ada@example.com', 'right')) ?? '').split(';')
  const answers = await fail(under, 8, () => ({ cookie }))
  assert.deepEqual(statuses(answers), [401, 401, 401, 401, 401, 429, 429, 429])
})

test('codes have a count of their own, which a right password does not take back', async (context) => {
  const under = await signIns(context)
  const code = () => under.signIn('ada@example.com', 'wrong', { path: '/v1/code', from: '203.0.113.1' })
  for (let at = 0; at < 5; at++) assert.equal((await code()).status, 401)
  assert.equal((await under.signIn('ada@example.com', 'right')).status, 200)
  assert.equal((await code()).status, 429)
})

test('H12 after a recovery that the application tells of, a disabled name starts anew and its devices are strangers', async (context) => {
  const under = await signIns(context, { lockout: { disabledAt: 40 } })
  const [cookie = ''] = (deviceOf(await under.signIn('ada@example.com', 'right')) ?? '').split(';')
  for (let failures = 1; failures <= 40; failures++) {
    await under.signIn('ada@example.com', 'wrong', { from: `198.51.100.${failures}` })
    under.pass(4_200)
  }
  const right = (about: About = {}) => under.signIn('ada@example.com', 'right', about)
  assert.equal((await right({ cookie })).status, 429)
  const elsewhere = await right({ path: '/v1/elsewhere' })
  assert.equal(elsewhere.status, 200)
  assert.equal((await right()).status, 429)
  const recovered = await right({ path: '/v1/recovery' })
  assert.deepEqual([recovered.status, recovered.header('lockout-recovered')], [200, undefined])
  const again = await right({ cookie })
  assert.equal(again.status, 200)
  // It is handed a new one, so the old one was a stranger's.
  assert.ok(deviceOf(again))
})

test('an upstream that fails has verified nothing that counts as right', async (context) => {
  const under = await signIns(context)
  const crash = () => under.signIn('ada@example.com', 'right', { path: '/v1/crash' })
  for (let at = 0; at < 5; at++) assert.equal((await crash()).status, 500)
  assert.equal((await crash()).status, 429)
})

const SURGE = { surge: { failures: 210, difficulty: 8 } } as const
const challengeOf = ({ body }: Answer) => (JSON.parse(body) as { readonly challenge: Puzzle }).challenge

/** So many failures at as many names from as many addresses: each within its budget. */
async function spray(under: SignIns, times: number): Promise<void> {
  for (let at = 0; at < times; at++)
    await under.signIn(`n${at}@example.com`, 'spray', { from: `203.0.${at >> 8}.${at & 255}` })
}

test('H12 in a surge a stranger solves a puzzle first, and a browser that has signed in none', async (context) => {
  const under = await signIns(context, { lockout: SURGE })
  const [cookie = ''] = (deviceOf(await under.signIn('ada@example.com', 'right')) ?? '').split(';')
  await spray(under, 210)
  const before = under.verified()
  const [right, wrong, nobody] = [
    await under.signIn('ada@example.com', 'right'),
    await under.signIn('ada@example.com', 'wrong'),
    await under.signIn('nobody@example.com', 'wrong'),
  ]
  const said = ({ body }: Answer) =>
    body.replace(/"requestId":"[^"]*"|"puzzle":"(1\.[^.]+\.[^.]+\.[^.]+)[^"]*"/g, '$1')
  for (const answer of [right, wrong, nobody]) {
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'challenge_required'])
    assert.equal(answer.header('content-type'), 'application/problem+json')
    assert.equal(said(answer), said(right))
  }
  assert.equal(under.verified(), before)
  const { kind, difficulty } = challengeOf(right)
  assert.deepEqual([kind, difficulty], ['proof-of-work', 8])
  assert.equal((await under.signIn('ada@example.com', 'right', { cookie })).status, 200)
  const solved = async (answer: Answer, email: string, from?: string) =>
    under.signIn(email, 'right', {
      headers: { [CHALLENGE_ANSWER]: await solveChallenge(challengeOf(answer)) },
      ...(from ? { from } : {}),
    })
  assert.equal((await solved(right, 'bob@example.com')).status, 403)
  assert.equal((await solved(right, 'ada@example.com', '192.0.2.9')).status, 403)
  assert.equal((await solved(right, 'ada@example.com')).status, 200)
  assert.equal((await solved(right, 'ada@example.com')).status, 403)
  assert.equal((await solved(wrong, 'ada@example.com')).status, 200)
  under.pass(121)
  assert.equal((await solved(nobody, 'nobody@example.com')).status, 403)
  // Strangers stop, and the surge is over.
  under.pass(600)
  assert.equal((await under.signIn('ada@example.com', 'right')).status, 200)
  const told = under.audit.filter(({ action }) => action.startsWith('lockout.surge'))
  assert.deepEqual(
    told.map(({ action }) => action),
    ['lockout.surge_began', 'lockout.surge_ended'],
  )
})

test('H12 successes are no surge, and in report mode nobody is challenged', async (context) => {
  const many = await signIns(context, { lockout: SURGE })
  for (let at = 0; at < 220; at++) {
    const { status } = await many.signIn('ada@example.com', 'right', { from: `203.0.113.${at}` })
    assert.equal(status, 200)
  }
  const reports = await signIns(context, { lockout: { ...SURGE, mode: 'report' } })
  await spray(reports, 211)
  assert.equal((await reports.signIn('ada@example.com', 'right')).status, 200)
  const because = reports.audit.flatMap(({ details }) => details?.['because'] ?? [])
  assert.deepEqual(because, ['challenge', 'challenge'])
})

test('H12 per IP: a site of many households has its own limit beside theirs', async (context) => {
  const under = await signIns(context, { lockout: { networkFailures: 30 } })
  const from = (at: number) => ({ from: `2001:db8:1:${at.toString(16)}::1` })
  for (let at = 0; at < 30; at++)
    assert.equal((await under.signIn(`n${at}@example.com`, 'spray', from(at))).status, 401)
  const refused = await under.signIn('ada@example.com', 'right', from(99))
  assert.deepEqual([refused.status, codeOf(refused)], [429, 'locked_out'])
  assert.equal((await under.signIn('ada@example.com', 'right', { from: '2001:db8:2::1' })).status, 200)
})

test('while the place that remembers is away nobody signs in', async (context) => {
  const away = () => Promise.reject(new Error('away'))
  const store = { reserve: away, succeed: away, reset: away, retireDevices: away }
  const under = await signIns(context, { store })
  const answer = await under.signIn('ada@example.com', 'right')
  assert.deepEqual([answer.status, codeOf(answer), under.verified()], [503, 'credentials_unavailable', 0])
})

const OTHER_BODIES: readonly (readonly [what: string, about: About, status: number])[] = [
  ['one name twice', { body: '{"email":"x@example.com","email":"ada@example.com","password":"w"}' }, 400],
  ['one name in two cases', { body: '{"email":"x@example.com","Email":"ada@example.com"}' }, 400],
  ['an escaped name twice', { body: '{"email":"x@example.com","e\\u006dail":"ada@example.com"}' }, 400],
  ['a name in the query too', { path: '/v1/sign-in?email=ada%40example.com' }, 400],
  ['an array of the name in the query', { path: '/v1/sign-in?email[]=ada' }, 400],
  ['no name', { body: '{"password":"w"}' }, 400],
  ['a name that is no text', { body: '{"email":{"$gt":""},"password":"w"}' }, 400],
  ['a list', { body: '["ada@example.com"]' }, 400],
  ['no body', { body: '' }, 400],
  ['no JSON', { body: '{"email":' }, 400],
  ['a byte order mark', { body: '\ufeff{"email":"ada@example.com"}' }, 400],
  ['another type', { type: FORM, body: 'email=ada@example.com' }, 415],
  ['another charset', { type: 'application/json; charset=utf-16' }, 415],
  ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415],
  ['a body that is too long', { body: JSON.stringify({ email: 'a', rest: 'x'.repeat(20_000) }) }, 413],
  ['a form of two names', { path: '/v1/form', type: FORM, body: 'email=x&email=ada' }, 400],
  ['a form of a name and a list', { path: '/v1/form', type: FORM, body: 'email=x&email[]=ada' }, 400],
  ['a form that PHP reads as two', { path: '/v1/form', type: FORM, body: 'email=x&%20EMAIL=ada' }, 400],
  ['a form with ";"', { path: '/v1/form', type: FORM, body: 'email=x;email=ada' }, 400],
  ['a form with a broken escape', { path: '/v1/form', type: FORM, body: 'email=%zz' }, 400],
]
test('a body in which two programs could read two names never reaches the upstream', async (context) => {
  const under = await signIns(context)
  for (const [what, about, status] of OTHER_BODIES)
    assert.equal((await under.signIn('ada@example.com', 'w', about)).status, status, what)
  assert.equal(under.verified(), 0)
  const form = {
    path: '/v1/form',
    type: `${FORM}; charset=UTF-8`,
    body: 'email=ada%40example.com&password=right',
  }
  assert.equal((await under.signIn('', '', form)).status, 200)
  const chunked = { headers: { 'transfer-encoding': 'chunked' } }
  assert.equal((await under.signIn('ada@example.com', 'right', chunked)).status, 200)
})

test('in report mode guesses are counted and refusals told, and none is refused', async (context) => {
  const under = await signIns(context, { lockout: { mode: 'report' } })
  assert.deepEqual(statuses(await fail(under, 8)), Array(8).fill(401))
  assert.equal(under.audit.filter(({ action }) => action === 'lockout.refused').length, 3)
})

test('a policy with sign-ins says what it needs', async (context) => {
  const routes = { 'POST /s': { lockout: { name: { from: 'json', field: 'email' } } } } as const
  const start = (services: object) =>
    gatewayFor(context, { upstream: 'http://127.0.0.1:9', policy: { ...IN_FRONT, routes }, services })
  await assert.rejects(start({}), /name a store in the gateway configuration/)
  const lockouts = memoryLockouts({ clock: Date.now })
  await assert.rejects(start({ lockouts, secret: () => 'short' }), /at least 16 characters for "lockout"/)
})
