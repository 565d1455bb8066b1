// Makes X.509 certificates (RFC 5280) for this machine: an authority that can speak for names under .localhost and
// for loopback addresses only, and leaves signed by it.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto'
import {
  bitString,
  boolean,
  type Der,
  explicit,
  implicit,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  setOfOne,
  time,
  utf8String,
} from './der.ts'

/** A certificate and its key, in PEM. */
export interface CertifiedKey {
  readonly certificate: string
  readonly key: string
}

/** Milliseconds since the epoch. */
export interface Validity {
  readonly notBefore: number
  readonly notAfter: number
}

/** What a leaf is for. */
export interface Subject {
  /** DNS names. */
  readonly names: readonly string[]
  /** Addresses as octets: four or sixteen. */
  readonly addresses: readonly Uint8Array[]
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

// RFC 5280, section 4.2.1.3.
const DIGITAL_SIGNATURE = 0
const KEY_CERT_SIGN = 5
const CRL_SIGN = 6

const ALGORITHM = sequence(objectIdentifier(OID.ecdsaWithSha256))

/** Makes an authority that signs for `.localhost` and loopback, and for nothing else even if its key is lost. */
export function makeAuthority(
  commonName: string,
  validity: Validity,
  random: (bytes: number) => Uint8Array,
): CertifiedKey {
  const { privateKey, publicKey } = newKey()
  const fields = authorityFields(commonName, serialNumber(random), validity, publicKey)
  return { certificate: signed(fields, privateKey), key: pem(privateKey) }
}

/**
 * Says whether a certificate is, byte for byte, one that {@link makeAuthority} writes for its name, number, time and
 * key: an authority that says less about its limits, or more about its powers, has no place in a trust store.
 */
export function isAuthority(certificate: string, commonName: string): boolean {
  try {
    const parsed = new X509Certificate(certificate)
    const { publicKey, raw } = parsed
    // Whoever trusts the file trusts all that is in it, and only the first certificate was parsed.
    if (parsed.toString() !== certificate) return false
    if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false
    const validity = { notBefore: Date.parse(parsed.validFrom), notAfter: Date.parse(parsed.validTo) }
    const serial = integer(Buffer.from(parsed.serialNumber, 'hex'))
    const expected = signedPart(authorityFields(commonName, serial, validity, publicKey))
    // X.690, section 8.1.3: the long form's first octet counts the others.
    const start = raw[1]! < 0x80 ? 2 : 2 + (raw[1]! & 0x7f)
    return raw.subarray(start, start + expected.length).equals(expected) && parsed.verify(publicKey)
  } catch {
    return false
  }
}

function authorityFields(
  commonName: string,
  serial: Der,
  validity: Validity,
  publicKey: KeyObject,
): Unsigned {
  const name = distinguishedName(commonName)
  return {
    serial,
    issuer: name,
    subject: name,
    validity,
    publicKey,
    extensions: [
      extension(OID.basicConstraints, true, sequence(boolean(true), integer(0))),
      extension(OID.keyUsage, true, namedBits(KEY_CERT_SIGN, CRL_SIGN)),
      extension(OID.extKeyUsage, false, sequence(objectIdentifier(OID.serverAuth))),
      extension(OID.nameConstraints, true, loopbackOnly()),
      extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKey))),
    ],
  }
}

/** Makes a leaf for a server, signed by an authority. */
export function makeLeaf(
  authority: CertifiedKey,
  authorityName: string,
  subject: Subject,
  validity: Validity,
  random: (bytes: number) => Uint8Array,
): CertifiedKey {
  const { privateKey, publicKey } = newKey()
  const authorityKey = createPrivateKey(authority.key)
  const certificate = signed(
    {
      serial: serialNumber(random),
      issuer: distinguishedName(authorityName),
      subject: distinguishedName(subject.names[0]!),
      validity,
      publicKey,
      extensions: [
        extension(OID.basicConstraints, true, sequence()),
        extension(OID.keyUsage, true, namedBits(DIGITAL_SIGNATURE)),
        extension(OID.extKeyUsage, false, sequence(objectIdentifier(OID.serverAuth))),
        extension(OID.subjectAltName, false, alternativeNames(subject)),
        extension(OID.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKey))),
        extension(
          OID.authorityKeyIdentifier,
          false,
          sequence(implicit(0, keyIdentifier(createPublicKey(authorityKey)))),
        ),
      ],
    },
    authorityKey,
  )
  return { certificate, key: pem(privateKey) }
}

interface Unsigned {
  readonly serial: Der
  readonly issuer: Der
  readonly subject: Der
  readonly validity: Validity
  readonly publicKey: KeyObject
  readonly extensions: readonly Der[]
}

// RFC 5280, section 4.1: version 3, fields in this order, the same algorithm inside and outside the signed part.
function signedPart(fields: Unsigned): Der {
  return sequence(
    explicit(0, integer(2)),
    fields.serial,
    ALGORITHM,
    fields.issuer,
    sequence(time(fields.validity.notBefore), time(fields.validity.notAfter)),
    fields.subject,
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...fields.extensions)),
  )
}

function signed(fields: Unsigned, key: KeyObject): string {
  const body = signedPart(fields)
  const signature = sign('sha256', body, { key, dsaEncoding: 'der' })
  const certificate = sequence(body, ALGORITHM, bitString(signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function newKey(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

// CA/Browser Forum baseline: at least 64 random bits; the first bit is cleared, so the number is positive.
function serialNumber(random: (bytes: number) => Uint8Array): Der {
  const bytes = Buffer.from(random(16))
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return integer(bytes)
}

function distinguishedName(commonName: string): Der {
  const attribute = (oid: string, value: string) =>
    setOfOne(sequence(objectIdentifier(oid), utf8String(value)))
  return sequence(
    attribute(OID.organization, 'Sallyport local development'),
    attribute(OID.commonName, commonName),
  )
}

function extension(oid: string, critical: boolean, value: Der): Der {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value))
}

// RFC 5280, section 4.2.1.6.
function alternativeNames({ names, addresses }: Subject): Der {
  return sequence(
    ...names.map((name) => implicit(2, Buffer.from(name, 'ascii'))),
    ...addresses.map((address) => implicit(7, address)),
  )
}

// RFC 5280, section 4.2.1.10: permitted subtrees; an address stands with its mask.
function loopbackOnly(): Der {
  const subtree = (base: Der) => sequence(base)
  const ipv4 = Buffer.from([127, 0, 0, 0, 255, 0, 0, 0])
  const ipv6 = Buffer.concat([Buffer.alloc(15), Buffer.from([1]), Buffer.alloc(16, 0xff)])
  return sequence(
    explicit(
      0,
      subtree(implicit(2, Buffer.from('localhost', 'ascii'))),
      subtree(implicit(7, ipv4)),
      subtree(implicit(7, ipv6)),
    ),
  )
}

// RFC 5280, section 4.2.1.2, method 1: SHA-1 names the key here and proves nothing.
function keyIdentifier(publicKey: KeyObject): Buffer {
  const { x, y } = publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')])
  return createHash('sha1').update(point).digest()
}
