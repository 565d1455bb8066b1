// The form of a backup file: a line that names it, a header with the key of this file sealed to its recipient, then the
// content in chunks. Whoever makes backups needs no key that could read them again.
//
// Chunks are AES-256-GCM under a key that this file alone has (NIST SP 800-38D). The nonce counts them, and its last byte
// marks the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): chunks can't be left out,
// changed in order or cut off at the end. The header is authenticated with each.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { StoreFault } from '../fault.ts'

/** The first line. */
const NAME = 'sallyport-backup/1'
/** Bytes of content in each chunk but the last. */
export const CHUNK = 65_536
const TAG = 16
const MAX_HEADER = 4_096
// A key that is used once needs no nonce of its own.
const ONCE = Buffer.alloc(12)

interface Header {
  /** Whose key opens it: 64 bits of a digest of its public key. */
  readonly recipient: string
  /** X25519, 32 bytes, base64url. */
  readonly ephemeral: string
  /** The key of the file, AES-256-GCM, base64url. */
  readonly wrapped: string
}

/** What opens a file: its own key, which only its maker has for a moment, or the recipient's private key. */
export type Opener = { readonly fileKey: Uint8Array } | { readonly identity: KeyObject }

/** Names a recipient in a header: 64 bits of a digest of its public key. */
function recipientId(key: KeyObject): string {
  return createHash('sha256').update(rawPublic(key)).digest('hex').slice(0, 16)
}

/**
 * Encrypts.
 *
 * @param fileKey 32 random bytes, of this file alone
 */
export async function* sealed(
  content: AsyncIterable<Uint8Array>,
  recipient: KeyObject,
  fileKey: Uint8Array,
): AsyncGenerator<Buffer> {
  const head = headOf(recipient, fileKey)
  yield head
  const aad = createHash('sha256').update(head).digest()
  let counter = 0
  let rest = Buffer.alloc(0)
  for await (const part of content) {
    rest = Buffer.concat([rest, part])
    let from = 0
    // The last chunk is known only when the content ends, so one byte at least waits.
    for (; rest.length - from > CHUNK; from += CHUNK)
      yield sealChunk(fileKey, counter++, false, aad, rest.subarray(from, from + CHUNK))
    rest = rest.subarray(from)
  }
  yield sealChunk(fileKey, counter, true, aad, rest)
}

/**
 * Decrypts; every byte that it gives is authentic, and when it ends without an error none is missing.
 *
 * @throws StoreFault `refused`
 */
export async function* opened(file: AsyncIterable<Uint8Array>, opener: Opener): AsyncGenerator<Buffer> {
  let fileKey: Uint8Array | undefined
  let aad: Buffer | undefined
  let counter = 0
  let rest: Buffer = Buffer.alloc(0)
  for await (const part of file) {
    rest = Buffer.concat([rest, part])
    if (aad === undefined) {
      const end = headEnd(rest)
      if (end === undefined) continue
      const head = rest.subarray(0, end)
      fileKey = 'fileKey' in opener ? opener.fileKey : unwrapped(headerIn(head), opener.identity)
      aad = createHash('sha256').update(head).digest()
      rest = rest.subarray(end)
    }
    let from = 0
    for (; rest.length - from > CHUNK + TAG; from += CHUNK + TAG)
      yield openChunk(fileKey!, counter++, false, aad, rest.subarray(from, from + CHUNK + TAG))
    rest = rest.subarray(from)
  }
  if (aad === undefined) throw refused('it has no header')
  yield openChunk(fileKey!, counter, true, aad, rest)
}

function headOf(recipient: KeyObject, fileKey: Uint8Array): Buffer {
  const ephemeral = generateKeyPairSync('x25519')
  const key = wrappingKey(ephemeral.privateKey, recipient, ephemeral.publicKey, recipient)
  const cipher = createCipheriv('aes-256-gcm', key, ONCE)
  const header: Header = {
    recipient: recipientId(recipient),
    ephemeral: rawPublic(ephemeral.publicKey).toString('base64url'),
    wrapped: Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    ),
  }
  return Buffer.from(`${NAME}\n${JSON.stringify(header)}\n`)
}

function headEnd(bytes: Buffer): number | undefined {
  const first = bytes.indexOf(10)
  const name = Buffer.from(`${NAME}\n`)
  if (first >= 0 || bytes.length >= name.length)
    if (!bytes.subarray(0, name.length).equals(name)) throw refused('it is no backup of Sallyport')
  const second = bytes.indexOf(10, name.length)
  if (second < 0 && bytes.length <= MAX_HEADER) return undefined
  if (second < 0 || second > MAX_HEADER) throw refused('its header is too long')
  return second + 1
}

function headerIn(head: Buffer): Header {
  try {
    const found = JSON.parse(head.toString('utf8').split('\n')[1]!) as Partial<Header> | null
    if (typeof found?.ephemeral === 'string' && typeof found.wrapped === 'string') return found as Header
  } catch {
    // The same as one that lacks something.
  }
  throw refused('its header is damaged')
}

function unwrapped({ ephemeral, wrapped }: Header, identity: KeyObject): Buffer {
  const own = createPublicKey(identity)
  const bytes = Buffer.from(wrapped, 'base64url')
  try {
    const sender = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: ephemeral }, format: 'jwk' })
    const key = wrappingKey(identity, sender, sender, own)
    const decipher = createDecipheriv('aes-256-gcm', key, ONCE, { authTagLength: TAG })
    decipher.setAuthTag(bytes.subarray(-TAG))
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG)), decipher.final()])
  } catch {
    throw refused('the given key is not the one that it was encrypted to')
  }
}

// Both public keys are part of what is derived, as in RFC 9180 (DHKEM): a key belongs to this pair alone.
function wrappingKey(own: KeyObject, other: KeyObject, ephemeral: KeyObject, recipient: KeyObject): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: other })
  const salt = Buffer.concat([rawPublic(ephemeral), rawPublic(recipient)])
  return Buffer.from(hkdfSync('sha256', shared, salt, `${NAME} x25519`, 32))
}

function rawPublic(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')
}

function nonceOf(counter: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(counter, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

function sealChunk(key: Uint8Array, counter: number, isLast: boolean, aad: Buffer, content: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter, isLast)).setAAD(aad)
  return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()])
}

function openChunk(key: Uint8Array, counter: number, isLast: boolean, aad: Buffer, chunk: Buffer): Buffer {
  if (chunk.length < TAG) throw refused('it ends too early')
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter, isLast), { authTagLength: TAG })
  decipher.setAAD(aad).setAuthTag(chunk.subarray(-TAG))
  try {
    return Buffer.concat([decipher.update(chunk.subarray(0, -TAG)), decipher.final()])
  } catch {
    throw refused('it was changed or cut, or its key is another')
  }
}

function refused(why: string): StoreFault {
  return new StoreFault('refused', `the backup can’t be read: ${why}; take another copy, or an older backup`)
}
