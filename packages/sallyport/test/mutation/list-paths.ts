// Each rule for a path: the value of Cache-Control there, weakened in several ways; the whole rule lost; and its own
// headers and cross-origin rules.

import { ORIGIN } from '../kinds/kinds.ts'
import type { Broken, Line, Mutation, Passing } from './mutation.ts'
import { beside, instead, valuesIn, without } from './mutation.ts'
import { RICH_PATHS, richPolicy } from './policies.ts'

// By the class of the data: what caches could then do that they may not.
const WEAKER: Readonly<Record<string, readonly (readonly [value: string, from: string])[]>> = {
  private: [
    ['', 'cache.private-missing'],
    ['public, max-age=600', 'cache.private-storable'],
    ['max-age=600', 'cache.private-storable'],
    ['private, max-age=600', 'cache.private-browser'],
    ['no-cache', 'cache.private-storable'],
    ['no-store=1, privat', 'cache.private-missing'],
  ],
  handler: [
    ['', 'cache.private-missing'],
    ['public, max-age=600', 'cache.private-storable'],
    ['max-age=600', 'cache.private-storable'],
    ['s-maxage=600', 'cache.private-storable'],
  ],
  public: [
    ['', 'drift.cache'],
    ['public, max-age=86400', 'drift.cache'],
    ['public, max-age=0', 'drift.cache'],
    ['no-store, private', 'drift.cache'],
    ['private, max-age=30', 'drift.cache'],
  ],
  stream: [
    ['', 'cache.stream'],
    ['no-cache', 'drift.cache'],
    ['no-transform', 'cache.stream'],
    ['public, max-age=60', 'cache.stream'],
  ],
  asset: [
    ['', 'drift.cache'],
    ['public, max-age=31536000', 'drift.cache'],
    ['no-store', 'drift.cache'],
  ],
}

const routeOf = (route: string) => richPolicy.routes?.[route]

function classOf(route: string): string {
  const { data, cache } = routeOf(route) ?? {}
  return cache?.owner === 'handler' ? 'handler' : (data ?? 'private')
}

/** Requests of a route: of its own path, or of any below its prefix. */
function under(route: string): RegExp {
  const path = route.replace(/^[A-Z]+ /, '')
  const pattern = path
    .replaceAll('.', '\\.')
    .replace(/\/\*$/, '(?:/.*)?')
    .replace(/:[a-z]+/g, '[^/?]+')
  return new RegExp(`^${pattern}(?:\\?|$)`)
}

const GOOD = ['200', 'head', 'sse']
const changed = (value: string) => (lines: readonly Line[]) =>
  value === '' ? without(lines, 'Cache-Control') : instead(lines, 'Cache-Control', value)

const DEFAULT = '*'

function at(route: string): (passing: Passing) => boolean {
  const routes = Object.keys(richPolicy.routes ?? {}).map(under)
  const own = route === DEFAULT ? undefined : under(route)
  return ({ path }) => (own ? own.test(path) : !routes.some((each) => each.test(path)))
}

function on(route: string, change: (lines: readonly Line[]) => readonly Line[]): Mutation['answer'] {
  const here = at(route)
  return (passing) =>
    GOOD.includes(passing.kind) && here(passing) ? { lines: change(passing.lines) } : undefined
}

function cacheMutations(): readonly Mutation[] {
  return Object.keys(RICH_PATHS).flatMap((route) =>
    WEAKER[classOf(route)]!.map(([value, from]) => ({
      id: `cache/${route}/${value || 'removed'}`,
      subject: 'rich' as const,
      controls: ['cache'],
      from,
      answer: on(route, changed(value))!,
    })),
  )
}

// On errors no cache may keep anything, whatever the route says.
function errorCacheMutations(): readonly Mutation[] {
  const kinds = [
    '400',
    '403',
    '404',
    '413',
    'error',
    'parser',
    'doubtful-path',
    'preflight-denied',
    'redirect',
  ]
  return kinds.flatMap((kind) =>
    (kind === 'redirect' ? ['public, max-age=600'] : ['public, max-age=600', 'max-age=60']).map((value) => ({
      id: `cache/${kind}/${value}`,
      subject: 'rich' as const,
      controls: ['cache'],
      from: 'cache.error-cacheable',
      answer: ({ kind: seen, lines }: Passing): Broken | undefined =>
        seen === kind ? { lines: changed(value)(lines) } : undefined,
    })),
  )
}

// What stands at the place of the rule once it is lost is that of the routes that remain.
function lostRoutes(): readonly Mutation[] {
  return Object.keys(richPolicy.routes ?? {}).map((route) => ({
    id: `rule-lost/${route}`,
    subject: 'rich' as const,
    controls:
      route === 'GET /v1/users/:id'
        ? ['cors']
        : route.startsWith('/docs')
          ? ['headers', 'cache']
          : ['cache', 'cors'],
    from: 'drift.cache',
    loses: { route, at: under(route) },
  }))
}

const ALLOW_ORIGIN = 'Access-Control-Allow-Origin'

function ownRules(): readonly Mutation[] {
  const of = (
    id: string,
    controls: readonly string[],
    from: string,
    answer: Mutation['answer'],
  ): Mutation => ({
    id,
    subject: 'rich',
    controls,
    from,
    ...(answer ? { answer } : {}),
  })
  const preflightOf = (route: string, name: string, value: string): Mutation['answer'] => {
    const here = at(route)
    return (passing) =>
      passing.kind === 'preflight-allowed' && here(passing)
        ? { lines: instead(passing.lines, name, value) }
        : undefined
  }
  const users = 'GET /v1/users/:id'
  return [
    of(
      'own/docs/csp-of-scripts',
      ['headers'],
      'csp.unsafe-inline',
      on('/docs/*', (lines) =>
        instead(
          lines,
          'Content-Security-Policy',
          "default-src 'self' 'unsafe-inline'; base-uri 'none'; object-src 'none'; frame-ancestors 'self'",
        ),
      ),
    ),
    of(
      'own/docs/csp-of-frames',
      ['headers'],
      'csp.no-frame-ancestors',
      on('/docs/*', (lines) =>
        instead(
          lines,
          'Content-Security-Policy',
          "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors *",
        ),
      ),
    ),
    of(
      'own/docs/csp-lost',
      ['headers'],
      'csp.missing',
      on('/docs/*', (lines) => without(lines, 'Content-Security-Policy')),
    ),
    of(
      'own/docs/framing-lost',
      ['headers'],
      'framing.missing',
      on('/docs/*', (lines) => without(lines, 'X-Frame-Options')),
    ),
    of(
      'own/users/methods',
      ['cors'],
      'drift.cors',
      preflightOf(users, 'Access-Control-Allow-Methods', 'GET, DELETE, PUT'),
    ),
    of('own/users/max-age', ['cors'], 'drift.cors', preflightOf(users, 'Access-Control-Max-Age', '86400')),
    of('own/users/every-origin', ['cors'], 'cors.reflect', (passing) => {
      const origin = passing.asked('origin')
      return at(users)(passing) && origin !== undefined && origin !== ORIGIN && passing.kind !== 'parser'
        ? { lines: instead(passing.lines, ALLOW_ORIGIN, '*') }
        : undefined
    }),
    of('own/account/every-origin', ['cors'], 'cors.wildcard-private', (passing) => {
      const origin = passing.asked('origin')
      return at('/v1/account/*')(passing) &&
        origin !== undefined &&
        origin !== ORIGIN &&
        passing.kind !== 'parser'
        ? { lines: instead(passing.lines, ALLOW_ORIGIN, '*') }
        : undefined
    }),
    of('own/catalog/credentials-to-strangers', ['cors'], 'cors.reflect-credentials', (passing) => {
      const origin = passing.asked('origin')
      return at('/v1/catalog/*')(passing) &&
        origin !== undefined &&
        origin !== ORIGIN &&
        passing.kind !== 'parser'
        ? {
            lines: instead(
              instead(passing.lines, ALLOW_ORIGIN, origin),
              'Access-Control-Allow-Credentials',
              'true',
            ),
          }
        : undefined
    }),
    of('own/catalog/closed-to-strangers', ['cors'], 'drift.cors', (passing) => {
      const origin = passing.asked('origin')
      return at('/v1/catalog/*')(passing) &&
        origin !== undefined &&
        origin !== ORIGIN &&
        valuesIn(passing.lines, ALLOW_ORIGIN).length > 0
        ? { lines: without(passing.lines, ALLOW_ORIGIN) }
        : undefined
    }),
    of(
      'cache/conflict/account',
      ['cache'],
      'cache.conflict',
      on('/v1/account/*', (lines) => beside(lines, 'Cache-Control', 'public, max-age=600')),
    ),
    of(
      'cache/set-cookie/catalog',
      ['cache'],
      'cache.set-cookie',
      on('/v1/catalog/*', (lines) =>
        beside(lines, 'Set-Cookie', 'session=1; Secure; HttpOnly; SameSite=Strict'),
      ),
    ),
  ]
}

// The application's cookies pass through; what breaks on the way is a flag.
const COOKIES: readonly (readonly [name: string, from: string, change: (cookie: string) => string])[] = [
  ['secure-lost', 'cookie.no-secure', (cookie) => cookie.replace('; Secure', '')],
  ['httponly-lost', 'cookie.no-httponly', (cookie) => cookie.replace('; HttpOnly', '')],
  ['samesite-lost', 'cookie.no-samesite', (cookie) => cookie.replace('; SameSite=Strict', '')],
  ['samesite-none', 'cookie.samesite-none', (cookie) => cookie.replace('SameSite=Strict', 'SameSite=None')],
  ['prefix-lost', 'cookie.no-prefix', (cookie) => cookie.replace('__Host-', '')],
  [
    'domain-added',
    'cookie.broad-domain',
    (cookie) => `${cookie.replace('__Host-', '')}; Domain=shop.example`,
  ],
  ['prefix-broken', 'cookie.rejected', (cookie) => cookie.replace('Path=/', 'Path=/v1')],
]

function cookieMutations(): readonly Mutation[] {
  return COOKIES.map(([name, from, change]) => ({
    id: `cookie/${name}`,
    subject: 'rich' as const,
    controls: ['cookies'],
    from,
    answer: ({ lines }: Passing): Broken | undefined =>
      valuesIn(lines, 'Set-Cookie').length === 0
        ? undefined
        : {
            lines: lines.map(
              ([key, value]): Line =>
                key.toLowerCase() === 'set-cookie' ? [key, change(value)] : [key, value],
            ),
          },
  }))
}

/** The mutations. */
export function pathMutations(): readonly Mutation[] {
  return [...cacheMutations(), ...errorCacheMutations(), ...lostRoutes(), ...ownRules(), ...cookieMutations()]
}
