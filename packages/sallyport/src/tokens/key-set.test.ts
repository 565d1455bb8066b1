// The published keys of an issuer: fetched once for all, known again, never too often, never for too long.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYS_URL, makeKey, NOW, network, publishing } from '../../test/access/issuer.ts'
import { createKeySet, REFRESH_SECONDS, TRUSTED_SECONDS } from './key-set.ts'

const [k1, k2] = [makeKey('EdDSA', 'k1'), makeKey('EdDSA', 'k2')]

function setOf(net: ReturnType<typeof network>) {
  let now = NOW
  const keys = createKeySet({ url: KEYS_URL, fetch: net.fetch, clock: () => now })
  return {
    keys,
    pass(seconds: number) {
      now += seconds * 1000
    },
    find: async (kid: string | undefined = 'k1') => {
      const found = await keys.find(kid, 'EdDSA')
      return typeof found === 'string' ? found : found.length
    },
  }
}
/** Lets what was begun in the background come to its end. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('keys are fetched once for all who wait, and known from then on without a promise', async () => {
  const net = publishing(k1, k2)
  const { keys, find } = setOf(net)
  assert.deepEqual(await Promise.all([find(), find(), find('k2')]), [1, 1, 1])
  assert.equal(net.asked.length, 1)
  assert.equal(net.asked[0]!.init.redirect, 'error')
  assert.ok(Array.isArray(keys.find('k1', 'EdDSA')))
  assert.equal(await keys.find('k1', 'ES256'), 'unknown')
})

test('a key that is not known makes us ask again, but not more often than every 30 seconds', async () => {
  const net = publishing(k1)
  const { find, pass } = setOf(net)
  assert.equal(await find(), 1)
  pass(30)
  assert.equal(await find('k2'), 'unknown')
  for (let i = 0; i < 100; i++) assert.equal(await find(`guess${i}`), 'unknown')
  assert.equal(net.asked.length, 2)
  net.answers.set(KEYS_URL, () => Response.json({ keys: [k1.jwk, k2.jwk] }))
  assert.equal(await find('k2'), 'unknown')
  pass(30)
  assert.equal(await find('k2'), 1)
  assert.equal(net.asked.length, 3)
})

test('where the issuer is away nobody can say, and it is asked once a second', async () => {
  const net = network()
  const { find, pass } = setOf(net)
  for (let i = 0; i < 10; i++) assert.equal(await find(), 'unavailable')
  assert.equal(net.asked.length, 1)
  pass(1)
  net.answers.set(KEYS_URL, () => Response.json({ keys: [k1.jwk] }))
  assert.equal(await find(), 1)
})

test('an unknown key while the issuer is away is not called wrong', async () => {
  const net = publishing(k1)
  const { find, pass } = setOf(net)
  assert.equal(await find(), 1)
  net.answers.delete(KEYS_URL)
  pass(30)
  assert.equal(await find('k2'), 'unavailable')
  assert.equal(await find('k2'), 'unavailable')
  assert.equal(await find('k1'), 1)
})

test('a key that the issuer withdraws ends with the next fetch', async () => {
  const net = publishing(k1, k2)
  const { keys, find, pass } = setOf(net)
  assert.equal(await find(), 1)
  const { generation } = keys
  net.answers.set(KEYS_URL, () => Response.json({ keys: [k2.jwk] }))
  pass(REFRESH_SECONDS)
  // Nobody waits for the fetch that the first request after the time begins.
  assert.equal(await find(), 1)
  await settle()
  assert.equal(await find(), 'unknown')
  assert.notEqual(keys.generation, generation)
})

test('an issuer that stays away is trusted for an hour from its last word', async () => {
  const net = publishing(k1)
  const { keys, find, pass } = setOf(net)
  assert.equal(await find(), 1)
  net.answers.delete(KEYS_URL)
  pass(TRUSTED_SECONDS - 1)
  assert.equal(await find(), 1)
  await settle()
  pass(1)
  assert.equal(keys.generation, undefined)
  assert.equal(await find(), 'unavailable')
})

test('a warm request waits 50 ms, a cold one 2 s; the fetch goes on', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const net = network()
  const { promise, resolve } = Promise.withResolvers<Response>()
  net.answers.set(KEYS_URL, () => promise)
  const { find, pass } = setOf(net)
  const cold = find()
  await settle()
  t.mock.timers.tick(2_000)
  assert.equal(await cold, 'unavailable')
  resolve(Response.json({ keys: [k1.jwk] }))
  await settle()
  await settle()
  assert.equal(await find(), 1)
  pass(30)
  net.answers.set(KEYS_URL, () => new Promise(() => {}))
  const warm = find('k2')
  await settle()
  t.mock.timers.tick(50)
  assert.equal(await warm, 'unavailable')
  assert.equal(await find(), 1)
})

test('Cache-Control shortens the time, down to a minute', async () => {
  const net = network()
  net.answers.set(KEYS_URL, () =>
    Response.json({ keys: [k1.jwk] }, { headers: { 'Cache-Control': 'public, max-age=90' } }),
  )
  const { find, pass } = setOf(net)
  await find()
  pass(89)
  await find()
  assert.equal(net.asked.length, 1)
  pass(1)
  await find()
  assert.equal(net.asked.length, 2)
})

test('without a name a key is meant only where it stands alone', async () => {
  const one = setOf(publishing(k1))
  assert.equal((await one.keys.find(undefined, 'EdDSA')).length, 1)
  const two = setOf(publishing(k1, k2))
  assert.equal(await two.keys.find(undefined, 'EdDSA'), 'unknown')
})

const WRONG: readonly (readonly [name: string, answer: () => Response])[] = [
  ['an error', () => Response.json({ keys: [k1.jwk] }, { status: 500 })],
  ['no JSON', () => new Response('<html>')],
  ['no list', () => Response.json({ keys: {} })],
  ['more than 64 KB', () => Response.json({ keys: [k1.jwk], filling: 'x'.repeat(70_000) })],
  ['too many keys', () => Response.json({ keys: Array(65).fill(k1.jwk) })],
]
for (const [name, answer] of WRONG)
  test(`not taken for a list of keys: ${name}`, async () => {
    const net = network()
    net.answers.set(KEYS_URL, answer)
    assert.equal(await setOf(net).find(), 'unavailable')
  })

test('entries that are no public keys are left out: private ones, secrets, other things', async () => {
  const net = network()
  const secret = { kty: 'oct', k: 'c2VjcmV0', kid: 'k1' }
  const shown = { ...makeKey('EdDSA', 'k1').privateKey.export({ format: 'jwk' }), kid: 'k1' }
  net.answers.set(KEYS_URL, () =>
    Response.json({ keys: [null, 1, [], { kid: 'k1' }, secret, shown, k2.jwk] }),
  )
  const { find } = setOf(net)
  assert.equal(await find('k1'), 'unknown')
  assert.equal(await find('k2'), 1)
})
