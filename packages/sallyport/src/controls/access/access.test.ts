// Who comes in and who does not, through a guard: each answer with its status, code and challenge.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { app, bearer, cookie, key, POLICY, session } from '../../../test/access/app.ts'
import { makeKey, NOW, token } from '../../../test/access/issuer.ts'
import { guard as guardFetch } from '../../adapters/fetch.ts'
import { createGuard } from '../../guard/guard.ts'
import type { Principal } from '../../guard/principal.ts'

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
