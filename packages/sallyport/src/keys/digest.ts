// The digest by which a key is known: SHA-256 in one shot. A slow hash would buy nothing for 190 random bits, and would
// let anybody burn our processors with bad keys.

/** SHA-256 of a key: 32 characters, each one byte (latin1). */
export type KeyDigest = string

/**
 * Hashes a key; a promise where the runtime has no synchronous SHA-256.
 *
 * One string is asked for, since an array would cost as much again. `node:crypto` is loaded with the first key: importing
 * the library stays cheap, and runtimes without it still run.
 */
export function digestOf(key: string): KeyDigest | Promise<KeyDigest> {
  hash ??= oneShot()
  return hash(key)
}

let hash: ((key: string) => KeyDigest | Promise<KeyDigest>) | undefined

function oneShot(): (key: string) => KeyDigest | Promise<KeyDigest> {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> }
  const crypto = process?.getBuiltinModule?.('node:crypto')
  if (crypto?.hash) return (key) => crypto.hash('sha256', key, 'binary')
  return subtleDigest
}

/** The same by Web Crypto. */
export async function subtleDigest(key: string): Promise<KeyDigest> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
  return String.fromCharCode(...new Uint8Array(bytes))
}

/** The bytes of a digest. */
export function digestBytes(digest: KeyDigest): Uint8Array {
  return Uint8Array.from(digest, (character) => character.charCodeAt(0))
}
