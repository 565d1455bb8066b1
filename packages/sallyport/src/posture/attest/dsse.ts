// DSSE: an envelope round bytes, with Ed25519 signatures (RFC 8032). The signature is over the type and the bytes
// together, so a payload can't be passed off as one of another type. DSSE protocol and envelope, version 1.0.2.

import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'

/** The envelope, as it is written in JSON. */
export interface Envelope {
  readonly payload: string
  readonly payloadType: string
  readonly signatures: readonly { readonly keyid?: string; readonly sig: string }[]
}

/** What is wrong with an envelope: a sentence for whoever checks it. */
export class BadEnvelope extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BadEnvelope'
  }
}

/** The bytes that are signed. @see DSSE protocol, "Signature Definition" */
export function pae(payloadType: string, body: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8')
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.byteLength} `),
    type,
    Buffer.from(` ${body.byteLength} `),
    body,
  ])
}

/** Signs bytes as a payload of a type. */
export function seal(payloadType: string, body: Uint8Array, key: KeyObject): Envelope {
  return {
    payload: Buffer.from(body).toString('base64'),
    payloadType,
    signatures: [
      {
        keyid: keyId(createPublicKey(key)),
        sig: signBytes(null, pae(payloadType, body), key).toString('base64'),
      },
    ],
  }
}

/** A name of a key: SHA-256 over its SubjectPublicKeyInfo. A hint alone, and never believed. */
function keyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/**
 * Checks an envelope and gives the very bytes that were signed.
 *
 * @throws BadEnvelope where it is none, is of another type, or no signature is by the key
 */
export function unseal(text: string, payloadType: string, key: KeyObject): Buffer {
  const envelope = readEnvelope(text)
  const body = base64(envelope.payload, 'the payload')
  const message = pae(envelope.payloadType, body)
  const signatures = envelope.signatures.map(({ sig }) => base64(sig, 'a signature'))
  if (!signatures.some((signature) => verifyBytes(null, message, key, signature)))
    throw new BadEnvelope('no signature in it is by this key; it was changed, or signed with another key')
  if (envelope.payloadType !== payloadType)
    throw new BadEnvelope(
      `it holds ${JSON.stringify(envelope.payloadType.slice(0, 100))} instead of ${payloadType}`,
    )
  return body
}

const MOST_SIGNATURES = 16

function readEnvelope(text: string): Envelope {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw new BadEnvelope('it is not JSON')
  }
  const { payload, payloadType, signatures } = (read ?? {}) as Partial<Envelope>
  if (typeof payload !== 'string' || typeof payloadType !== 'string' || !Array.isArray(signatures))
    throw new BadEnvelope('it is no DSSE envelope: payload, payloadType and signatures are needed')
  const list: readonly unknown[] = signatures
  if (list.length === 0) throw new BadEnvelope('it is not signed')
  if (list.length > MOST_SIGNATURES)
    throw new BadEnvelope(
      `it has ${list.length} signatures, and more than ${MOST_SIGNATURES} are not looked at`,
    )
  return {
    payload,
    payloadType,
    signatures: list.map((each) => {
      const { sig } = (each ?? {}) as { readonly sig?: unknown }
      if (typeof sig !== 'string') throw new BadEnvelope('one of its signatures has no sig')
      return { sig }
    }),
  }
}

// "Either standard or URL-safe base64 encodings are allowed", and nothing else is: a decoder that skips what it does not
// know would let one envelope be written in many ways.
function base64(text: string, what: string): Buffer {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(standard)) throw new BadEnvelope(`${what} is not base64`)
  return Buffer.from(standard, 'base64')
}
