// Each security header, each kind of answer: taken away, weakened, doubled; and each header that the policy keeps out,
// put in.

import { STRIPPED } from '../../src/controls/headers/stripped.ts'
import type { Broken, Line, Mutation, Passing } from './mutation.ts'
import { before, beside, instead, valuesIn, without } from './mutation.ts'

/** The kinds that the app of the mutation run can be brought to. */
const APP_KINDS = [
  '200',
  'head',
  '304',
  'redirect',
  '400',
  '401',
  '403',
  '404',
  '405',
  '413',
  '417',
  '431',
  'error',
  'sse',
  'parser',
  'refused-method',
  'doubtful-path',
  'preflight-allowed',
  'preflight-denied',
  'problem-page',
] as const

const GATEWAY_KINDS = ['200', 'redirect', '404', 'error', 'sse', 'parser', 'doubtful-path', 'http2'] as const

const HEADERS = {
  'Strict-Transport-Security': { control: 'transport', from: 'hsts.missing' },
  'X-Content-Type-Options': { control: 'headers', from: 'xcto.missing' },
  'X-Frame-Options': { control: 'headers', from: 'framing.missing' },
  'Referrer-Policy': { control: 'headers', from: 'referrer.missing' },
  'X-DNS-Prefetch-Control': { control: 'headers', from: 'drift.header-missing' },
  'Content-Security-Policy': { control: 'headers', from: 'csp.missing' },
  'Permissions-Policy': { control: 'headers', from: 'drift.header-missing' },
  'Cross-Origin-Resource-Policy': { control: 'headers', from: 'drift.header-missing' },
  'Cross-Origin-Opener-Policy': { control: 'headers', from: 'coop.missing' },
  'Cross-Origin-Embedder-Policy': { control: 'headers', from: 'drift.header-missing' },
  'X-Request-Id': { control: 'client', from: 'drift.header-missing' },
  'Cache-Control': { control: 'cache', from: 'cache.private-missing' },
} as const
type Header = keyof typeof HEADERS

const GATEWAY_HEADERS = [
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
  'Referrer-Policy',
  'X-DNS-Prefetch-Control',
  'Cross-Origin-Resource-Policy',
  'X-Request-Id',
] as const satisfies readonly Header[]

const CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// header, value, the word of the catalogue. Each is weaker in meaning, not only in spelling.
const WEAKER: readonly (readonly [header: Header, value: string, from: string])[] = [
  ['Strict-Transport-Security', 'max-age=0', 'hsts.disabled'],
  ['Strict-Transport-Security', 'max-age=300; includeSubDomains', 'hsts.short-max-age'],
  ['Strict-Transport-Security', 'max-age=63072000; preload', 'hsts.no-subdomains'],
  ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains', 'drift.header-value'],
  ['Strict-Transport-Security', 'includeSubDomains; preload', 'hsts.malformed'],
  ['Strict-Transport-Security', 'max-age="63072000; includeSubDomains; preload', 'hsts.malformed'],
  ['Strict-Transport-Security', 'max-age=86400; includeSubDomains; preload', 'hsts.preload-inconsistent'],
  ['X-Content-Type-Options', 'sniff', 'xcto.invalid'],
  ['X-Content-Type-Options', '', 'xcto.invalid'],
  ['X-Frame-Options', 'ALLOWALL', 'xfo.invalid'],
  ['X-Frame-Options', 'ALLOW-FROM https://evil.example', 'xfo.invalid'],
  ['X-Frame-Options', 'SAMEORIGIN', 'drift.header-value'],
  ['Referrer-Policy', 'unsafe-url', 'referrer.unsafe'],
  ['Referrer-Policy', 'no-referrer-when-downgrade', 'referrer.unsafe'],
  ['Referrer-Policy', 'origin', 'drift.header-value'],
  ['Referrer-Policy', 'no-referer', 'referrer.invalid'],
  ['X-DNS-Prefetch-Control', 'on', 'drift.header-value'],
  ['Content-Security-Policy', CSP.replace("default-src 'none'", 'default-src *'), 'csp.wildcard'],
  ['Content-Security-Policy', CSP.replace("; base-uri 'none'", ''), 'csp.no-base-uri'],
  ['Content-Security-Policy', CSP.replace("; form-action 'none'", ''), 'drift.header-value'],
  ['Content-Security-Policy', CSP.replace("; frame-ancestors 'none'", ''), 'csp.no-frame-ancestors'],
  ['Content-Security-Policy', `${CSP}; script-src 'unsafe-inline'`, 'csp.unsafe-inline'],
  ['Content-Security-Policy', `${CSP}; script-src 'unsafe-eval' 'self'`, 'csp.unsafe-eval'],
  ['Content-Security-Policy', `${CSP}; img-src http://cdn.example`, 'csp.http-source'],
  ['Content-Security-Policy', CSP.replace('default-src', 'defaults-src'), 'csp.unknown-directive'],
  ['Content-Security-Policy', CSP.replace("default-src 'none'; ", ''), 'csp.no-object-src'],
  ['Permissions-Policy', 'camera=*, microphone=(), geolocation=()', 'permissions.wildcard'],
  ['Permissions-Policy', "camera 'none'; microphone 'none'; geolocation 'none'", 'permissions.invalid'],
  ['Permissions-Policy', 'camera=(), microphone=()', 'drift.header-value'],
  ['Permissions-Policy', 'camera=(), microphone=(self), geolocation=()', 'drift.header-value'],
  ['Cross-Origin-Resource-Policy', 'cross-origin', 'drift.header-value'],
  ['Cross-Origin-Resource-Policy', 'same-site', 'drift.header-value'],
  ['Cross-Origin-Resource-Policy', 'sameorigin', 'corp.invalid'],
  ['Cross-Origin-Opener-Policy', 'unsafe-none', 'drift.header-value'],
  ['Cross-Origin-Opener-Policy', 'same-origin-allow-popups', 'drift.header-value'],
  ['Cross-Origin-Embedder-Policy', 'unsafe-none', 'drift.header-value'],
  ['X-Request-Id', 'constant-0123456789', 'drift.header-value'],
]

// Two lines of one name, of which a browser takes the weaker one, or neither.
const DOUBLED: readonly (readonly [header: Header, value: string, where: typeof before])[] = [
  ['Strict-Transport-Security', 'max-age=0', before],
  ['Strict-Transport-Security', 'max-age=0', beside],
  ['X-Content-Type-Options', 'sniff', before],
  ['X-Frame-Options', 'ALLOWALL', beside],
  ['Referrer-Policy', 'unsafe-url', beside],
  ['Permissions-Policy', 'camera=*', beside],
  ['Cross-Origin-Resource-Policy', 'cross-origin', beside],
  ['Cross-Origin-Opener-Policy', 'unsafe-none', beside],
  ['Cross-Origin-Embedder-Policy', 'unsafe-none', beside],
  ['X-DNS-Prefetch-Control', 'on', before],
]

/** What is put in must be of no use to anybody; a plausible value for each. */
const PUT_IN: Readonly<Record<string, string>> = {
  'x-powered-by': 'Express',
  server: 'nginx/1.18.0',
  'x-xss-protection': '1; mode=block',
  'public-key-pins': 'pin-sha256="AAAA"; max-age=600',
  'expect-ct': 'max-age=0',
  'x-debug-token-link': 'http://localhost/_profiler/4fd2a1',
}

// What no policy can list beforehand.
const TELLING: readonly (readonly [name: string, value: string, from: string])[] = [
  ['X-Backend-Server', 'app-17.internal.example', 'leak.internal-host'],
  ['X-Served-By', '10.20.30.40:8080', 'leak.private-ip'],
  ['X-AspNetCore-Version', '8.0.1', 'leak.framework'],
]

/** On the answers of a kind, where the lines are changed at all. */
function onKind(
  kind: string,
  change: (lines: readonly Line[], passing: Passing) => readonly Line[],
): (passing: Passing) => Broken | undefined {
  return (passing) => (passing.kind === kind ? { lines: change(passing.lines, passing) } : undefined)
}

/** The same, where the answer has the line. */
function whereSent(
  kind: string,
  name: string,
  change: (lines: readonly Line[]) => readonly Line[],
): (passing: Passing) => Broken | undefined {
  const changed = onKind(kind, change)
  return (passing) => (valuesIn(passing.lines, name).length > 0 ? changed(passing) : undefined)
}

const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 160) || 'empty'
/** Another kind for each, so that all are used; deterministic. */
const turn = <T>(list: readonly T[], index: number): T => list[(index * 7 + 3) % list.length]!

/** The mutations. */
export function headerMutations(): readonly Mutation[] {
  const list: Mutation[] = []
  for (const [name, { control, from }] of Object.entries(HEADERS))
    for (const kind of APP_KINDS)
      list.push({
        id: `removed/${name.toLowerCase()}/${kind}`,
        subject: 'app',
        controls: [control],
        from,
        answer: whereSent(kind, name, (lines) => without(lines, name)),
      })
  for (const name of GATEWAY_HEADERS)
    for (const kind of GATEWAY_KINDS)
      list.push({
        id: `gateway/removed/${name.toLowerCase()}/${kind}`,
        subject: 'gateway',
        controls: [HEADERS[name].control],
        from: HEADERS[name].from,
        answer: whereSent(kind, name, (lines) => without(lines, name)),
      })
  WEAKER.forEach(([name, value, from], index) => {
    for (const kind of new Set(['200', turn(APP_KINDS, index)]))
      list.push({
        id: `weaker/${name.toLowerCase()}/${slug(value)}/${kind}`,
        subject: 'app',
        controls: [HEADERS[name].control],
        from,
        answer: whereSent(kind, name, (lines) => instead(lines, name, value)),
      })
  })
  DOUBLED.forEach(([name, value, where], index) => {
    for (const kind of new Set(['200', turn(APP_KINDS, index + 5)]))
      list.push({
        id: `doubled/${name.toLowerCase()}/${where === before ? 'before' : 'after'}/${kind}`,
        subject: 'app',
        controls: [HEADERS[name].control],
        from: name.startsWith('Strict') ? 'hsts.duplicate' : 'header.conflict',
        answer: whereSent(kind, name, (lines) => where(lines, name, value)),
      })
  })
  Object.keys(STRIPPED).forEach((name, index) => {
    for (const kind of new Set(['200', turn(APP_KINDS, index + 2)]))
      list.push({
        id: `put-in/${name}/${kind}`,
        subject: 'app',
        controls: ['headers'],
        from: 'drift.header-extra',
        answer: onKind(kind, (lines) => beside(lines, name, PUT_IN[name] ?? 'told')),
      })
  })
  for (const [name, value, from] of TELLING)
    list.push({
      id: `put-in/${name.toLowerCase()}/200`,
      subject: 'app',
      controls: ['headers', 'errors'],
      from,
      answer: onKind('200', (lines) => beside(lines, name, value)),
    })
  list.push({
    id: 'renamed/content-security-policy/report-only/200',
    subject: 'app',
    controls: ['headers'],
    from: 'csp.report-only',
    answer: onKind('200', (lines) =>
      instead(without(lines, 'Content-Security-Policy'), 'Content-Security-Policy-Report-Only', CSP),
    ),
  })
  return list
}
