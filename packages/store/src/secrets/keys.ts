// The keys that fields are encrypted with: `SALLYPORT_FIELD_KEY_1`, `_2`, …: 32 bytes in base64url each. The highest number
// encrypts; the others still decrypt until `sallyport secrets rotate` has left nothing to them.

import { FieldFault } from './fault.ts'

/** A ring of keys. */
export interface FieldKeys {
  /** The number of the key that encrypts. */
  readonly newest: number
  /** The key of a number. */
  get(id: number): Uint8Array | undefined
}

const BYTES = 32
const VARIABLE = /^SALLYPORT_FIELD_KEY_([1-9]\d{0,5})$/

/**
 * Reads the ring.
 *
 * @throws FieldFault where there is no key, or one is malformed; the message holds no secret
 */
export function fieldKeys(environment: Readonly<Record<string, string | undefined>>): FieldKeys {
  const keys = new Map<number, Uint8Array>()
  for (const [name, text] of Object.entries(environment)) {
    const id = VARIABLE.exec(name)?.[1]
    if (id === undefined || text === undefined || text === '') continue
    const key = /^[\w-]{43}$/.test(text) ? Buffer.from(text, 'base64url') : undefined
    if (key?.length !== BYTES)
      throw new FieldFault(
        `${name} must hold 32 bytes in base64url: 43 characters; make one with sallyport secrets key`,
      )
    keys.set(Number(id), key)
  }
  return ringOf(keys)
}

/** A ring of given keys, 32 bytes each, by their numbers. @throws FieldFault where there is none */
export function ringOf(keys: ReadonlyMap<number, Uint8Array>): FieldKeys {
  if (keys.size === 0)
    throw new FieldFault(
      'no key for fields; set SALLYPORT_FIELD_KEY_1 to one made with sallyport secrets key',
    )
  return { newest: Math.max(...keys.keys()), get: (id) => keys.get(id) }
}
