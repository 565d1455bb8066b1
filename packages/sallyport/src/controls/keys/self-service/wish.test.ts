// The strict reader of bodies: whatever comes, it gives a wish of known members or says what is wrong, and never throws.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readKeyWish, readPage, readRotationWish } from './wish.ts'

const JSON_HEAD = { contentType: 'application/json', contentEncoding: undefined }
const bytes = (text: string) => new TextEncoder().encode(text)
const MEMBERS = ['name', 'kind', 'environment', 'store', 'plan', 'scopes', 'origins', 'networks', 'expires']
const read = (value: unknown) => readKeyWish(bytes(JSON.stringify(value)), JSON_HEAD)

const member = fc.oneof(
  fc.constantFrom<unknown>('secret', 'live', 'x', 'orders:read', '192.0.2.0/24', 'https://shop.example', ''),
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    {},
    [],
    ['orders:read'],
    ['10.0.0.0/8'],
    '2027-01-01T00:00:00Z',
  ),
  fc.string(),
  fc.array(fc.oneof(fc.string(), fc.integer(), fc.constantFrom('orders:read', '10.0.0.0/8')), {
    maxLength: 4,
  }),
  fc.jsonValue({ maxDepth: 2 }),
)
const body = fc.dictionary(fc.oneof(fc.constantFrom(...MEMBERS), fc.string()), member, { maxKeys: 8 })

test('H13 any bytes are read without a throw; what is accepted has known members of the right form alone', () => {
  let accepted = 0
  fc.assert(
    fc.property(
      fc.oneof(
        body.map((value) => bytes(JSON.stringify(value))),
        fc.uint8Array(),
      ),
      (given) => {
        const found = readKeyWish(given, JSON_HEAD)
        if ('code' in found) return
        if ('errors' in found) {
          assert.ok(found.errors.length > 0 && found.errors.length <= 20)
          for (const { pointer, code } of found.errors) {
            assert.match(pointer!, /^(?:\/(?:[^~/]|~[01])*)*$/)
            assert.match(code, /^[a-z_]+$/)
          }
          return
        }
        accepted++
        const { value } = found
        assert.ok(typeof value.name === 'string' && value.name.trim() !== '')
        for (const name of Object.keys(value)) assert.ok([...MEMBERS, 'expiresAt'].includes(name))
        for (const list of [value.scopes, value.origins, value.networks])
          assert.ok(
            list === undefined || (list.every((each) => typeof each === 'string') && list.length <= 100),
          )
        if (value.kind !== 'publishable') assert.ok((value.origins ?? []).length === 0)
      },
    ),
    { numRuns: 20_000, seed: 7 },
  )
  assert.ok(accepted > 20, `too few were accepted: ${accepted}`)
})

test('H13 a wish comes out as it was written', () => {
  const wish = {
    name: 'Shop',
    kind: 'publishable',
    environment: 'test',
    scopes: ['products:read'],
    origins: ['https://shop.example'],
    networks: ['2001:db8::/32'],
  }
  assert.deepEqual(read({ ...wish, expires: '2027-02-28T12:00:00.5Z' }), {
    value: { ...wish, expiresAt: Date.UTC(2027, 1, 28, 12, 0, 0, 500) },
  })
})

test('H13 what programs read differently is refused: names twice, other encodings, a mark before the text', () => {
  const code = (given: Uint8Array, head = JSON_HEAD) => {
    const found = readKeyWish(given, head)
    return 'code' in found ? found.code : 'read'
  }
  const good = '{"name":"x"}'
  assert.equal(code(bytes(good)), 'read')
  assert.equal(code(bytes('{"name":"x","\\u006eame":"y"}')), 'body_malformed')
  assert.equal(code(bytes(`\ufeff${good}`)), 'body_malformed')
  assert.equal(code(Uint8Array.of(0x7b, 0xff, 0x7d)), 'body_malformed')
  assert.equal(code(bytes('{"a":'.repeat(300))), 'body_malformed')
  for (const contentType of [
    undefined,
    '',
    'text/plain',
    'application/jsonx',
    'application/json; charset=utf-16',
  ])
    assert.equal(code(bytes(good), { ...JSON_HEAD, contentType } as never), 'unsupported_media_type')
  assert.equal(
    code(bytes(good), { ...JSON_HEAD, contentEncoding: 'gzip' } as never),
    'unsupported_media_type',
  )
  assert.equal(code(bytes(good), { ...JSON_HEAD, contentType: 'Application/JSON; Charset="UTF-8"' }), 'read')
})

test('H13 members that look inherited are unknown, a day that no month has is none', () => {
  const errors = (given: string) => {
    const found = readKeyWish(bytes(given), JSON_HEAD)
    return 'errors' in found ? found.errors : []
  }
  for (const name of ['__proto__', 'constructor', 'toString'])
    assert.deepEqual(errors(`{"name":"x","${name}":1}`), [{ pointer: `/${name}`, code: 'unknown' }])
  for (const expires of ['2027-02-30T00:00:00Z', '2027-01-01', '2027-01-01T00:00:00+01:00', '1'])
    assert.deepEqual(errors(JSON.stringify({ name: 'x', expires })), [
      { pointer: '/expires', code: 'wrong_value' },
    ])
  assert.deepEqual(errors('{"name":"\\ud800"}'), [{ pointer: '/name', code: 'wrong_value' }])
  assert.deepEqual(errors(JSON.stringify({ name: 'x', scopes: Array(101).fill('a') })), [
    { pointer: '/scopes', code: 'too_many' },
  ])
  assert.deepEqual(errors('{"name":"x","origins":["https://shop.example"]}'), [
    { pointer: '/origins', code: 'not_of_secret_keys' },
  ])
  assert.equal(
    errors(JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`m${n}`, 1])))).length,
    20,
  )
})

test('a rotation says nothing or an overlap of up to seven days', () => {
  const rotation = (text: string) => readRotationWish(bytes(text), JSON_HEAD)
  assert.deepEqual(rotation(''), { value: {} })
  assert.deepEqual(rotation('{"overlapSeconds":604800}'), { value: { overlapSeconds: 604_800 } })
  for (const wrong of ['604801', '-1', '0.5', '1e3000'])
    assert.deepEqual(rotation(`{"overlapSeconds":${wrong}}`), {
      errors: [{ pointer: '/overlapSeconds', code: 'wrong_value' }],
    })
  assert.deepEqual(rotation('{"overlapSeconds":"1"}'), {
    errors: [{ pointer: '/overlapSeconds', code: 'wrong_type' }],
  })
})

test('a page is of 1 to 100 keys; a parameter that is unknown or stands twice is named', () => {
  assert.deepEqual(readPage('/v1/keys'), { value: { limit: 50 } })
  assert.deepEqual(readPage('/v1/keys?limit=100&after=k-1'), { value: { limit: 100, after: 'k-1' } })
  for (const limit of ['0', '101', '1e1', '-1', '', '1%20'])
    assert.deepEqual(readPage(`/v1/keys?limit=${limit}`), {
      errors: [{ parameter: 'limit', code: 'wrong_value' }],
    })
  assert.deepEqual(readPage('/v1/keys?limit=1&limit=2&x=1'), {
    errors: [
      { parameter: 'limit', code: 'repeated' },
      { parameter: 'x', code: 'unknown' },
    ],
  })
})
