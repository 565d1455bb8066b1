// Reads the key of a request: from where the policy says, from one place, and never from the URL.

import type { Denial } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { looksLikeKey } from '../../keys/format.ts'
import type { FullKeysSetting } from './setting.ts'

const AMBIGUOUS: Denial = { kind: 'deny', code: 'ambiguous_credentials' }
const TWICE: Denial = { kind: 'deny', code: 'duplicate_header' }

/** Gives the text that is shown as a key; `undefined` where none is. */
export function shownKey({ header }: FullKeysSetting): (exchange: Exchange) => string | Denial | undefined {
  const inAuthorization = header.includes('authorization')
  if (!header.includes('x-api-key')) return inAuthorization ? bearerKey : () => undefined
  return (exchange) => {
    const own = exchange.header('x-api-key')
    if (own === undefined) return inAuthorization ? bearerKey(exchange) : undefined
    if (exchange.header('authorization') !== undefined) return AMBIGUOUS
    return linesNamed(exchange.incoming.rawHeaders, 'x-api-key') > 1 ? TWICE : own.trim()
  }
}

// RFC 6750, section 2.1; the scheme is read in any case (RFC 9110, section 11.1). What does not look like a key is a
// token, and `access` reads it.
function bearerKey(exchange: Exchange): string | undefined {
  const value = exchange.header('authorization')
  if (value === undefined || value.charCodeAt(6) !== 32) return undefined
  if (!value.startsWith('Bearer') && value.slice(0, 6).toLowerCase() !== 'bearer') return undefined
  const token = value.slice(7)
  const key = token.charCodeAt(0) === 32 || token.endsWith(' ') ? token.trim() : token
  return looksLikeKey(key) ? key : undefined
}

function linesNamed(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]!.toLowerCase() === name) count++
  return count
}

/** Finds a key in a path and query, also where its characters are percent-encoded, once or twice. */
export function keyInTarget(vendor: string): (target: string) => string | undefined {
  const mark = `k_${vendor}_`
  const pattern = new RegExp(`[sp]k_${vendor}_(?:live|test)_[0-9A-Za-z]{38}`)
  return (target) => {
    if (!target.includes(mark) && !target.includes('%')) return undefined
    const once = decoded(target)
    // Whoever puts a URL into a URL encodes it twice.
    return (pattern.exec(target) ?? pattern.exec(once) ?? pattern.exec(decoded(once)))?.[0]
  }
}

// Total, unlike decodeURIComponent.
function decoded(target: string): string {
  return target.replace(/%[0-9A-Fa-f]{2}/g, (written) =>
    String.fromCharCode(Number.parseInt(written.slice(1), 16)),
  )
}
