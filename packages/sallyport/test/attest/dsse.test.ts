// The envelope: the specification's own example of the signed bytes, the keys of RFC 8032, and everything that must be
// refused.

import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BadEnvelope, type Envelope, pae, seal, unseal } from '../../src/posture/attest/dsse.ts'

const TYPE = 'application/vnd.in-toto+json'

// RFC 8032, section 7.1: TEST 1 and TEST 2.
const SEEDS = {
  one: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  two: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
} as const
const PKCS8_ED25519 = '302e020100300506032b657004220420'

function privateKey(seed: string) {
  return createPrivateKey({ key: Buffer.from(PKCS8_ED25519 + seed, 'hex'), format: 'der', type: 'pkcs8' })
}

const one = privateKey(SEEDS.one)
const two = privateKey(SEEDS.two)
const publicOne = createPublicKey(one)

function reopened(envelope: unknown, type = TYPE): Buffer {
  return unseal(JSON.stringify(envelope), type, publicOne)
}

function refuses(envelope: unknown, message: RegExp): void {
  assert.throws(
    () => reopened(envelope),
    (error: Error) => error instanceof BadEnvelope && message.test(error.message),
  )
}

describe('the bytes that are signed', () => {
  it('are those of the example in the specification', () => {
    assert.equal(
      pae('http://example.com/HelloWorld', Buffer.from('hello world')).toString(),
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    )
  })

  it('carry the signature of that example: ECDSA over P-256, r and s one after the other', () => {
    const number = (digits: string) =>
      Buffer.from(BigInt(digits).toString(16).padStart(64, '0'), 'hex').toString('base64url')
    const key = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: number('46950820868899156662930047687818585632848591499744589407958293238635476079160'),
        y: number('5640078356564379163099075877009565129882514886557779369047442380624545832820'),
      },
    })
    const signature =
      'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=='
    const message = pae('http://example.com/HelloWorld', Buffer.from('hello world'))
    assert.ok(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64')))
  })

  it('count bytes, not characters, and say a length of nothing', () => {
    assert.equal(pae('ä', Buffer.from('ö')).toString(), 'DSSEv1 2 ä 2 ö')
    assert.equal(pae('', Buffer.alloc(0)).toString(), 'DSSEv1 0  0 ')
  })

  it('tell any two pairs of type and body apart', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (type, body, otherType, otherBody) => {
        fc.pre(type !== otherType || body !== otherBody)
        fc.pre([type, body, otherType, otherBody].every((text) => text.isWellFormed()))
        assert.notDeepEqual(pae(type, Buffer.from(body)), pae(otherType, Buffer.from(otherBody)))
      }),
    )
  })
})

describe('an envelope', () => {
  const body = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}')
  const sealed = seal(TYPE, body, one)

  it('gives back the very bytes that were signed', () => {
    assert.deepEqual(reopened(sealed), body)
    assert.deepEqual(reopened(seal(TYPE, Buffer.alloc(0), one)), Buffer.alloc(0))
  })

  it('is the same for the same bytes, since Ed25519 signs without chance', () => {
    assert.deepEqual(seal(TYPE, body, one), sealed)
    assert.match(sealed.signatures[0]!.keyid!, /^[0-9a-f]{64}$/)
  })

  it('may be written in URL-safe base64, have no keyid, other fields, and other signatures', () => {
    const awkward = Buffer.from([0xfb, 0xff, 0xbf, 0x3e, 0x3f])
    const urlSafe = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_')
    const { payload, payloadType, signatures } = seal(TYPE, awkward, one)
    const written = {
      payload: urlSafe(payload),
      payloadType,
      extra: true,
      signatures: [
        { sig: seal(TYPE, awkward, two).signatures[0]!.sig },
        { sig: urlSafe(signatures[0]!.sig) },
      ],
    }
    assert.match(written.payload, /[-_]/)
    assert.deepEqual(reopened(written), awkward)
  })

  it('is refused where the type was changed after it was signed, or is another than wanted', () => {
    refuses({ ...sealed, payloadType: 'application/vnd.other+json' }, /no signature in it is by this key/)
    refuses(seal('application/vnd.other+json', body, one), /instead of application\/vnd\.in-toto\+json/)
  })

  it('is refused where another key signed it, whatever its keyid says', () => {
    const forged = seal(TYPE, body, two)
    const { keyid } = sealed.signatures[0]!
    refuses(
      { ...forged, signatures: [{ ...forged.signatures[0], keyid }] },
      /no signature in it is by this key/,
    )
    refuses(seal(TYPE, body, generateKeyPairSync('ed25519').privateKey), /no signature in it is by this key/)
  })

  it('is refused where its bytes alone were signed, without their type', () => {
    const sig = sign(null, body, one).toString('base64')
    refuses({ ...sealed, signatures: [{ sig }] }, /no signature in it is by this key/)
  })

  for (const [what, envelope, message] of [
    ['nothing', null, /no DSSE envelope/],
    ['a list', [], /no DSSE envelope/],
    ['no signatures', { ...sealed, signatures: [] }, /it is not signed/],
    ['a signature without sig', { ...sealed, signatures: [{}] }, /has no sig/],
    ['a signature that is null', { ...sealed, signatures: [null] }, /has no sig/],
    ['too many signatures', { ...sealed, signatures: Array(17).fill({ sig: '' }) }, /17 signatures/],
    ['a payload that is not base64', { ...sealed, payload: 'e30 =' }, /the payload is not base64/],
    [
      'a signature that is not base64',
      { ...sealed, signatures: [{ sig: '!' }] },
      /a signature is not base64/,
    ],
  ] as const)
    it(`is refused where it is or has ${what}`, () => refuses(envelope, message))

  it('is refused where any one byte of the payload is another', () => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(body)
        changed[at] = changed[at]! ^ by
        refuses({ ...sealed, payload: changed.toString('base64') }, /no signature in it/)
      }),
    )
  })

  it('is read or refused, and nothing else, whatever the text is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        assert.throws(() => unseal(text, TYPE, publicOne), BadEnvelope)
      }),
    )
    const each: Envelope = sealed
    assert.equal(each.payloadType, TYPE)
  })
})
