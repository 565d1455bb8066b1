// Who comes in and who does not, through a guard: each answer with its status, code and challenge.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUDIENCE, ISSUER, KEYS_URL, makeKey, NOW, publishing, token } from '../../../test/access/issuer.ts'
import { exchangeOf, guard as guardFetch } from '../../adapters/fetch.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Principal } from '../../guard/principal.ts'
import { PolicyError } from '../../policy/problem.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import type { Services } from '../../ports/services.ts'

const key = makeKey('EdDSA', 'k1')

const SCOPES = {
  'orders:read': 'Read orders.',
  'orders:write': 'Change orders.',
  'settings:write': 'Change settings.',
}
const POLICY: PolicyDocument = {
  transport: { tls: 'in-front' },
  access: {
    catalogue: {
      scopes: SCOPES,
      roles: {
        admin: ['orders:read', 'orders:write', 'settings:write'],
        member: ['orders:read', 'orders:write'],
      },
    },
    tokens: [
      {
        issuer: ISSUER,
        audience: AUDIENCE,
        jwks: KEYS_URL,
        claims: { organisation: 'org', role: 'role' },
      },
    ],
    sessions: { cookie: '__Host-session' },
  },
  routes: {
    '/v1/me': { access: { authenticated: true } },
    'GET /v1/orders/*': { credentials: 'bearer', access: { scopes: ['orders:read'] } },
    'POST /v1/orders/*': { access: { scopes: ['orders:read', 'orders:write'] } },
    '/v1/any': { access: { anyScope: ['orders:write', 'settings:write'] } },
    '/v1/team': { access: { roles: ['admin'] } },
    '/v1/browser': { credentials: 'cookie', access: { kinds: ['session'] } },
    '/v1/danger': { access: { signIn: { maxAgeSeconds: 300, methods: ['otp', 'hwk'] } } },
    '/v1/optional': { access: { authenticated: false } },
    '/v1/status': { credentials: 'none' },
  },
}

const session = (more: Partial<Principal> = {}): Principal => ({
  organisation: 'org_1',
  subject: 'person_1',
  credential: { kind: 'session', id: 'session_1' },
  scopes: [],
  ...more,
})

function app(services: Services = {}, policy: PolicyDocument = POLICY) {
  const events: AuditEvent[] = []
  const sessions = new Map([['s1', session({ role: 'member' })]])
  const guard = createGuard(policy, 'fetch', {
    clock: () => NOW,
    services: {
      fetch: publishing(key).fetch,
      sessions: {
        find: (cookies) => {
          const principal = sessions.get(/__Host-session=(\w+)/.exec(cookies)?.[1] ?? '')
          return principal ? { principal } : 'unknown'
        },
      },
      audit: { record: (event) => events.push(event) },
      ...services,
    },
  })
  const seen: (Principal | undefined)[] = []
  const handler = guardFetch(guard, (request: Request) => {
    seen.push(exchangeOf(request)?.principal)
    return new Response('{}')
  })
  return {
    events,
    seen,
    sessions,
    async ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
      const response = await handler(new Request(`https://api.example${path}`, { headers, method }))
      const body = (await response.json()) as { code?: string }
      const challenge = response.headers.get('www-authenticate')
      return [response.status, ...(body.code ? [body.code] : []), ...(challenge ? [challenge] : [])]
    },
  }
}
/** A request as a front end hands it to the guard. */
function incoming(target: string, headers: readonly string[]): Parameters<Guard['open']>[0] {
  const rawHeaders = ['Host', 'api.example', ...headers]
  return {
    method: 'GET',
    target,
    httpVersion: '1.1',
    rawHeaders,
    header(name) {
      const at = rawHeaders.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name)
      return at < 0 ? undefined : rawHeaders[at + 1]
    },
    peer: '192.0.2.1',
    encrypted: true,
  }
}

const bearer = (text: string) => ({ Authorization: `Bearer ${text}` })
const cookie = { Cookie: 'a=b; __Host-session=s1' }

test('H8 without a credential: 401 without an error code, for every path that is not public', async () => {
  const { ask, seen, events } = app()
  for (const path of [
    '/v1/me',
    '/v1/orders/1',
    '/v1/team',
    '/nowhere',
    '/v1//me',
    '/V1/ME/..',
    '/v1/status/',
  ])
    assert.deepEqual(await ask(path), [401, 'unauthenticated', 'Bearer'], path)
  assert.deepEqual(await ask('/v1/orders/1', { Authorization: 'Basic YTpi' }), [
    401,
    'unauthenticated',
    'Bearer',
  ])
  assert.deepEqual(await ask('/v1/status'), [200])
  assert.deepEqual(await ask('/v1/optional'), [200])
  assert.deepEqual(seen, [undefined, undefined])
  // Who shows nothing is no event.
  assert.deepEqual(events, [])
})

const WRONG: readonly (readonly [name: string, value: string])[] = [
  ['garbage', 'Bearer garbage'],
  ['nothing behind the scheme', 'Bearer'],
  ['two tokens', 'Bearer a b'],
  ['a list', `Bearer ${token(key)}, Bearer ${token(key)}`],
  ['something like a key', 'Bearer sk_acme_live_0000000000000000000000000000000000000'],
  ['another key', `Bearer ${token(makeKey('EdDSA', 'k1'))}`],
  ['a token that is over', `Bearer ${token(key, { exp: NOW / 1000 - 31 })}`],
  ['a token for somebody else', `Bearer ${token(key, { aud: 'https://other.example' })}`],
]
for (const [name, value] of WRONG)
  test(`a wrong credential is refused alike, also where none is required: ${name}`, async () => {
    const { ask, seen, events } = app()
    for (const path of ['/v1/me', '/v1/orders/1', '/v1/optional'])
      assert.deepEqual(await ask(path, { Authorization: value }), [
        401,
        'invalid_credential',
        'Bearer error="invalid_token"',
      ])
    assert.deepEqual(seen, [])
    assert.equal(events[0]!.action, 'access.denied')
    assert.ok(!JSON.stringify(events).includes(value.slice(7) || 'Bearer'))
  })

test('H8 a token opens what its scopes say, and no more', async () => {
  const { ask, seen, events } = app()
  const reader = bearer(token(key))
  assert.deepEqual(await ask('/v1/orders/1', reader), [200])
  assert.deepEqual(await ask('/v1/me', reader), [200])
  assert.deepEqual(seen[0]!.scopes, ['orders:read'])
  assert.deepEqual(await ask('/v1/orders/1', reader, 'POST'), [
    403,
    'insufficient_scope',
    'Bearer error="insufficient_scope", scope="orders:read orders:write"',
  ])
  assert.deepEqual(await ask('/v1/any', reader), [
    403,
    'insufficient_scope',
    'Bearer error="insufficient_scope", scope="orders:write"',
  ])
  assert.deepEqual(await ask('/v1/any', bearer(token(key, { scope: 'settings:write' }))), [200])
  assert.equal(events.length, 2)
  assert.deepEqual(events[0], {
    action: 'access.scope_missing',
    outcome: 'denied',
    control: 'SP-ACCESS-01',
    code: 'insufficient_scope',
    cell: 'POST /v1/orders/*',
    organisation: 'org_1',
    credential: 'token_1',
    actor: 'person_1',
  })
})

test('H10 a credential never reaches further than the role of its owner', async () => {
  const { ask, seen } = app()
  const all = 'orders:read orders:write settings:write'
  const as = (role: string) => bearer(token(key, { scope: all, role, jti: role }))
  assert.deepEqual(await ask('/v1/any', as('member')), [200])
  assert.deepEqual(seen.at(-1)!.scopes, ['orders:read', 'orders:write'])
  assert.deepEqual(await ask('/v1/team', as('member')), [403, 'forbidden'])
  assert.deepEqual(await ask('/v1/team', as('admin')), [200])
  assert.equal((await ask('/v1/any', as('stranger')))[0], 403)
})

test('H10 D23 a session has the scopes of its role', async () => {
  const { ask, seen, sessions } = app()
  assert.deepEqual(await ask('/v1/any', cookie), [200])
  assert.deepEqual(seen.at(-1)!.scopes, ['orders:read', 'orders:write'])
  assert.deepEqual(await ask('/v1/team', cookie), [403, 'forbidden'])
  sessions.set('s1', session({ role: 'admin' }))
  assert.deepEqual(await ask('/v1/team', cookie), [200])
  assert.deepEqual(await ask('/v1/browser', cookie), [200])
  assert.deepEqual(await ask('/v1/me', { Cookie: '__Host-session=gone' }), [
    401,
    'invalid_credential',
    'Bearer error="invalid_token"',
  ])
  // Another cookie is no credential.
  assert.deepEqual(await ask('/v1/me', { Cookie: 'x__Host-session=s1' }), [401, 'unauthenticated', 'Bearer'])
})

test('a kind of credential that a route does not take is none there', async () => {
  const { ask } = app()
  assert.deepEqual(await ask('/v1/orders/1', cookie), [401, 'unauthenticated', 'Bearer'])
  assert.deepEqual(await ask('/v1/browser', bearer(token(key))), [401, 'unauthenticated', 'Bearer'])
})

test('two credentials at once are refused, whichever they are', async () => {
  const { ask } = app()
  const both = { ...cookie, ...bearer(token(key)) }
  for (const path of ['/v1/me', '/v1/optional', '/v1/browser'])
    assert.deepEqual(await ask(path, both), [400, 'ambiguous_credentials'], path)
  const twice = { Cookie: '__Host-session=s1; __Host-session=s2' }
  assert.deepEqual(await ask('/v1/me', twice), [400, 'ambiguous_credentials'])
  // Where cookies are no credential, browsers send them along all the same.
  assert.deepEqual(await ask('/v1/orders/1', both), [200])
})

test('a page of any origin acts by its token, never by the cookies of its visitor', async () => {
  const { ask } = app(
    {},
    { ...POLICY, cors: { origins: ['https://app.example'], bearer: 'any-origin', allowMethods: ['GET'] } },
  )
  const evil = { Origin: 'https://evil.example' }
  assert.deepEqual(await ask('/v1/me', { ...cookie, ...evil }), [401, 'unauthenticated', 'Bearer'])
  assert.deepEqual(await ask('/v1/me', { ...cookie, ...evil, ...bearer(token(key)) }), [200])
  assert.deepEqual(await ask('/v1/me', { ...cookie, Origin: 'https://app.example' }), [200])
})

test('a preflight, which can carry no credential, is answered before', async () => {
  const guard = createGuard(
    { ...POLICY, cors: { origins: ['https://app.example'], allowMethods: ['GET'] } },
    'fetch',
    { services: { sessions: { find: () => 'unknown' } } },
  )
  const handler = guardFetch(guard, () => new Response('handler'))
  const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' }
  const answer = await handler(new Request('https://a.example/v1/me', { method: 'OPTIONS', headers }))
  assert.equal(answer.status, 204)
})

test('a sign-in that is old or weak is asked for again (RFC 9470)', async () => {
  const { ask } = app()
  const signedIn = (secondsAgo: number, amr: readonly string[]) =>
    bearer(token(key, { auth_time: NOW / 1000 - secondsAgo, amr, jti: `${secondsAgo}${amr}` }))
  const again = [
    401,
    'step_up_required',
    'Bearer error="insufficient_user_authentication", acr_values="otp hwk", max_age="300"',
  ]
  assert.deepEqual(await ask('/v1/danger', signedIn(300, ['pwd', 'otp'])), [200])
  assert.deepEqual(await ask('/v1/danger', signedIn(301, ['pwd', 'otp'])), again)
  assert.deepEqual(await ask('/v1/danger', signedIn(10, ['pwd'])), again)
  assert.deepEqual(await ask('/v1/danger', bearer(token(key))), again)
  const byKey: Principal = { ...session(), credential: { kind: 'key', id: 'key_1' } }
  assert.deepEqual(
    await app({ sessions: { find: () => ({ principal: byKey }) } }).ask('/v1/danger', cookie),
    [403, 'forbidden'],
  )
})

test('where nobody can say whose a credential is, nobody comes in', async () => {
  const gone = app({ fetch: () => Promise.reject(new TypeError('fetch failed')) })
  assert.deepEqual(await gone.ask('/v1/me', bearer(token(key))), [503, 'credentials_unavailable'])
  for (const find of [
    () => 'unavailable' as const,
    () => Promise.reject(new Error('the store is gone')),
    () => {
      throw new Error('the store is gone')
    },
  ])
    assert.deepEqual(await app({ sessions: { find } }).ask('/v1/me', cookie), [
      503,
      'credentials_unavailable',
    ])
})

test('a warm request waits for nothing', async () => {
  const guard = createGuard(POLICY, 'node', {
    clock: () => NOW,
    services: { fetch: publishing(key).fetch, sessions: { find: () => 'unknown' } },
  })
  const text = token(key)
  const open = () => guard.open(incoming('/v1/me', ['Authorization', `Bearer ${text}`]))
  await guard.admit(open())
  const exchange = open()
  assert.equal(guard.admit(exchange), undefined)
  assert.equal(exchange.principal?.subject, 'person_1')
})

test('in report mode nobody is refused, and what would have been is counted', async () => {
  const policy = { ...POLICY, access: { ...POLICY.access, mode: 'report' as const } }
  const { ask, events } = app({}, policy)
  assert.deepEqual(await ask('/v1/team'), [200])
  assert.deepEqual(await ask('/v1/team', bearer('garbage')), [200])
  assert.deepEqual(events, [])
})

test('a policy that is only tried takes who is said to call, and asks nobody', () => {
  const principal = session({ role: 'admin' })
  const verdict = (trial: { principal?: Principal }) => {
    const guard = createGuard(POLICY, 'node', { trial })
    return guard.admit(guard.open(incoming('/v1/team', ['Authorization', 'Bearer x'])))
  }
  assert.equal(verdict({ principal }), undefined)
  const refused = verdict({})
  assert.ok(refused && 'code' in refused && refused.code === 'unauthenticated')
})

test('what the policy asks for must be given when the guard is made', () => {
  const missing = (services: Services, policy = POLICY) => {
    try {
      createGuard(policy, 'node', { services })
    } catch (error) {
      assert.ok(error instanceof PolicyError)
      return error.problems.map(({ mend }) => mend)
    }
    return []
  }
  assert.deepEqual(missing({}), ['give services.sessions, which says who is signed in'])
  const asked: PolicyDocument = {
    access: {
      tokens: [{ introspection: { url: 'https://id.example/i', clientId: 'a', secret: 'IDP' } }],
      identity: { audience: 'a', key: 'IDENTITY' },
    },
  }
  assert.deepEqual(missing({}, asked), [
    'give services.secret that knows "IDENTITY": an Ed25519 private key as JWK (access.identity.key)',
  ])
  const identity = JSON.stringify(key.privateKey.export({ format: 'jwk' }))
  assert.deepEqual(missing({ secret: (name) => (name === 'IDENTITY' ? identity : undefined) }, asked), [
    'give services.secret that knows "IDP", by which the issuer is asked (access.tokens)',
  ])
  assert.deepEqual(missing({}, { access: { tokens: [{ service: true }] } }), [
    'give services.tokens, which knows the tokens of the program itself',
  ])
})

test('a policy that says nothing of access asks nothing', async () => {
  const { ask } = app({}, { transport: { tls: 'in-front' }, routes: { '/a': {} } })
  assert.deepEqual(await ask('/a', bearer('garbage')), [200])
  assert.deepEqual(await ask('/nowhere'), [200])
})

test('H11 callers are answered about themselves, and that counts as any other request', async () => {
  const policy: PolicyDocument = {
    ...POLICY,
    access: { ...POLICY.access, selfService: true },
    limits: {
      plans: { free: { buckets: { minute: { limit: 3, windowSeconds: 60 } } } },
      defaultPlan: 'free',
    },
  }
  const guard = createGuard(policy, 'fetch', {
    clock: () => NOW,
    services: { fetch: publishing(key).fetch, sessions: { find: () => 'unknown' } },
  })
  const handler = guardFetch(guard, () => Response.json('the application'))
  const ask = async (path: string, headers: Record<string, string> = bearer(token(key)), method = 'GET') => {
    const answer = await handler(new Request(`https://api.example${path}`, { headers, method }))
    return [answer.status, await answer.json(), answer.headers.get('cache-control')]
  }
  assert.deepEqual(await ask('/v1/account'), [
    200,
    {
      organisation: 'org_1',
      subject: 'person_1',
      credential: { kind: 'token', id: 'token_1', expiresAt: new Date(NOW + 300_000).toISOString() },
      scopes: ['orders:read'],
    },
    'no-store, private',
  ])
  assert.deepEqual((await ask('/v1/limits'))[1], {
    buckets: [{ bucket: 'minute', limit: 3, remaining: 1, resetSeconds: 60 }],
    credential: { kind: 'token', id: 'token_1', expiresAt: new Date(NOW + 300_000).toISOString() },
  })
  assert.equal((await ask('/v1/account', {}))[0], 401)
  assert.deepEqual((await ask('/v1/me'))[1], 'the application')
  assert.equal((await ask('/v1/limits'))[0], 429)
})

test('lines that stand twice are read as programs join them, also where `request` does not refuse them', () => {
  const guard = createGuard({ ...POLICY, request: { mode: 'off' } }, 'node', {
    services: {
      sessions: { find: (cookies) => (cookies.includes('=s1') ? { principal: session() } : 'unknown') },
    },
  })
  const codeOf = (...headers: string[]) => {
    const verdict = guard.admit(guard.open(incoming('/v1/me', headers)))
    return verdict instanceof Promise ? 'late' : verdict && 'code' in verdict ? verdict.code : 'in'
  }
  assert.equal(codeOf('Cookie', 'a=b', 'cookie', '__Host-session=s1'), 'in')
  assert.equal(codeOf('Cookie', '__Host-session=s1', 'cookie', '__Host-session=s2'), 'ambiguous_credentials')
  assert.equal(codeOf('Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b'), 'ambiguous_credentials')
})
