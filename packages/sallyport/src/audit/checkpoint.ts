// Checkpoints: what a log signs to say how far it has come. C2SP tlog-checkpoint in a C2SP signed-note, with Ed25519.

import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'

/** A log's size and root. */
export interface Checkpoint {
  /** The log's name: a schema-less URL such as `audit.example.com/log`. */
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

/** Who signs: the name of the log and its key. */
export interface Signer {
  readonly name: string
  readonly privateKey: KeyObject
}

/** Whose signature is trusted. */
export interface Verifier {
  readonly name: string
  readonly publicKey: KeyObject
}

const ALGORITHM_ED25519 = 1
// SubjectPublicKeyInfo and PrivateKeyInfo of Ed25519 up to the 32 bytes of the key (RFC 8410).
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A key of 32 random bytes. */
export function signerOf(name: string, seed: Uint8Array): Signer {
  expectName(name)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  return { name, privateKey }
}

/**
 * The signer of a gateway's log, from a secret of any form. The name comes from the key, so that every gateway that has the
 * secret, and a store that moved to another machine, gives the log the same one.
 */
export function logSigner(secret: string): Signer {
  const seed = hash('sha256', `sallyport audit log v1\n${secret}`, 'buffer')
  const { privateKey } = signerOf('unnamed', seed)
  const id = hash('sha256', rawKey(createPublicKey(privateKey)), 'hex').slice(0, 16)
  return { name: `${id}/sallyport`, privateKey }
}

/** The public half of a signer, as an auditor needs it. */
export function verifierOf({ name, privateKey }: Signer): Verifier {
  return { name, publicKey: createPublicKey(privateKey) }
}

// signed-note: a name holds no space and no plus.
function expectName(name: string): void {
  if (name === '' || name.length > 200 || /[\s+\p{Cc}]/u.test(name))
    throw new TypeError(
      `the log's name ${JSON.stringify(name)}: expected a name without spaces and "+"; write one such as "audit.example.com/log"`,
    )
}

function rawKey(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** The first four bytes of SHA-256(name || 0x0A || algorithm || key). */
function keyId({ name, publicKey }: Verifier): Buffer {
  const id = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ALGORITHM_ED25519), rawKey(publicKey)])
  return hash('sha256', id, 'buffer').subarray(0, 4)
}

/** `name+1f2e3d4c+base64`, the form in which verifier keys are handed on (signed-note). */
export function verifierKey(verifier: Verifier): string {
  const key = Buffer.concat([Buffer.of(ALGORITHM_ED25519), rawKey(verifier.publicKey)])
  return `${verifier.name}+${keyId(verifier).toString('hex')}+${key.toString('base64')}`
}

/** Reads a verifier key; `undefined` where it is none, or its id is not its own. */
export function parseVerifierKey(text: string): Verifier | undefined {
  const match = /^([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text)
  if (!match) return undefined
  const [, name = '', id, key = ''] = match
  const bytes = Buffer.from(key, 'base64')
  if (bytes.length !== 33 || bytes[0] !== ALGORITHM_ED25519) return undefined
  const publicKey = createPublicKey({
    key: Buffer.concat([SPKI, bytes.subarray(1)]),
    format: 'der',
    type: 'spki',
  })
  const verifier = { name, publicKey }
  return keyId(verifier).toString('hex') === id ? verifier : undefined
}

function textOf({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

/** The signed note of a checkpoint. */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  expectName(checkpoint.origin)
  const text = textOf(checkpoint)
  const signature = sign(null, Buffer.from(text), signer.privateKey)
  const line = Buffer.concat([keyId(verifierOf(signer)), signature]).toString('base64')
  return `${text}\n\u2014 ${signer.name} ${line}\n`
}

const MAX_NOTE = 16_384

/**
 * Reads a signed note.
 *
 * @returns the checkpoint, where a signature of the verifier's holds; `undefined` for everything else
 */
export function openCheckpoint(note: string, verifier: Verifier): Checkpoint | undefined {
  if (note.length > MAX_NOTE || !note.endsWith('\n')) return undefined
  const end = note.lastIndexOf('\n\n')
  if (end < 0) return undefined
  const text = note.slice(0, end + 1)
  const [origin, size, root, ...more] = text.slice(0, -1).split('\n')
  if (origin === undefined || size === undefined || root === undefined || more.length > 0) return undefined
  if (!/^(?:0|[1-9]\d{0,15})$/.test(size) || !/^[A-Za-z0-9+/]{43}=$/.test(root)) return undefined
  const wanted = keyId(verifier)
  const isSigned = note
    .slice(end + 2, -1)
    .split('\n')
    .some((line) => {
      const match = /^\u2014 ([^\s+]{1,200}) ([A-Za-z0-9+/=]{1,400})$/.exec(line)
      if (!match || match[1] !== verifier.name) return false
      const bytes = Buffer.from(match[2]!, 'base64')
      return (
        bytes.length === 68 &&
        // The last bits of base64 can say nothing, and be changed.
        bytes.toString('base64') === match[2] &&
        bytes.subarray(0, 4).equals(wanted) &&
        verify(null, Buffer.from(text), verifier.publicKey, bytes.subarray(4))
      )
    })
  if (!isSigned || !Number.isSafeInteger(Number(size))) return undefined
  return { origin, size: Number(size), root: Buffer.from(root, 'base64') }
}
