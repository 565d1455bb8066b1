// Keys and access together: `keys` says whose a key is, `access` what it opens.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearer, cookie, key, POLICY, session } from '../../../test/access/app.ts'
import { NOW, publishing, token } from '../../../test/access/issuer.ts'
import { guard as guardFetch } from '../../adapters/fetch.ts'
import { createGuard } from '../../guard/guard.ts'
import { keyFormat } from '../../keys/format.ts'
import type { KeyRecord } from '../../ports/keys.ts'

const RECORD: KeyRecord = {
  id: 'key_1',
  kind: 'secret',
  environment: 'live',
  organisation: 'org_1',
  owner: 'person_1',
  name: 'worker',
  display: 'sk_acme_live_…0000',
  plan: 'pro',
  scopes: ['orders:read', 'settings:write'],
  ownerScopes: ['orders:read', 'settings:write'],
  ownerRole: 'member',
  origins: [],
  cidrs: [],
  createdAt: NOW,
  generation: 1,
}
const format = keyFormat('acme')
const made = (fill: number) =>
  format.make({ kind: 'secret', environment: 'live' }, (bytes) => bytes.fill(fill))
const [known, unknown] = [made(7), made(9)]

function asking() {
  const guard = createGuard(
    {
      ...POLICY,
      keys: { vendor: 'acme', header: ['authorization', 'x-api-key'] },
    },
    'fetch',
    {
      clock: () => NOW,
      services: {
        fetch: publishing(key).fetch,
        sessions: { find: () => ({ principal: session({ role: 'admin' }) }) },
        keys: { find: (text) => (text === known ? { record: RECORD } : 'unknown'), used: () => {} },
      },
    },
  )
  const handler = guardFetch(guard, () => new Response('{}'), { peer: () => '192.0.2.1' })
  return async (path: string, headers: Record<string, string>) => {
    const answer = await handler(new Request(`https://api.example${path}`, { headers }))
    const { code } = (await answer.json()) as { code?: string }
    return code === undefined ? [answer.status] : [answer.status, code]
  }
}

test('H8 H10 a key opens what its scopes say within the role of its owner', async () => {
  const ask = asking()
  assert.deepEqual(await ask('/v1/orders/1', bearer(known)), [200])
  assert.deepEqual(await ask('/v1/me', { 'X-Api-Key': known }), [200])
  assert.deepEqual(await ask('/nowhere', bearer(known)), [200])
  // A member's key has no settings:write, whatever it was given.
  assert.deepEqual(await ask('/v1/any', bearer(known)), [403, 'insufficient_scope'])
  assert.deepEqual(await ask('/v1/team', bearer(known)), [403, 'forbidden'])
  assert.deepEqual(await ask('/v1/danger', bearer(known)), [403, 'forbidden'])
})

test('a key that is not known is refused, and never sent to an issuer', async () => {
  const ask = asking()
  assert.deepEqual(await ask('/v1/orders/1', bearer(unknown)), [401, 'invalid_credential'])
  assert.deepEqual(await ask('/v1/orders/1', bearer(`${known.slice(0, -1)}!`)), [401, 'invalid_credential'])
})

test('a key beside another credential is refused', async () => {
  const ask = asking()
  assert.deepEqual(await ask('/v1/me', { ...bearer(known), ...cookie }), [400, 'ambiguous_credentials'])
  assert.deepEqual(await ask('/v1/me', { 'X-Api-Key': known, ...bearer(token(key)) }), [
    400,
    'ambiguous_credentials',
  ])
  assert.deepEqual(await ask('/v1/me', bearer(token(key))), [200])
})
