// What access is given from outside and what it does without: places that are away, policies that are only tried or only
// count, and what is missing when a guard is made.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { app, bearer, cookie, incoming, key, POLICY, session } from '../../../test/access/app.ts'
import { NOW, publishing, token } from '../../../test/access/issuer.ts'
import { guard as guardFetch } from '../../adapters/fetch.ts'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Principal } from '../../guard/principal.ts'
import { PolicyError } from '../../policy/problem.ts'
import type { Services } from '../../ports/services.ts'

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
