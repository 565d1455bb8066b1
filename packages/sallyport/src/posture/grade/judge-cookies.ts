// Set-Cookie lines as browsers take them (RFC 6265bis).

import { headerValues } from '../../controls/faces.ts'
import type { WireAnswer } from '../wire/send.ts'
import type { Weighed } from './context.ts'

const MAX_BYTES = 4_096
const MONTH = 30 * 86_400

/** Judges every cookie of an answer. */
export function judgeCookies(answer: WireAnswer): readonly Weighed[] {
  return headerValues(answer, 'set-cookie').flatMap((value) => judge(value, answer.encrypted))
}

function judge(value: string, encrypted: boolean): readonly Weighed[] {
  const [pair = '', ...rest] = value.split(';')
  const equals = pair.indexOf('=')
  const name = (equals < 0 ? '' : pair.slice(0, equals)).trim()
  const attributes = new Map(
    rest.map((part) => {
      const [key = '', ...more] = part.split('=')
      return [key.trim().toLowerCase(), more.join('=').trim()] as const
    }),
  )
  if (isTakenBack(attributes)) return []
  const isSession = /sess|sid|auth|token|jwt|login|connect\.|remember/i.test(name) && !/csrf|xsrf/i.test(name)
  const isForScripts = /csrf|xsrf/i.test(name)
  const secure = attributes.has('secure')
  const sameSite = attributes.get('samesite')?.toLowerCase()
  const found: Weighed[] = []
  const say = (id: string, mend: string, severity?: Weighed['severity']) =>
    found.push({ id, detail: `the cookie ${name}`, mend, ...(severity ? { severity } : {}) })
  if (!secure && encrypted) say('cookie.no-secure', `${name}=…; Secure`, isSession ? undefined : 'medium')
  if (isSession && !attributes.has('httponly')) say('cookie.no-httponly', `${name}=…; HttpOnly`)
  if (sameSite === undefined)
    say('cookie.no-samesite', `${name}=…; SameSite=${isForScripts ? 'Strict' : 'Lax'}`)
  if (sameSite === 'none' && isSession) say('cookie.samesite-none', `${name}=…; SameSite=Lax`)
  const prefixed = /^__(?:Host|Secure)-/i.test(name)
  const brokenPrefix =
    (prefixed && !secure) ||
    (/^__Host-/i.test(name) && (attributes.has('domain') || attributes.get('path') !== '/'))
  if ((sameSite === 'none' && !secure) || brokenPrefix)
    say('cookie.rejected', `${name}=…; Path=/; Secure, without Domain`)
  if (isSession && !prefixed && (encrypted || secure))
    say('cookie.no-prefix', `__Host-${name}=…; Path=/; Secure`)
  if (isSession && attributes.has('domain')) say('cookie.broad-domain', `${name}=…, without Domain`)
  if (isSession && Number(attributes.get('max-age') ?? 0) > MONTH)
    say('cookie.long-lived', `${name}=…; Max-Age=${MONTH}`)
  if (Buffer.byteLength(pair) > MAX_BYTES) say('cookie.oversize', `keep ${name} under ${MAX_BYTES} bytes`)
  return found
}

// A cookie that ends as it comes is one that is deleted (RFC 6265bis, section 5.6): nothing is kept of it.
function isTakenBack(attributes: ReadonlyMap<string, string>): boolean {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0
  return Date.parse(attributes.get('expires') ?? '') <= 86_400_000
}
