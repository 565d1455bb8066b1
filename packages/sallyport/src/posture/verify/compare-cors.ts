// Compares what an answer grants to an origin with what it must grant, as a browser reads the lines (Fetch standard).

import { sameNames } from '../../controls/cors/name-list.ts'
import { headerValues } from '../../controls/faces.ts'
import type { Finding, Observation } from '../../guard/control.ts'

const BROWSER_CAP_SECONDS = 86_400

/** Judges one `Access-Control-…` name; `wanted` is `undefined` where it must not stand. */
export function compareCors(
  name: string,
  wanted: string | undefined,
  seen: Observation,
  origin: string | undefined,
): readonly Finding[] {
  const found = headerValues(seen, name)
  const value = found.join(' | ')
  const mend = wanted === undefined ? `remove the line ${name}` : `${title(name)}: ${wanted}`
  const finding = (id: string, detail: string): Finding[] => [{ id, detail, mend }]
  if (found.length === 0)
    return wanted === undefined ? [] : finding('drift.cors', `${title(name)} is missing`)
  if (name === 'access-control-allow-origin') {
    if (found.length > 1 || value.includes(',')) return finding('cors.multiple-origins', value)
    if (value === wanted) return []
    return finding(wrongGrant(value, wanted, origin, seen), `${title(name)} is ${value}`)
  }
  if (name === 'access-control-max-age') {
    if (value === wanted) return []
    const isLong = Number(value) > BROWSER_CAP_SECONDS
    return finding(isLong ? 'cors.max-age' : 'drift.cors', `${title(name)} is ${value}`)
  }
  if (wanted !== undefined && sameNames(found.join(','), wanted, name !== 'access-control-allow-methods'))
    return []
  return finding('drift.cors', `${title(name)} is ${value}`)
}

function wrongGrant(
  value: string,
  wanted: string | undefined,
  origin: string | undefined,
  seen: Observation,
): string {
  const credentials = headerValues(seen, 'access-control-allow-credentials')[0] === 'true'
  if (value === '*') {
    if (credentials) return 'cors.wildcard-credentials'
    return wanted === undefined ? 'cors.wildcard-private' : 'drift.cors'
  }
  if (value !== origin) return 'drift.cors'
  if (value === 'null') return 'cors.null-origin'
  if (value.startsWith('http:')) return 'cors.http-origin'
  return credentials ? 'cors.reflect-credentials' : 'cors.reflect'
}

/** Judges Vary: every field name that the answer depends on must be there (RFC 9110, section 12.5.5). */
export function compareVary(wanted: readonly string[], seen: Observation): readonly Finding[] {
  const names = headerValues(seen, 'vary')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
  if (names.includes('*') || wanted.every((name) => names.includes(name.toLowerCase()))) return []
  return [
    {
      id: 'cors.vary-missing',
      detail: `Vary is ${names.join(', ') || 'missing'}`,
      mend: `Vary: ${wanted.join(', ')}`,
    },
  ]
}

function title(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase())
}
