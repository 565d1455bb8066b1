// Keys that several processes make alike from one seed, a new one for each day (UTC): the workers of one gateway sign and
// publish the same ones without a word to each other.

import { toBase64url } from '../tokens/base64url.ts'
import { readKey, type SigningKey, type SigningKeys } from './signing-keys.ts'

const DAY_MS = 86_400_000

/** @param seed 32 random bytes that nobody else knows */
export function seededKeys(seed: Uint8Array, clock: () => number): SigningKeys {
  const made = new Map<number, SigningKey>()
  const making = new Map<number, Promise<SigningKey>>()
  const today = () => Math.floor(clock() / DAY_MS)

  function keyOf(day: number): Promise<SigningKey> {
    const known = making.get(day) ?? make(seed, day)
    making.set(day, known)
    return known.then((key) => {
      // Yesterday's, today's and tomorrow's are all that is ever asked for.
      for (const other of making.keys())
        if (Math.abs(other - day) > 2) making.delete(other) && made.delete(other)
      made.set(day, key)
      return key
    })
  }

  return {
    current: () => made.get(today()) ?? keyOf(today()),
    // Tomorrow's is published before it signs, and yesterday's while what it signed may still be valid.
    async published() {
      const day = today()
      return (await Promise.all([day, day + 1, day - 1].map(keyOf))).map(({ published }) => published)
    },
  }
}

// RFC 8410, section 7: what stands before the 32 bytes of a private key of Ed25519 in PKCS #8.
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]

async function make(seed: Uint8Array, day: number): Promise<SigningKey> {
  const hash = { name: 'HMAC', hash: 'SHA-256' } as const
  const key = await crypto.subtle.importKey('raw', Uint8Array.from(seed), hash, false, ['sign'])
  const label = new TextEncoder().encode(`sallyport identity ${day}`)
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, label))
  const pkcs8 = Uint8Array.from([...PKCS8, ...bytes])
  // Exported once to learn the public half; what signs can't be exported.
  const open = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign'])
  const { x } = await crypto.subtle.exportKey('jwk', open)
  return readKey({ kty: 'OKP', crv: 'Ed25519', d: toBase64url(bytes), x: x! })
}
