// Reports of keys that leaked: batches of GitHub's secret scanning, and whoever else found one. Whoever names a key has it,
// so nothing more is proved; a signature only says who it was. The answer is the same whatever is true of the keys, so
// that nobody can try keys here.

import type { KeyRing } from '../ports/keys.ts'
import { looksLikeKey } from './format.ts'

/** Where reports are taken. */
export const KEY_LEAKS_PATH = '/.well-known/key-leaks'
/** The longest report, bytes. */
export const KEY_LEAKS_MAX_BYTES = 262_144

/** One key of a report. */
interface Leak {
  readonly key: string
  /** Where it was seen, as the report says. */
  readonly url: string
}

/** Takes reports. */
export interface LeakReports {
  /**
   * Takes a report; what becomes of its keys is done when this settles, and never told. Never rejects.
   *
   * @param githubKeys GitHub's public keys (PEM, SubjectPublicKeyInfo) by their identifiers, see
   * https://api.github.com/meta/public_keys/secret_scanning
   * @returns the status to answer with: 202, or 503 while too many reports wait
   */
  take(
    body: Uint8Array,
    header: (name: string) => string | undefined,
    githubKeys?: Readonly<Record<string, string>>,
  ): Promise<202 | 503>
}

const MOST_KEYS = 100
const MOST_WAITING = 1_000
const LONGEST_KEY = 128
const LONGEST_URL = 200

/**
 * Makes what takes reports.
 *
 * @example
 * ```ts
 * const reports = leakReports(ring)
 * const status = await reports.take(new Uint8Array(await request.arrayBuffer()), (name) => request.headers.get(name) ?? undefined)
 * ```
 */
export function leakReports(ring: Pick<KeyRing, 'exposed'>): LeakReports {
  let waiting = 0
  return {
    async take(body, header, githubKeys = {}) {
      const leaks = readLeaks(body)
      if (leaks.length === 0) return 202
      if (waiting + leaks.length > MOST_WAITING) return 503
      waiting += leaks.length
      try {
        const isGithub = await isSignedByGithub(body, header, githubKeys)
        // One after the other: a batch must not take every connection to the records.
        for (const { key, url } of leaks)
          await ring.exposed?.(key, `${isGithub ? 'github' : 'report'} ${url}`)
      } catch {
        // Whoever reports is told nothing.
      } finally {
        waiting -= leaks.length
      }
      return 202
    },
  }
}

/** The keys of a report: an array of objects with `token` and `url`, or one of them. Total; keys stand once. */
export function readLeaks(body: Uint8Array): readonly Leak[] {
  if (body.length > KEY_LEAKS_MAX_BYTES) return []
  let read: unknown
  try {
    read = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return []
  }
  const entries = Array.isArray(read) ? read.slice(0, MOST_KEYS) : [read]
  const leaks = new Map<string, Leak>()
  for (const entry of entries) {
    if (typeof entry !== 'object' || entry === null) continue
    const { token, url } = entry as { readonly token?: unknown; readonly url?: unknown }
    if (typeof token !== 'string' || token.length > LONGEST_KEY || !looksLikeKey(token)) continue
    leaks.set(token, { key: token, url: typeof url === 'string' ? shown(url) : '' })
  }
  return [...leaks.values()]
}

// It ends in a log and in a reason: printable, short, and without a query, in which a key may stand.
function shown(url: string): string {
  const end = url.search(/[?#]/)
  return (end < 0 ? url : url.slice(0, end)).replace(/[^\x21-\x7e]/g, '').slice(0, LONGEST_URL)
}

/** ECDSA over P-256 with SHA-256, the signature in DER and base64, as GitHub's secret scanning partner programme has it. */
export async function isSignedByGithub(
  body: Uint8Array,
  header: (name: string) => string | undefined,
  keys: Readonly<Record<string, string>>,
): Promise<boolean> {
  const signature = header('github-public-key-signature')
  const pem = keys[header('github-public-key-identifier') ?? '']
  if (signature === undefined || pem === undefined) return false
  try {
    const key = await crypto.subtle.importKey(
      'spki',
      bytesOf(pem.replace(/-----[A-Z ]+-----|\s/g, '')),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['verify'],
    )
    const pair = pairOf(bytesOf(signature))
    return (
      pair !== undefined &&
      (await crypto.subtle.verify(
        { name: 'ECDSA', hash: 'SHA-256' },
        key,
        pair,
        body as Uint8Array<ArrayBuffer>,
      ))
    )
  } catch {
    return false
  }
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

// RFC 3279, section 2.2.3: SEQUENCE { r INTEGER, s INTEGER }; Web Crypto wants both in 32 bytes each (IEEE P1363).
function pairOf(der: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined
  const pair = new Uint8Array(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1]
    if (der[at] !== 0x02 || length === undefined || length === 0 || at + 2 + length > der.length)
      return undefined
    let number = der.subarray(at + 2, at + 2 + length)
    while (number.length > 32 && number[0] === 0) number = number.subarray(1)
    if (number.length > 32) return undefined
    pair.set(number, end - number.length)
    at += 2 + length
  }
  return at === der.length ? pair : undefined
}
