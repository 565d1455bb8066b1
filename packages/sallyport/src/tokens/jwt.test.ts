// The forms in which tokens lie (RFC 8725), and that nothing of any form makes the parser fail.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUDIENCE, CLAIMS, ISSUER, makeKey, NOW, signed, token } from '../../test/access/issuer.ts'
import { ALGORITHMS } from './algorithms.ts'
import { fromBase64url, toBase64url } from './base64url.ts'
import { readJsonObject } from './json.ts'
import { type Expected, isAsExpected, parseJwt } from './jwt.ts'

const key = makeKey('EdDSA', 'k1')
const EXPECTED: Expected = {
  issuer: ISSUER,
  audiences: [AUDIENCE, 'https://other.example'],
  algorithms: ALGORITHMS,
  type: 'at+jwt',
  clockSkewSeconds: 30,
}
const fits = (text: string, expected: Partial<Expected> = {}) => {
  const jwt = parseJwt(text)
  return jwt !== undefined && isAsExpected(jwt, { ...EXPECTED, ...expected }, NOW)
}
const seconds = NOW / 1000

test('a token that is right in everything', () => {
  assert.equal(fits(token(key)), true)
  assert.equal(fits(token(key, {}, { typ: 'application/AT+JWT' })), true)
  assert.equal(fits(token(key, { aud: ['https://elsewhere.example', AUDIENCE] })), true)
})

const head = { alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' }
const LIES: readonly (readonly [name: string, text: string])[] = [
  ['no signature and alg none', `${token(key, {}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`],
  ['alg none with a signature', token(key, {}, { alg: 'none' })],
  ['alg in capitals', token(key, {}, { alg: 'NONE' })],
  ['an HMAC', token(key, {}, { alg: 'HS256' })],
  ['alg of a prototype', token(key, {}, { alg: 'constructor' })],
  ['alg that is no text', token(key, {}, { alg: ['EdDSA'] })],
  ['no alg', signed(key, { typ: 'at+jwt' }, CLAIMS)],
  ['an extension that must be understood', token(key, {}, { crit: ['exp'], exp: 1 })],
  ['an empty list of extensions', token(key, {}, { crit: [] })],
  ['a payload that is not encoded (RFC 7797)', token(key, {}, { b64: false })],
  ['a token in a token', token(key, {}, { cty: 'JWT' })],
  ['a name of a key that is no text', token(key, {}, { kid: { $ne: '' } })],
  ['a very long name of a key', token(key, {}, { kid: 'k'.repeat(257) })],
  ['another type', token(key, {}, { typ: 'dpop+jwt' })],
  ['no type', signed(key, { alg: 'EdDSA', kid: 'k1' }, CLAIMS)],
  ['an ID token', token(key, {}, { typ: 'JWT' })],
  ['another issuer', token(key, { iss: 'https://id.example/' })],
  ['no issuer', token(key, { iss: undefined })],
  ['a list of issuers', token(key, { iss: [ISSUER] })],
  ['another audience', token(key, { aud: 'https://api.example/other' })],
  ['no audience', token(key, { aud: undefined })],
  ['an empty list of audiences', token(key, { aud: [] })],
  ['audiences that are no texts', token(key, { aud: [AUDIENCE, 1] })],
  ['a long list of audiences', token(key, { aud: Array(33).fill(AUDIENCE) })],
  ['no end', token(key, { exp: undefined })],
  ['an end that is a text', token(key, { exp: String(seconds + 300) })],
  [
    'an end beyond all time',
    signed(key, head, JSON.stringify({ ...CLAIMS, exp: 0 }).replace('"exp":0', '"exp":1e400')),
  ],
  ['an end that is over', token(key, { exp: seconds - 30 })],
  ['a beginning that is to come', token(key, { nbf: seconds + 31 })],
  ['a token of tomorrow', token(key, { iat: seconds + 31 })],
  ['no subject', token(key, { sub: undefined })],
  ['a subject that is a number', token(key, { sub: 1 })],
  ['a claim that stands twice', signed(key, head, JSON.stringify(CLAIMS).replace('{', '{"sub":"admin",'))],
  [
    'a claim that stands twice, once escaped',
    signed(key, head, JSON.stringify(CLAIMS).replace('{', '{"\\u0073ub":"admin",')),
  ],
  [
    'a member of the header that stands twice',
    signed(key, '{"alg":"EdDSA","typ":"at+jwt","alg":"EdDSA"}', CLAIMS),
  ],
  [
    'a nested claim that stands twice',
    signed(key, head, JSON.stringify(CLAIMS).replace('{', '{"act":{"a":1,"a":2},')),
  ],
  ['claims that are a list', signed(key, head, [])],
  ['claims that are no JSON', signed(key, head, 'sub=admin')],
  ['claims behind a byte order mark', signed(key, head, `\ufeff${JSON.stringify(CLAIMS)}`)],
  ['a padded part', token(key).replace('.', '=.')],
  ['a space', `${token(key)} `],
  ['a line feed', `${token(key)}\n`],
  ['four parts', `${token(key)}.a`],
  ['an encrypted token (five parts)', `${token(key)}.a.b`],
  ['more than 8 KB', token(key, { filling: 'x'.repeat(8192) })],
  [
    'deep nesting',
    signed(key, head, JSON.stringify(CLAIMS).replace('{', `{"a":${'['.repeat(20)}${']'.repeat(20)},`)),
  ],
]

for (const [name, text] of LIES) test(`refused: ${name}`, () => assert.equal(fits(text), false))

test('clocks may differ by as much as the policy says', () => {
  assert.equal(fits(token(key, { exp: seconds - 29 })), true)
  assert.equal(fits(token(key, { exp: seconds - 29 }), { clockSkewSeconds: 0 }), false)
  assert.equal(fits(token(key, { nbf: seconds + 30, iat: seconds + 30 })), true)
})

test('an algorithm that the policy does not list is refused, and so is every type but those asked for', () => {
  assert.equal(fits(token(key), { algorithms: ['ES256'] }), false)
  assert.equal(fits(token(key, {}, { typ: 'JWT' }), { type: 'jwt' }), true)
  assert.equal(fits(token(key, {}, { typ: undefined }), { type: 'jwt' }), true)
  assert.equal(fits(token(key), { type: 'sallyport-identity+jwt' }), false)
})

test('members of the header that bring their own key are not looked at', () => {
  const evil = makeKey('EdDSA', 'k1')
  const brought = parseJwt(
    token(evil, {}, { jwk: evil.jwk, jku: 'https://evil.example', x5u: 'https://evil.example' }),
  )
  assert.deepEqual(Object.keys(brought!).sort(), [
    'algorithm',
    'claims',
    'kid',
    'signature',
    'signed',
    'type',
  ])
})

test('the parser is total', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void parseJwt(text)))
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 }), (parts) => {
      parseJwt(parts.map(toBase64url).join('.'))
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (header, claims) => {
      const text = [header, claims, 'x']
        .map((each) => toBase64url(Buffer.from(JSON.stringify(each))))
        .join('.')
      parseJwt(text)
    }),
  )
})

test('base64url is read strictly: each sequence of bytes has one text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = toBase64url(bytes)
      assert.equal(text, Buffer.from(bytes).toString('base64url'))
      assert.deepEqual(fromBase64url(text), bytes)
    }),
  )
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), (text) => {
      const bytes = fromBase64url(text)
      if (bytes) assert.equal(toBase64url(bytes), text)
    }),
  )
  for (const text of ['A', 'AB', 'AAB', 'AA==', 'A+/A', 'AA A'])
    assert.equal(fromBase64url(text), undefined, text)
})

test('an object reads as JSON does, wherever no member stands twice', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
      const bytes = Buffer.from(JSON.stringify(value, null, 1))
      assert.deepEqual(readJsonObject(bytes), JSON.parse(bytes.toString()))
    }),
  )
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, other) => {
      const text = `{${JSON.stringify(name)}:1, ${JSON.stringify(other)} : {"a":["\\"",{"b":2}]}, ${JSON.stringify(name)}\t:2}`
      assert.equal(readJsonObject(Buffer.from(text)), undefined)
    }),
  )
  assert.equal(readJsonObject(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), undefined)
})
