// The canonical form of a policy (RFC 8785) and its digest: the same policy has the same digest in every place.

import { isPlainObject } from './schema.ts'

/**
 * The JSON Canonicalization Scheme: members sorted by UTF-16 code units, numbers as ECMAScript writes them,
 * no white space.
 *
 * @throws TypeError for what JSON cannot carry: functions, NaN, lone surrogates
 * @see RFC 8785, section 3.2
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      throw new TypeError('a lone surrogate has no canonical form (RFC 8785, 3.2.2.2)')
    return JSON.stringify(value)
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical form (RFC 8785, 3.2.2.3)`)
    return JSON.stringify(value)
  }
  // Array.from shows the holes of a sparse list, which `map` would jump over.
  if (Array.isArray(value)) return `[${Array.from(value, canonicalJson).join(',')}]`
  if (isPlainObject(value)) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${members.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(',')}}`
  }
  const what = typeof value === 'object' ? 'an instance of a class' : `a ${typeof value}`
  throw new TypeError(`${what} has no canonical form; a policy is plain data`)
}

/** `sha256:` and 64 hexadecimal digits over the canonical form. */
export async function digest(value: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(canonicalJson(value))
  const hash = await crypto.subtle.digest('SHA-256', bytes)
  return `sha256:${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
