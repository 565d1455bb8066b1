// What an answer leaves open, read from its lines by the standards alone and not by the controls' own orders: the measure
// that their verdicts are held against.

import type { Pair } from '../../src/posture/explain/ask.ts'
import type { Passage } from '../../src/posture/explain/pass.ts'

type Lines = ReadonlyMap<string, string>

/** Something that is possible, and the controls that keep it away. */
export interface Exposure {
  readonly what: string
  readonly controls: readonly string[]
}

/** What is possible after one passage. */
export function exposuresOf(passage: Passage): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, readonly string[]>()
  const lines = linesOf([...passage.policyLines, ...passage.otherLines])
  const add = (controls: readonly string[], names: readonly string[]) => {
    for (const name of names) all.set(name, controls)
  }
  const headers = ['headers']
  if (lines.get('x-content-type-options') !== 'nosniff') add(headers, ['sniffing'])
  add(headers, framing(lines))
  add(headers, scripting(lines))
  add(headers, referrer(lines))
  add(headers, words(lines))
  add(headers, powers(lines))
  add(
    headers,
    ['server', 'x-powered-by', 'x-internal'].filter((name) => lines.has(name)).map((name) => `tells ${name}`),
  )
  add(['transport'], hsts(lines))
  add(['cache', 'route', 'cors'], storing(lines))
  add(['cors', 'route'], reading(passage, lines))
  if (!lines.has('x-request-id')) add(['client'], ['without an id'])
  if (passage.status >= 500 && passage.verdict === undefined && !passage.bodyReplaced)
    add(['errors'], ['body of 5xx'])
  if (passage.status === 404 && passage.verdict === undefined && !passage.bodyReplaced)
    add(['errors'], ['body of 4xx'])
  return all
}

function linesOf(pairs: readonly Pair[]): Lines {
  const lines = new Map<string, string>()
  for (const [name, value] of pairs) {
    const key = name.toLowerCase()
    const known = lines.get(key)
    lines.set(key, known === undefined ? value : `${known}, ${value}`)
  }
  return lines
}

function directivesOf(lines: Lines): ReadonlyMap<string, readonly string[]> | undefined {
  const value = lines.get('content-security-policy')
  if (value === undefined) return undefined
  return new Map(
    value.split(';').map((each) => {
      const [name = '', ...sources] = each.trim().split(' ')
      return [name, sources.filter((source) => source !== '')]
    }),
  )
}

// frame-ancestors decides where it is there (CSP3, section 6.4.2); of X-Frame-Options only two words count.
function framing(lines: Lines): readonly string[] {
  const ancestors = directivesOf(lines)?.get('frame-ancestors')
  const option = lines.get('x-frame-options')
  const by = (who: string, source: string) =>
    ancestors !== undefined
      ? ancestors.includes(source)
      : option === 'DENY'
        ? false
        : option === 'SAMEORIGIN'
          ? who === 'itself'
          : true
  return [
    ['itself', "'self'"],
    ['a partner', 'https://partner.example'],
    ['anybody', '*'],
  ]
    .filter(([who, source]) => by(who!, source!))
    .map(([who]) => `framed by ${who}`)
}

const FALLBACK: Readonly<Record<string, readonly string[]>> = {
  script: ['script-src', 'default-src'],
  image: ['img-src', 'default-src'],
  style: ['style-src', 'default-src'],
}

function scripting(lines: Lines): readonly string[] {
  const directives = directivesOf(lines)
  const found: string[] = []
  for (const [kind, names] of Object.entries(FALLBACK)) {
    const name = names.find((each) => directives?.has(each))
    const sources = name === undefined ? undefined : directives!.get(name)!
    const has = (...any: readonly string[]) =>
      sources === undefined || any.some((each) => sources.includes(each))
    if (has("'self'", '*', 'https:')) found.push(`${kind} of its own`)
    if (has('https://cdn.example', '*', 'https:')) found.push(`${kind} of a CDN`)
    if (has('*', 'https:')) found.push(`${kind} of anybody`)
    const nonced = sources?.some((each) => each.startsWith("'nonce-")) === true
    if (has("'unsafe-inline'") && !nonced) found.push(`${kind} inline`)
    if (nonced || (has("'unsafe-inline'") && !nonced)) found.push(`${kind} inline with a nonce`)
  }
  const base = directives?.get('base-uri')
  if (base === undefined || base.includes("'self'")) found.push('base of its own')
  if (base === undefined) found.push('base of anybody')
  return found
}

// W3C Referrer Policy, section 3: what goes to the same origin, to another, and down to http.
const REFERRER: Readonly<Record<string, readonly [same: number, cross: number, down: number]>> = {
  'no-referrer': [0, 0, 0],
  'same-origin': [2, 0, 0],
  'strict-origin': [1, 1, 0],
  'strict-origin-when-cross-origin': [2, 1, 0],
  origin: [1, 1, 1],
  'origin-when-cross-origin': [2, 1, 1],
  'no-referrer-when-downgrade': [2, 2, 0],
  'unsafe-url': [2, 2, 2],
}

function referrer(lines: Lines): readonly string[] {
  const [same, cross, down] = REFERRER[lines.get('referrer-policy') ?? 'strict-origin-when-cross-origin']!
  return [
    ['itself', same],
    ['another', cross],
    ['http', down],
  ].flatMap(([where, much]) => [
    ...(Number(much) > 0 ? [`origin to ${where}`] : []),
    ...(Number(much) > 1 ? [`URL to ${where}`] : []),
  ])
}

const WORDS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'x-dns-prefetch-control': { off: [], '': ['prefetch'], on: ['prefetch', 'prefetch on https'] },
  'cross-origin-resource-policy': {
    'same-origin': [],
    'same-site': ['loaded by the site'],
    '': ['loaded by the site', 'loaded by anybody'],
    'cross-origin': ['loaded by the site', 'loaded by anybody'],
  },
  'cross-origin-opener-policy': {
    'same-origin': [],
    'same-origin-allow-popups': ['popups'],
    '': ['popups', 'openers'],
    'unsafe-none': ['popups', 'openers'],
  },
  'cross-origin-embedder-policy': {
    'require-corp': ['embeds without credentials'],
    credentialless: ['embeds with consent'],
    '': ['embeds without credentials', 'embeds with consent', 'embeds anything'],
    'unsafe-none': ['embeds without credentials', 'embeds with consent', 'embeds anything'],
  },
  'origin-agent-cluster': { '?1': [], '': ['shared process'], '?0': ['shared process', 'shared by wish'] },
  'x-permitted-cross-domain-policies': { none: [], '': ['old plugins'], 'master-only': ['old plugins'] },
}

function words(lines: Lines): readonly string[] {
  return Object.entries(WORDS).flatMap(([name, meanings]) => meanings[lines.get(name) ?? ''] ?? [])
}

function powers(lines: Lines): readonly string[] {
  const value = lines.get('permissions-policy') ?? ''
  return ['camera', 'geolocation'].flatMap((feature) => {
    const said = new RegExp(`(?:^|, )${feature}=(\\([^)]*\\)|\\*)`).exec(value)?.[1]
    const list = said ?? '(self)'
    return [
      ...(list === '*' || list.includes('self') ? [`${feature} for itself`] : []),
      ...(list === '*' || list.includes('a.example') ? [`${feature} for a.example`] : []),
      ...(list === '*' ? [`${feature} for anybody`] : []),
    ]
  })
}

function hsts(lines: Lines): readonly string[] {
  const value = lines.get('strict-transport-security') ?? ''
  const age = Number(/max-age=(\d+)/.exec(value)?.[1] ?? '0')
  const covers = value.includes('includeSubDomains') && age > 0
  return [
    ...(value !== '' && age === 0 ? ['HSTS forgotten'] : []),
    ...[1, 600, 63_072_000].filter((least) => age < least).map((least) => `http after less than ${least} s`),
    ...(covers ? [] : ['http of subdomains']),
    ...(covers && value.includes('preload') && age >= 31_536_000 ? [] : ['http at first']),
  ]
}

function storing(lines: Lines): readonly string[] {
  const value = lines.get('cache-control') ?? ''
  if (/\bno-store\b/.test(value)) return []
  return [
    'kept by a browser',
    ...(/\bprivate\b/.test(value) ? [] : ['kept by a shared cache']),
    ...(/\bno-cache\b/.test(value) ? [] : ['used again unasked']),
  ]
}

function reading(passage: Passage, lines: Lines): readonly string[] {
  const origin = passage.exchange.header('origin')
  const value = lines.get('access-control-allow-origin')
  if (origin === undefined || (value !== origin && value !== '*')) return []
  const withCookies = value === origin && lines.get('access-control-allow-credentials') === 'true'
  const list = (name: string) => (lines.get(name) ?? '').split(', ').filter((each) => each !== '')
  const isPreflight = passage.exchange.incoming.method === 'OPTIONS'
  return [
    'read by a page',
    ...(withCookies ? ['read by a page with cookies'] : []),
    ...list('access-control-expose-headers').map((name) => `read ${name}`),
    ...(isPreflight
      ? list('access-control-allow-methods')
          .filter((name) => !['GET', 'HEAD', 'POST'].includes(name))
          .map((name) => `send ${name}`)
      : []),
    ...(isPreflight ? list('access-control-allow-headers').map((name) => `set ${name}`) : []),
    ...(Number(lines.get('access-control-max-age') ?? '0') > 0 ? ['a permission that lasts'] : []),
  ]
}
