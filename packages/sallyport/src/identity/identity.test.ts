// The identity that is handed on: signed, short, made once for a caller; its keys, and how they change.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KEYS_URL, makeKey, NOW, network, signed } from '../../test/access/issuer.ts'
import { CREDENTIAL_KINDS, type Principal } from '../guard/principal.ts'
import { parseJwt } from '../tokens/jwt.ts'
import { claimsOf, principalIn } from './claims.ts'
import { seededKeys } from './seeded-keys.ts'
import { createIdentitySigner } from './signer.ts'
import { givenKeys, ownKeys, readGivenKeys } from './signing-keys.ts'
import { createIdentityVerifier } from './verifier.ts'

const CALLER: Principal = {
  organisation: 'org_1',
  store: 'store_1',
  subject: 'person_1',
  credential: { kind: 'key', id: 'key_1', class: 'secret', environment: 'live' },
  role: 'admin',
  plan: 'pro',
  scopes: ['orders:read', 'orders:write'],
}
const HOUR = 3_600_000

function world() {
  let now = NOW
  const clock = () => now
  const keys = ownKeys(clock)
  const net = network()
  net.answers.set(KEYS_URL, async () => Response.json({ keys: await keys.published() }))
  const signer = createIdentitySigner({
    issuer: 'gateway',
    audience: 'orders',
    lifetimeSeconds: 60,
    keys,
    clock,
  })
  const verifier = createIdentityVerifier({
    keysUrl: KEYS_URL,
    audience: 'orders',
    issuer: 'gateway',
    fetch: net.fetch,
    clock,
  })
  return {
    keys,
    net,
    signer,
    verifier,
    pass(ms: number) {
      now += ms
    },
  }
}

test('what is signed is read back, and no secret is in it', async () => {
  const { signer, verifier } = world()
  const token = await signer.sign(CALLER)
  assert.deepEqual(await verifier.verify(token), CALLER)
  const claims = parseJwt(token)!.claims
  assert.deepEqual(Object.keys(claims), [
    ...['iss', 'aud', 'iat', 'exp', 'sub', 'organisation', 'store', 'role', 'plan', 'scope', 'credential'],
  ])
  assert.equal((claims['exp'] as number) - (claims['iat'] as number), 60)
})

test('one identity serves a caller for half of its life, at once', async () => {
  const { signer, pass } = world()
  const first = await signer.sign(CALLER)
  pass(29_999)
  // Another object that says the same.
  assert.equal(signer.sign(structuredClone(CALLER)), first)
  pass(1)
  const next = signer.sign(CALLER)
  assert.ok(next instanceof Promise)
  assert.notEqual(await next, first)
  assert.notEqual(await signer.sign({ ...CALLER, scopes: [] }), await next)
})

test('it ends after its minute, and with any change', async () => {
  const { signer, verifier, pass } = world()
  const token = await signer.sign(CALLER)
  const [head, body, tail] = token.split('.') as [string, string, string]
  const other = Buffer.from(JSON.stringify({ ...parseJwt(token)!.claims, role: 'owner' })).toString(
    'base64url',
  )
  assert.equal(await verifier.verify(`${head}.${other}.${tail}`), undefined)
  assert.equal(await verifier.verify(`${head}.${body}`), undefined)
  pass(64_000)
  assert.deepEqual(await verifier.verify(token), CALLER)
  pass(2_000)
  assert.equal(await verifier.verify(token), undefined)
})

test('a token of another kind, signed with the same key, is no identity', async () => {
  const key = makeKey('EdDSA', 'k1')
  const net = network()
  net.answers.set(KEYS_URL, () => Response.json({ keys: [key.jwk] }))
  const verifier = createIdentityVerifier({
    keysUrl: KEYS_URL,
    audience: 'orders',
    fetch: net.fetch,
    clock: () => NOW,
  })
  const claims = {
    iss: 'sallyport',
    aud: 'orders',
    exp: NOW / 1000 + 60,
    sub: 'a',
    organisation: 'o',
    scope: '',
    credential: { kind: 'key', id: 'k' },
  }
  const of = (typ: string) => verifier.verify(signed(key, { alg: 'EdDSA', kid: 'k1', typ }, claims))
  assert.ok(await of('sallyport-identity+jwt'))
  assert.equal(await of('at+jwt'), undefined)
  assert.equal(await of('JWT'), undefined)
})

test('where the keys can’t be fetched nobody can say', async () => {
  const { signer, net, verifier } = world()
  net.answers.clear()
  await assert.rejects(async () => verifier.verify(await signer.sign(CALLER)), /can't be fetched/)
})

test('keys change each day: published before they sign, and a day longer than they do', {
  timeout: 10_000,
}, async () => {
  const { keys, signer, verifier, pass } = world()
  const first = await keys.current()
  const token = await signer.sign(CALLER)
  pass(24 * HOUR - 900_000)
  assert.equal(await keys.current(), first)
  // The next one is made in the background.
  while ((await keys.published()).length < 2) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await keys.current(), first)
  pass(900_000)
  const second = await keys.current()
  assert.notEqual(second, first)
  assert.deepEqual(
    (await keys.published()).map(({ kid }) => kid),
    [second.published.kid, first.published.kid],
  )
  assert.notEqual(await signer.sign(CALLER), token)
  assert.deepEqual(await verifier.verify(await signer.sign(CALLER)), CALLER)
})

test('keys that are given: the first signs, all are published by their thumbprints (RFC 7638)', async () => {
  // RFC 8037, appendices A.1 to A.3.
  const jwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  }
  const other = makeKey('EdDSA', 'x').privateKey.export({ format: 'jwk' })
  for (const text of [JSON.stringify([jwk, other]), JSON.stringify({ keys: [jwk, other] })]) {
    const keys = givenKeys(readGivenKeys(text)!)
    assert.equal((await keys.current()).published.kid, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
    assert.equal((await keys.published()).length, 2)
    assert.ok(!JSON.stringify(await keys.published()).includes('"d"'))
  }
  const { d: _d, ...shown } = jwk
  for (const wrong of [
    '',
    '[]',
    'null',
    '"a"',
    JSON.stringify(shown),
    JSON.stringify({ ...jwk, crv: 'X25519' }),
  ])
    assert.equal(readGivenKeys(wrong), undefined, wrong)
})

test('processes that share a seed sign and publish alike, and change their key each day', async () => {
  let now = NOW
  const seed = new Uint8Array(32).fill(7)
  const [one, two] = [seededKeys(seed, () => now), seededKeys(seed, () => now)]
  const first = await one.current()
  assert.equal(one.current(), first)
  assert.deepEqual(await two.published(), await one.published())
  const kids = async () => (await one.published()).map(({ kid }) => kid)
  const [today, tomorrow] = await kids()
  assert.equal(today, first.published.kid)
  now += 24 * HOUR
  assert.equal((await one.current()).published.kid, tomorrow)
  assert.equal((await kids())[2], today)
  assert.notEqual((await seededKeys(new Uint8Array(32), () => now).current()).published.kid, tomorrow)
  const options = { issuer: 'sallyport', audience: 'a', lifetimeSeconds: 60, clock: () => now }
  const net = network()
  net.answers.set(KEYS_URL, async () => Response.json({ keys: await two.published() }))
  const verifier = createIdentityVerifier({
    keysUrl: KEYS_URL,
    audience: 'a',
    fetch: net.fetch,
    clock: () => now,
  })
  const token = await createIdentitySigner({ ...options, keys: one }).sign(CALLER)
  assert.deepEqual(await verifier.verify(token), CALLER)
})

test('every principal goes there and back', () => {
  const name = fc.string({ minLength: 1, maxLength: 20 })
  const principals = fc.record(
    {
      organisation: name,
      subject: name,
      credential: fc.record(
        { kind: fc.constantFrom(...CREDENTIAL_KINDS), id: name },
        { noNullPrototype: true },
      ),
      scopes: fc.array(fc.stringMatching(/^[a-z:]{1,8}$/), { maxLength: 4 }),
      store: name,
      role: name,
      plan: name,
      methods: fc.array(name, { maxLength: 3 }),
      signedInAt: fc.nat().map((seconds) => seconds * 1000),
    },
    { requiredKeys: ['organisation', 'subject', 'credential', 'scopes'], noNullPrototype: true },
  )
  fc.assert(
    fc.property(principals, (principal) => {
      const claims = JSON.parse(JSON.stringify(claimsOf(principal)))
      assert.deepEqual(principalIn(claims), principal)
    }),
  )
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (claims) => void principalIn(claims)))
})
