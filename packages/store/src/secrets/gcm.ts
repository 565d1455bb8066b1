// AES-256-GCM (NIST SP 800-38D) with a nonce of 96 bits and a tag of 128: nothing but the call itself, for the vectors.

import { createCipheriv, createDecipheriv } from 'node:crypto'

/** Bytes. */
export const NONCE = 12
/** Bytes. */
export const TAG = 16

/** Encrypts; the tag stands at the end. */
export function gcmSeal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, aad: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG }).setAAD(aad)
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Decrypts; `undefined` where the tag is not that of this key, nonce, text and additional data. */
export function gcmOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array,
): Buffer | undefined {
  if (sealed.length < TAG) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG })
  decipher.setAAD(aad).setAuthTag(sealed.subarray(sealed.length - TAG))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG)), decipher.final()])
  } catch {
    return undefined
  }
}
