import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeyRecord } from '../ports/keys.ts'
import { digestBytes, digestOf, subtleDigest } from './digest.ts'
import { keyCache } from './key-cache.ts'
import { emptyShapes, packRecord, unpackRecord } from './packed-record.ts'

const words = fc.array(fc.string(), { maxLength: 3 })
const time = fc.integer({ min: 0, max: 2 ** 47 })
const name = fc.oneof(fc.uuid(), fc.string({ unit: 'binary' }), fc.string({ minLength: 251, maxLength: 400 }))
const records: fc.Arbitrary<KeyRecord> = fc
  .record(
    {
      id: name,
      kind: fc.constantFrom('secret', 'publishable'),
      environment: fc.constantFrom('live', 'test'),
      organisation: name,
      owner: name,
      name,
      display: fc.string({ minLength: 4 }).map((text) => `sk_acme_live_…${text}`),
      plan: fc.string(),
      scopes: words,
      origins: words,
      cidrs: words,
      createdAt: time,
      generation: fc.integer({ min: 1, max: 2 ** 31 }),
      store: name,
      planOverrides: fc.constant({ buckets: [{ name: 'minute', limit: 5 }] }),
      ownerScopes: words,
      ownerRole: fc.string(),
      expiresAt: time,
      generationEndsAt: time,
      generationReplacedAt: time,
      revokedAt: time,
      organisationDisabledAt: time,
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        ...(['id', 'kind', 'environment', 'organisation', 'owner', 'name', 'display', 'plan'] as const),
        ...(['scopes', 'origins', 'cidrs', 'createdAt', 'generation'] as const),
      ],
    },
  )
  .chain((record) => fc.boolean().map((own) => (own ? { ...record, owner: record.organisation } : record)))
const digest = (text: string) => hash('sha256', text, 'binary')

const bare: KeyRecord = {
  id: 'k',
  kind: 'secret',
  environment: 'live',
  organisation: 'o',
  owner: 'o',
  name: 'Till',
  display: 'sk_acme_live_…abcd',
  plan: 'free',
  scopes: ['orders:read'],
  origins: [],
  cidrs: [],
  createdAt: 1,
  generation: 1,
}

test('a packed record is the record again', () => {
  const shapes = emptyShapes()
  fc.assert(
    fc.property(records, fc.string({ unit: fc.constantFrom('\0', 'ÿ', 'a') }), (record, before) => {
      assert.deepEqual(unpackRecord(packRecord(before, record, shapes), before.length, shapes), record)
    }),
  )
})

test('the digest is SHA-256, with node:crypto and with Web Crypto', async () => {
  assert.equal(digestOf('sk_acme_live_x'), digest('sk_acme_live_x'))
  assert.equal(await subtleDigest('sk_acme_live_x'), digest('sk_acme_live_x'))
  assert.deepEqual(Buffer.from(digestBytes(digest('a'))), hash('sha256', 'a', 'buffer'))
})

test('the cache is a map: the newest record of each digest, whatever grows and is swept', () => {
  const steps = fc.array(
    fc.oneof(
      fc.tuple(fc.constant('put' as const), fc.nat(40), records),
      fc.tuple(fc.constant('sweep' as const), fc.nat(40), fc.constant(bare)),
    ),
    { maxLength: 150 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const cache = keyCache(64 * 64)
      const model = new Map<string, { readonly record: KeyRecord; readonly since: number }>()
      all.forEach(([what, number, record], since) => {
        if (what === 'put') {
          cache.put(digest(`${number}`), record, since)
          model.set(digest(`${number}`), { record, since })
        } else {
          for (let table = 0; table < 64; table++) cache.sweep(since - number)
          for (const [key, { since: at }] of model) if (at <= since - number) model.delete(key)
        }
        for (let key = 0; key <= 40; key++)
          assert.deepEqual(cache.get(digest(`${key}`)), model.get(digest(`${key}`)))
      })
      assert.equal(cache.size, model.size)
    }),
    { numRuns: 40 },
  )
})

test('the cache never holds more than it may; what is oldest goes', () => {
  const cache = keyCache(640)
  for (let key = 0; key < 5_000; key++) cache.put(digest(`${key}`), { ...bare, id: `${key}` }, key)
  assert.ok(cache.size <= 704 && cache.size > 200, `${cache.size}`)
  assert.equal(cache.get(digest('4999'))?.record.id, '4999')
  assert.equal(cache.get(digest('0')), undefined)
  cache.clear()
  assert.deepEqual([cache.size, cache.get(digest('4999'))], [0, undefined])
})

test('shapes that no record has any more do not pile up', () => {
  const cache = keyCache(64_000)
  for (let key = 0; key < 20_000; key++) {
    cache.put(digest(`${key % 300}`), { ...bare, plan: `plan ${key}` }, key)
    if (key % 50 === 0) cache.sweep(key - 300)
  }
  assert.equal(cache.get(digest('299'))?.record.plan, 'plan 19799')
})
