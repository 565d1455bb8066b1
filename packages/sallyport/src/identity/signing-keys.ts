// The keys that sign identities (Ed25519, RFC 8037): given, or made when they are first needed and changed each day. A
// key is published before it signs, and for as long as anything that it signed is valid.

import { toBase64url } from '../tokens/base64url.ts'

/** A public key as it is published. */
interface PublishedKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

/** A key that signs. */
export interface SigningKey {
  readonly published: PublishedKey
  readonly key: CryptoKey
}

/** The keys of one signer. */
export interface SigningKeys {
  /** The one that signs now; a promise while it is being made or read. */
  current(): SigningKey | Promise<SigningKey>
  published(): Promise<readonly PublishedKey[]>
}

/** A private key as it is given: an Ed25519 JWK. */
export interface GivenKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly d: string
  readonly x: string
}

const DAY_MS = 86_400_000
/** So long before it signs a key is published: longer than anybody keeps the list. */
const AHEAD_MS = 900_000

/** Keys of the process's own. */
export function ownKeys(clock: () => number): SigningKeys {
  let current: SigningKey | undefined
  let before: SigningKey | undefined
  let next: SigningKey | undefined
  let since = 0
  let making: Promise<void> | undefined

  async function make(): Promise<void> {
    const made = await makeKey()
    if (current) next = made
    else {
      current = made
      since = clock()
    }
    making = undefined
  }

  function tend(): void {
    const age = clock() - since
    if (next && age >= DAY_MS) {
      before = current
      current = next
      next = undefined
      since = clock()
    } else if (!next && age >= DAY_MS - AHEAD_MS) making ??= make()
  }

  async function first(): Promise<SigningKey> {
    making ??= make()
    await making
    return current!
  }

  return {
    current() {
      if (!current) return first()
      tend()
      return current
    },
    async published() {
      if (!current) await first()
      tend()
      return [current, next, before].flatMap((each) => (each ? [each.published] : []))
    },
  }
}

/** Keys that are given: the first signs, the others are published beside it. */
export function givenKeys(given: readonly GivenKey[]): SigningKeys {
  let read: readonly SigningKey[] | undefined
  const reading = Promise.all(given.map(readKey)).then((keys) => {
    read = keys
    return keys
  })
  // Told to whoever asks for the key.
  reading.catch(() => {})
  return {
    current: () => read?.[0] ?? reading.then(([first]) => first!),
    published: async () => (await reading).map(({ published }) => published),
  }
}

// 32 bytes in base64url.
const OCTETS = /^[A-Za-z0-9_-]{43}$/

/** The keys in a secret's text: one JWK, a list of them, or a JWK Set; `undefined` where it is none of these. */
export function readGivenKeys(text: string): readonly GivenKey[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  // Lists have a method of that name.
  const set = Array.isArray(value) ? value : ((value as { readonly keys?: unknown } | null)?.keys ?? value)
  const list: readonly unknown[] = Array.isArray(set) ? set : [set]
  return list.length > 0 && list.length <= 8 && list.every(isGivenKey) ? list : undefined
}

function isGivenKey(value: unknown): value is GivenKey {
  if (typeof value !== 'object' || value === null) return false
  const { kty, crv, d, x } = value as Readonly<Record<string, unknown>>
  if (kty !== 'OKP' || crv !== 'Ed25519') return false
  return typeof d === 'string' && typeof x === 'string' && OCTETS.test(d) && OCTETS.test(x)
}

async function makeKey(): Promise<SigningKey> {
  // The private half can't leave the process.
  const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const { x } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return { key: pair.privateKey, published: await publishedKey(x!) }
}

/** Reads a private key; what signs can't be exported. */
export async function readKey({ kty, crv, d, x }: GivenKey): Promise<SigningKey> {
  const key = await crypto.subtle.importKey('jwk', { kty, crv, d, x }, { name: 'Ed25519' }, false, ['sign'])
  return { key, published: await publishedKey(x) }
}

// RFC 7638: the key's own digest is its name, the same in every process that has it.
async function publishedKey(x: string): Promise<PublishedKey> {
  const text = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  const kid = toBase64url(new Uint8Array(digest))
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }
}
