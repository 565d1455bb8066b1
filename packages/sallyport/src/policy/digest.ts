// The canonical form of a policy (RFC 8785) and its digest: the same policy has the same digest in every place.

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
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value as Record<string, unknown>)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${members.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(',')}}`
  }
  throw new TypeError(`a ${typeof value} has no canonical form; a policy is plain data`)
}

/** `sha256:` and 64 hexadecimal digits over the canonical form. */
export async function digest(value: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(canonicalJson(value))
  const hash = await crypto.subtle.digest('SHA-256', bytes)
  return `sha256:${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
