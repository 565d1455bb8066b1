// What the headers of one answer say, judged by what the answer is.

import { parseCacheControl } from '../../controls/cache/directives.ts'
import { headerValues } from '../../controls/faces.ts'
import { parsePermissions } from '../../controls/headers/permissions.ts'
import { effectiveReferrerPolicy } from '../../controls/headers/referrer.ts'
import { parseHsts } from '../../controls/transport/faces.ts'
import { type Graded, line, mediaType, type Weighed } from './context.ts'

const YEAR = 31_536_000

/** Strict-Transport-Security (RFC 6797). */
export function judgeHsts({ answer }: Graded, host: string): readonly Weighed[] {
  const values = headerValues(answer, 'strict-transport-security')
  const mend = 'Strict-Transport-Security: max-age=63072000; includeSubDomains'
  if (!answer.encrypted)
    return values.length === 0
      ? []
      : [{ id: 'hsts.over-http', detail: values[0]!, mend: 'send it over HTTPS only' }]
  // RFC 6797, section 8.1.1: an address has no policy.
  if (/^[\d.]+$|:/.test(host)) return []
  if (values.length === 0) return [{ id: 'hsts.missing', detail: 'no Strict-Transport-Security', mend }]
  const found: Weighed[] =
    values.length > 1 ? [{ id: 'hsts.duplicate', detail: values.join(' | '), mend }] : []
  const parsed = parseHsts(values[0]!)
  if (parsed === undefined) return [...found, { id: 'hsts.malformed', detail: values[0]!, mend }]
  if (parsed.maxAge === 0) return [...found, { id: 'hsts.disabled', detail: values[0]!, mend }]
  if (parsed.maxAge < YEAR)
    found.push({
      id: 'hsts.short-max-age',
      detail: values[0]!,
      mend,
      ...(parsed.maxAge < YEAR / 2 ? { severity: 'medium' as const } : {}),
    })
  if (!parsed.sub) found.push({ id: 'hsts.no-subdomains', detail: values[0]!, mend })
  if (parsed.preload && (!parsed.sub || parsed.maxAge < YEAR))
    found.push({ id: 'hsts.preload-inconsistent', detail: values[0]!, mend: `${mend}; preload` })
  return found
}

/** X-Content-Type-Options and Content-Type. */
export function judgeType(graded: Graded): readonly Weighed[] {
  const { answer, context } = graded
  const found: Weighed[] = []
  const options = line(answer, 'x-content-type-options')
  const mend = 'X-Content-Type-Options: nosniff'
  if (options === undefined) found.push({ id: 'xcto.missing', detail: 'no X-Content-Type-Options', mend })
  // Fetch, "determine nosniff": the first value of the list.
  else if (options.split(',', 1)[0]!.trim().toLowerCase() !== 'nosniff')
    found.push({ id: 'xcto.invalid', detail: options, mend })
  const type = line(answer, 'content-type')
  if (answer.body === '' || context === 'redirect') return found
  if (type === undefined)
    found.push({
      id: 'ctype.missing',
      detail: 'a body without Content-Type',
      mend: 'Content-Type: application/json',
    })
  else if (mediaType(answer) === 'text/html' && /^\s*[[{]/.test(answer.body) && isJson(answer.body))
    found.push({
      id: 'ctype.mismatch',
      detail: `JSON sent as ${type}`,
      mend: 'Content-Type: application/json',
    })
  else if (/^text\/(?:html|plain|css|javascript)/i.test(type) && !/charset=/i.test(type))
    found.push({
      id: 'ctype.no-charset',
      detail: type,
      mend: `Content-Type: ${mediaType(answer)}; charset=utf-8`,
    })
  return found
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Referrer-Policy, Permissions-Policy, and the isolation of documents. */
export function judgeDocumentHeaders(graded: Graded): readonly Weighed[] {
  const { answer, context } = graded
  const found: Weighed[] = []
  const referrer = headerValues(answer, 'referrer-policy')
  const mend = 'Referrer-Policy: strict-origin-when-cross-origin'
  if (referrer.length > 0) {
    const effective = effectiveReferrerPolicy(referrer)
    if (effective === undefined) found.push({ id: 'referrer.invalid', detail: referrer.join(', '), mend })
    else if (effective === 'unsafe-url' || effective === 'no-referrer-when-downgrade')
      found.push({ id: 'referrer.unsafe', detail: effective, mend })
  } else if (context === 'document')
    found.push({ id: 'referrer.missing', detail: 'no Referrer-Policy; browsers use their default', mend })
  const permissions = line(answer, 'permissions-policy')
  if (permissions !== undefined) {
    const parsed = parsePermissions(permissions)
    if (parsed === undefined)
      found.push({
        id: 'permissions.invalid',
        detail: permissions,
        mend: 'Permissions-Policy: camera=(), microphone=(), geolocation=()',
      })
    else
      for (const [feature, allowed] of Object.entries(parsed))
        if (
          allowed.includes('*') &&
          /^(?:camera|microphone|geolocation|payment|usb|serial|bluetooth|hid|midi|display-capture)$/.test(
            feature,
          )
        )
          found.push({ id: 'permissions.wildcard', detail: `${feature}=*`, mend: `${feature}=()` })
  }
  if (context === 'document' && line(answer, 'cross-origin-opener-policy') === undefined)
    found.push({
      id: 'coop.missing',
      detail: 'no Cross-Origin-Opener-Policy on a document',
      mend: 'Cross-Origin-Opener-Policy: same-origin',
    })
  const corp = line(answer, 'cross-origin-resource-policy')
  if (corp !== undefined && !/^(?:same-origin|same-site|cross-origin)$/.test(corp))
    found.push({ id: 'corp.invalid', detail: corp, mend: 'Cross-Origin-Resource-Policy: same-origin' })
  return found
}

/** Cache-Control and what stands beside it. */
export function judgeCaching({ answer, context, authenticated, method }: Graded): readonly Weighed[] {
  if (method !== 'GET' && method !== 'HEAD') return []
  const value = line(answer, 'cache-control')
  const directives = parseCacheControl(value ?? '')
  const noStore = directives.has('no-store')
  const isPublic = directives.has('public') || directives.has('s-maxage')
  const lives = Number(directives.get('max-age') ?? directives.get('s-maxage') ?? 0) > 0
  const found: Weighed[] = []
  if (noStore && (isPublic || lives))
    found.push({ id: 'cache.conflict', detail: value!, mend: 'Cache-Control: no-store' })
  if (context === 'stream') {
    if (!noStore && !directives.has('no-cache'))
      found.push({
        id: 'cache.stream',
        detail: value ?? 'no Cache-Control',
        mend: 'Cache-Control: no-cache, no-transform',
      })
    return found
  }
  if (answer.status >= 400) {
    if (!noStore && (isPublic || lives))
      found.push({ id: 'cache.error-cacheable', detail: value!, mend: 'Cache-Control: no-store' })
    return found
  }
  if (
    !noStore &&
    (isPublic || (lives && !directives.has('private'))) &&
    headerValues(answer, 'set-cookie').length > 0
  )
    found.push({ id: 'cache.set-cookie', detail: value!, mend: 'Cache-Control: no-store, private' })
  if (context !== 'json' && !authenticated) return found
  if (value === undefined)
    found.push({
      id: 'cache.private-missing',
      detail: 'no Cache-Control, so a cache may guess',
      mend: authenticated
        ? 'Cache-Control: no-store, private'
        : 'Cache-Control: no-store, or public, max-age=60 where it is for everybody',
      ...(authenticated ? {} : { severity: 'low' as const }),
    })
  else if (authenticated && !noStore) {
    if (isPublic || !directives.has('private'))
      found.push({ id: 'cache.private-storable', detail: value, mend: 'Cache-Control: no-store, private' })
    else if (lives)
      found.push({ id: 'cache.private-browser', detail: value, mend: 'Cache-Control: no-store, private' })
  }
  return found
}

const DEBUG = new Set([
  'x-debug-token',
  'x-debug-token-link',
  'x-chromelogger-data',
  'x-chromephp-data',
  'x-debug',
  'x-debug-info',
  'x-sourcemap',
  'sourcemap',
])
const DEPRECATED = new Set([
  'public-key-pins',
  'public-key-pins-report-only',
  'expect-ct',
  'feature-policy',
  'p3p',
  'pragma',
  'x-content-security-policy',
  'x-webkit-csp',
])
const INTERNAL = new Set([
  'x-backend',
  'x-backend-server',
  'x-served-by',
  'x-upstream',
  'x-host',
  'x-server-name',
  'x-real-server',
  'x-pod-name',
  'x-instance-id',
])
const SINGLE = [
  'x-frame-options',
  'x-content-type-options',
  'cross-origin-resource-policy',
  'cross-origin-opener-policy',
  'content-type',
]

/** Banners, debug headers, what is obsolete, what stands twice. */
export function judgeBanners({ answer }: Graded): readonly Weighed[] {
  const found: Weighed[] = []
  for (const [name, value] of answer.headers) {
    const lower = name.toLowerCase()
    const mend = `remove ${name}`
    if (DEBUG.has(lower)) found.push({ id: 'leak.debug-header', detail: `${name}: ${value}`, mend })
    else if (INTERNAL.has(lower)) found.push({ id: 'leak.internal-host', detail: `${name}: ${value}`, mend })
    else if (lower === 'x-xss-protection') {
      if (!value.trim().startsWith('0'))
        found.push({ id: 'header.deprecated', detail: `${name}: ${value}`, mend })
    } else if (DEPRECATED.has(lower))
      found.push({ id: 'header.deprecated', detail: `${name}: ${value}`, mend })
    else if (lower === 'server' || lower === 'via') {
      if (/\/\d|\d+\.\d+/.test(value))
        found.push({ id: 'leak.server-version', detail: `${name}: ${value}`, mend })
    } else if (/^x-(?:powered-by|aspnet(?:mvc)?-version|generator|runtime|drupal|version)/.test(lower))
      found.push({ id: 'leak.framework', detail: `${name}: ${value}`, mend })
    if (
      /(?:^|[^\d.])(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\d.])/.test(value)
    )
      found.push({
        id: 'leak.private-ip',
        detail: `${name}: ${value}`,
        mend: `leave the address out of ${name}`,
      })
  }
  for (const name of SINGLE) {
    const values = headerValues(answer, name)
    if (new Set(values.map((value) => value.trim().toLowerCase())).size > 1)
      found.push({
        id: 'header.conflict',
        detail: `${name}: ${values.join(' | ')}`,
        mend: `send ${name} once`,
      })
  }
  return found
}
