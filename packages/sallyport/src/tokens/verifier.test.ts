// Whose a token is: by its signature, by its issuer's word, by the program's own; what is remembered and for how long.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AUDIENCE,
  CLAIMS,
  ISSUER,
  KEYS_URL,
  makeKey,
  NOW,
  network,
  publishing,
  token,
} from '../../test/access/issuer.ts'
import type { TokenAnswer } from '../ports/tokens.ts'
import { createTokenVerifier, type Issuer, type VerifierNeeds } from './verifier.ts'

const key = makeKey('ES256', 'k1')
const SIGNED: Issuer = { issuer: ISSUER, audience: AUDIENCE, jwks: KEYS_URL, claims: { organisation: 'org' } }
const ASKED_URL = 'https://id.example/introspect'
const ASKED: Issuer = {
  issuer: ISSUER,
  audience: AUDIENCE,
  introspection: { url: ASKED_URL, clientId: 'api client', secret: 'INTROSPECTION' },
  claims: { organisation: 'org', role: 'role' },
}

function verifier(
  net: ReturnType<typeof network>,
  issuers: readonly Issuer[],
  needs: Partial<VerifierNeeds> = {},
) {
  let now = NOW
  const source = createTokenVerifier(issuers, {
    fetch: net.fetch,
    clock: () => now,
    secret: (name) => (name === 'INTROSPECTION' ? 's:cret' : undefined),
    ...needs,
  })
  return {
    source,
    pass(seconds: number) {
      now += seconds * 1000
    },
    find: async (text: string) => {
      const answer = await source.find(text)
      return typeof answer === 'string' ? answer : answer.principal
    },
  }
}

test('a signed token tells who calls; the second time at once', async () => {
  const { source, find } = verifier(publishing(key), [SIGNED])
  const text = token(key)
  assert.deepEqual(await find(text), {
    organisation: 'org_1',
    subject: 'person_1',
    credential: { kind: 'token', id: 'token_1', expiresAt: (NOW / 1000 + 300) * 1000 },
    scopes: ['orders:read'],
  })
  assert.ok(!(source.find(text) instanceof Promise))
})

test('another key, another issuer and a changed letter are refused', async () => {
  const { find } = verifier(publishing(key), [SIGNED])
  assert.equal(await find(token(makeKey('ES256', 'k1'))), 'unknown')
  assert.equal(await find(token(key, { iss: 'https://evil.example' })), 'unknown')
  const text = token(key)
  const [head, body, tail] = text.split('.')
  const other = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'admin' })).toString('base64url')
  assert.notEqual(await find(text), 'unknown')
  assert.equal(await find(`${head}.${other}.${tail}`), 'unknown')
  assert.equal(await find(`${head}.${body}.${'A'.repeat(86)}`), 'unknown')
})

test('a key of one algorithm is not taken for another (RFC 8725, section 2.1)', async () => {
  const rsa = makeKey('RS256', 'k1')
  const { find } = verifier(publishing(rsa), [SIGNED])
  assert.equal(await find(token({ ...rsa, algorithm: 'PS256' }, {}, { alg: 'RS256' })), 'unknown')
  assert.notEqual(await find(token(rsa)), 'unknown')
})

test('what is remembered ends with the token, with its key, and after five minutes', async () => {
  const net = publishing(key)
  const { source, find, pass } = verifier(net, [SIGNED])
  const long = token(key, { exp: NOW / 1000 + 86_400 })
  const short = token(key, { exp: NOW / 1000 + 60 })
  await Promise.all([find(long), find(short)])
  pass(91)
  assert.equal(await find(short), 'unknown')
  assert.ok(!(source.find(long) instanceof Promise))
  pass(210)
  assert.ok(source.find(long) instanceof Promise)
  assert.notEqual(await find(long), 'unknown')
  // The issuer publishes another key instead.
  net.answers.set(KEYS_URL, () => Response.json({ keys: [makeKey('ES256', 'k2').jwk] }))
  pass(600)
  await find(long)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await find(long), 'unknown')
})

test('claims: a named one must be a name, a list counts with one entry, scopes may be a list', async () => {
  const net = publishing(key)
  const claims = { organisation: 'org', role: 'roles', store: 'store', plan: 'plan', scope: 'scp' }
  const { find } = verifier(net, [{ ...SIGNED, claims }])
  const of = async (more: object) => {
    const found = await find(token(key, { ...more, jti: undefined }))
    return typeof found === 'string' ? found : found
  }
  const all = await of({ roles: ['admin'], store: 'store_1', plan: 'pro', scp: ['a', 'b'] })
  assert.ok(typeof all === 'object')
  assert.deepEqual(
    { ...all, credential: undefined },
    {
      organisation: 'org_1',
      store: 'store_1',
      subject: 'person_1',
      credential: undefined,
      role: 'admin',
      plan: 'pro',
      scopes: ['a', 'b'],
    },
  )
  assert.match(all.credential.id, /^[\w-]{22}$/)
  const several = await of({ roles: ['admin', 'member'] })
  assert.ok(typeof several === 'object' && several.role === undefined)
  assert.equal(await of({ org: undefined }), 'unknown')
  assert.equal(await of({ org: ['org_1'] }), 'unknown')
  assert.equal(await of({ roles: { admin: true } }), 'unknown')
  assert.equal(await of({ scp: [1] }), 'unknown')
  assert.equal(await of({ scp: 7 }), 'unknown')
  // Without a claim for it every subject is an organisation of its own.
  const own = await verifier(net, [{ ...SIGNED, claims: {} }]).find(token(key))
  assert.ok(typeof own === 'object' && own.organisation === 'person_1')
})

const active = {
  active: true,
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'person_1',
  org: 'org_1',
  role: 'admin',
  scope: 'a b',
}

test('an opaque token is asked for once, with the client’s own secret, and known for five seconds', async () => {
  const net = network()
  net.answers.set(ASKED_URL, () => Response.json(active))
  const { source, find, pass } = verifier(net, [ASKED])
  const found = await Promise.all(Array.from({ length: 20 }, () => find('opaque-token')))
  assert.equal(net.asked.length, 1)
  assert.ok(typeof found[0] === 'object' && found[0].role === 'admin')
  const { init } = net.asked[0]!
  assert.equal(init.method, 'POST')
  assert.equal(init.body, 'token=opaque-token&token_type_hint=access_token')
  // RFC 6749, section 2.3.1.
  const headers = init.headers as Record<string, string>
  assert.equal(Buffer.from(headers['Authorization']!.slice(6), 'base64').toString(), 'api+client:s%3Acret')
  assert.ok(!(source.find('opaque-token') instanceof Promise))
  net.answers.set(ASKED_URL, () => Response.json({ active: false }))
  pass(4.9)
  assert.notEqual(await find('opaque-token'), 'unknown')
  pass(0.1)
  assert.equal(await find('opaque-token'), 'unknown')
  assert.equal(await find('opaque-token'), 'unknown')
  assert.equal(net.asked.length, 2)
})

const ANSWERS: readonly (readonly [name: string, answer: object, wanted: TokenAnswer])[] = [
  ['not active', { active: false }, 'unknown'],
  ['no word on it', { sub: 'a' }, 'unavailable'],
  ['another audience', { ...active, aud: 'https://other.example' }, 'unknown'],
  ['no audience', { ...active, aud: undefined }, 'unknown'],
  ['another issuer', { ...active, iss: 'https://other.example' }, 'unknown'],
  ['over', { ...active, exp: NOW / 1000 - 30 }, 'unknown'],
  ['no organisation', { ...active, org: undefined }, 'unknown'],
]
for (const [name, answer, wanted] of ANSWERS)
  test(`an issuer that answers: ${name}`, async () => {
    const net = network()
    net.answers.set(ASKED_URL, () => Response.json(answer))
    assert.equal(await verifier(net, [ASKED]).find('opaque-token'), wanted)
  })

test('an issuer that fails, or is not answered in time, leaves nobody in', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const net = network()
  const { find } = verifier(net, [ASKED])
  assert.equal(await find('a'), 'unavailable')
  net.answers.set(ASKED_URL, () => Response.json({ error: 'invalid_client' }, { status: 401 }))
  assert.equal(await find('b'), 'unavailable')
  net.answers.set(ASKED_URL, () => new Promise(() => {}))
  const waiting = find('c')
  await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(1_000)
  assert.equal(await waiting, 'unavailable')
  assert.equal(await verifier(net, [ASKED], { secret: () => undefined }).find('d'), 'unavailable')
})

test('an answer never outlives the token', async () => {
  const net = network()
  net.answers.set(ASKED_URL, () => Response.json({ ...active, exp: NOW / 1000 + 2 }))
  const { source, find, pass } = verifier(net, [ASKED])
  await find('a')
  pass(2)
  assert.ok(source.find('a') instanceof Promise)
})

test('what can’t be a token is asked of nobody, and no token of one issuer is shown to another', async () => {
  const net = publishing(key)
  net.answers.set(ASKED_URL, () => Response.json(active))
  const { find } = verifier(net, [SIGNED, { ...ASKED, issuer: 'https://second.example' }])
  for (const text of ['', 'a b', 'a,b', 'ä', '=', 'x'.repeat(8193)]) assert.equal(await find(text), 'unknown')
  assert.equal(net.asked.length, 0)
  assert.equal(await find(token(key, { exp: 1 })), 'unknown')
  assert.equal(net.asked.length, 0)
})

test('the program’s own tokens are looked up by the program', async () => {
  const principal = { organisation: 'o', credential: { kind: 'token', id: 't' }, scopes: [] } as const
  const { source } = verifier(network(), [{ service: true }], {
    tokens: { find: (text) => (text === 'own' ? { principal } : 'unknown') },
  })
  assert.deepEqual(source.find('own'), { principal })
  assert.equal(source.find('other'), 'unknown')
})

test('of many tokens the oldest are forgotten, and asked for anew', async () => {
  const net = network()
  net.answers.set(ASKED_URL, () => Response.json(active))
  const { source, find } = verifier(net, [ASKED])
  for (let i = 0; i <= 10_000; i++) await find(`t${i}`)
  assert.ok(source.find('t0') instanceof Promise)
  assert.ok(!(source.find('t10000') instanceof Promise))
})
