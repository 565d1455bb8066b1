// Policies that differ in one or two places, and requests: a small world in which random choices meet.

import fc from 'fast-check'
import type { PolicyDocument, RoutePolicy } from '../../src/guard/policy.ts'
import type { Ask, Pair } from '../../src/posture/explain/ask.ts'

const mode = fc.constantFrom('enforce', 'enforce', 'enforce', 'report', 'off')
const some = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { requiredKeys: [] })

const sources = fc.constantFrom(
  ["'none'"],
  ["'self'"],
  ["'self'", 'https://cdn.example'],
  ["'unsafe-inline'", 'https:'],
  ["'nonce'"],
  ['*'],
)
const csp = some({
  'default-src': sources,
  'script-src': sources,
  'img-src': sources,
  'base-uri': fc.constantFrom(["'none'"], ["'self'"]),
  'frame-ancestors': fc.constantFrom(["'none'"], ["'self'"], ["'self'", 'https://partner.example']),
})
const features = some({
  camera: fc.constantFrom([], ['self'], ['*'], ['https://a.example']),
  geolocation: fc.constantFrom([], ['self'], ['*']),
})

const controls = {
  headers: some({
    mode,
    contentTypeOptions: fc.constantFrom('nosniff', false),
    frameOptions: fc.constantFrom('DENY', 'SAMEORIGIN', false),
    referrerPolicy: fc.constantFrom(
      ['no-referrer'],
      ['same-origin'],
      ['strict-origin'],
      ['strict-origin-when-cross-origin'],
      ['origin'],
      ['origin-when-cross-origin'],
      ['no-referrer-when-downgrade'],
      ['unsafe-url'],
      false,
    ),
    dnsPrefetchControl: fc.constantFrom('off', 'on', false),
    contentSecurityPolicy: fc.oneof(csp, fc.constant(false)),
    permissionsPolicy: fc.oneof(features, fc.constant(false)),
    crossOriginResourcePolicy: fc.constantFrom('same-origin', 'same-site', 'cross-origin', false),
    crossOriginOpenerPolicy: fc.constantFrom('same-origin', 'same-origin-allow-popups', 'unsafe-none', false),
    crossOriginEmbedderPolicy: fc.constantFrom('require-corp', 'credentialless', 'unsafe-none', false),
    originAgentCluster: fc.constantFrom('?1', '?0', false),
    permittedCrossDomainPolicies: fc.constantFrom('none', 'master-only', false),
    strip: fc.constantFrom(false, { 'x-internal': 'It names a host.' }, { server: false }),
  }),
  cache: some({
    mode,
    owner: fc.constantFrom('policy', 'handler'),
    floor: fc.constantFrom('none', 'private', 'no-store'),
  }),
  cors: some({
    mode,
    origins: fc.subarray(['https://app.example.com', 'https://*.example.com', 'https://b.example.org']),
    bearer: fc.constantFrom('any-origin', 'listed'),
    allowMethods: fc.subarray(['GET', 'PUT', 'DELETE']),
    allowHeaders: fc.subarray(['authorization', 'x-a']),
    exposeHeaders: fc.subarray(['x-a', 'x-b']),
    maxAgeSeconds: fc.constantFrom(0, 600),
  }),
  client: some({
    mode,
    requestId: fc.constantFrom(false, { accept: 'never' }, { accept: 'trusted-proxies' }),
  }),
  request: some({
    mode,
    maxTargetBytes: fc.constantFrom(64, 200),
    maxHeaderCount: fc.constantFrom(8, 100),
    maxBodyBytes: fc.constantFrom(10, 1_000),
    methods: fc.subarray(['PROPFIND', 'REPORT', 'GET']),
    webSocket: fc.boolean(),
  }),
  transport: some({
    mode,
    plainHttp: fc.constantFrom('refuse', 'redirect'),
    hsts: fc.constantFrom(
      false,
      { maxAgeSeconds: 0 },
      { maxAgeSeconds: 600 },
      { maxAgeSeconds: 600, includeSubDomains: true },
      { maxAgeSeconds: 63_072_000 },
      { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true },
    ),
  }),
  errors: some({ mode, replaceBodies: fc.constantFrom('none', 'server', 'unshaped') }),
  data: fc.constantFrom('private', 'public', 'stream', 'asset'),
  credentials: fc.constantFrom('bearer', 'cookie', 'mixed', 'none'),
}

/** One setting of a cell. */
const part = fc.oneof(
  ...Object.entries(controls).map(([name, setting]) =>
    (setting as fc.Arbitrary<unknown>).map((value) => ({ [name]: value })),
  ),
)
const parts = (maxLength: number) =>
  fc.array(part, { maxLength }).map((all) => Object.assign({}, ...all) as RoutePolicy)

const wholePolicy = fc.oneof(
  some({
    trustedProxies: fc.subarray(['10.0.0.0/8', '192.0.2.0/24']),
    forwarded: fc.constantFrom('x-forwarded-for', 'forwarded', 'none'),
  }).map((client) => ({ client })),
  some({ tls: fc.constantFrom('here', 'in-front'), minVersion: fc.constantFrom('TLSv1.2', 'TLSv1.3') }).map(
    (transport) => ({ transport }),
  ),
  some({ nonCanonical: fc.constantFrom('refuse', 'strict') }).map((request) => ({ request })),
) as fc.Arbitrary<PolicyDocument>

const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', 'GET ', 'POST ', 'HEAD '),
    fc.array(fc.constantFrom('a', 'b', 'Cd', ':x'), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/*', '/'),
  )
  .map(
    ([method, words, end]) =>
      `${method}/${words.map((word, at) => (word === ':x' ? `:x${at}` : word)).join('/')}${end}`,
  )

const layers = fc.tuple(
  fc.constantFrom<PolicyDocument['extends']>([], [], 'recommended', 'api'),
  fc.array(wholePolicy, { maxLength: 2 }),
  parts(4),
  fc.dictionary(pattern, parts(3), { maxKeys: 3 }),
)

function documentOf([below, whole, own, routes]: readonly [
  PolicyDocument['extends'],
  readonly PolicyDocument[],
  RoutePolicy,
  Readonly<Record<string, RoutePolicy>>,
]): PolicyDocument {
  const bottom = below === undefined ? [] : Array.isArray(below) ? below : [below]
  return { extends: [...bottom, ...whole], ...own, routes }
}

/** Policies; some contradict themselves. */
export const policies: fc.Arbitrary<PolicyDocument> = layers.map(documentOf)

const changes = fc
  .tuple(
    fc.constantFrom('top', 'top', 'route', 'route', 'new-route', 'no-route', 'whole'),
    parts(2),
    pattern,
    wholePolicy,
    fc.nat(),
  )
  .map(
    ([where, changed, key, whole, at]) =>
      (before: PolicyDocument) =>
        changedPolicy(before, where, changed, key, whole, at),
  )

/** A policy, and the same with little changed: of two quite different ones hardly anything can be said. */
export const pairs: fc.Arbitrary<readonly [PolicyDocument, PolicyDocument]> = fc
  .tuple(policies, changes, fc.boolean())
  .map(([before, change, isTurned]) => (isTurned ? [change(before), before] : [before, change(before)]))

/** Three policies, each little changed from the one before, in any order. */
export const triples: fc.Arbitrary<readonly [PolicyDocument, PolicyDocument, PolicyDocument]> = fc
  .tuple(policies, changes, changes, fc.nat(5))
  .map(([first, change, another, order]) => {
    const second = change(first)
    const all = [first, second, another(second)]
    const [x, y, z] = ORDERS[order]!.map((at) => all[at]!)
    return [x!, y!, z!]
  })

const ORDERS = [
  [0, 1, 2],
  [2, 1, 0],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
]

function changedPolicy(
  before: PolicyDocument,
  where: 'top' | 'route' | 'new-route' | 'no-route' | 'whole',
  changed: RoutePolicy,
  key: string,
  whole: PolicyDocument,
  at: number,
): PolicyDocument {
  const routes = { ...before.routes }
  const keys = Object.keys(routes)
  const chosen = keys[at % Math.max(1, keys.length)]
  switch (where) {
    case 'top':
      return { ...before, ...changed }
    case 'whole':
      return { extends: [before, whole] }
    case 'new-route':
      return { ...before, routes: { ...routes, [key]: changed } }
    default:
      if (chosen === undefined) return before
      if (where === 'route')
        return { ...before, routes: { ...routes, [chosen]: { ...routes[chosen], ...changed } } }
      delete routes[chosen]
      return { ...before, routes }
  }
}

const optional = (...choices: readonly (readonly Pair[])[]) =>
  fc.constantFrom<readonly Pair[]>([], ...choices)
const words = fc.array(fc.constantFrom('a', 'b', 'Cd', 'cd', 'A', 'other', 'B'), { maxLength: 4 })

const paths = fc
  .tuple(
    words,
    fc.constantFrom('', '', '', '/', `?${'q'.repeat(80)}`),
    fc.constantFrom('', '', '', '', '/', '/.', '/x/..'),
  )
  .map(([all, end, start]) => `${start}/${all.join('/')}${all.length === 0 && end === '/' ? '' : end}`)

/** What an application says that keeps nothing: the policy alone is measured. */
const LOOSE: readonly Pair[] = [
  ['Server', 'nginx/1.2'],
  ['X-Powered-By', 'a'],
  ['X-Internal', 'db7'],
  ['Referrer-Policy', 'unsafe-url'],
  ['X-DNS-Prefetch-Control', 'on'],
  ['Cache-Control', 'public, max-age=600'],
  ['X-Accel-Expires', '600'],
  ['Set-Cookie', 'a=b'],
  ['Access-Control-Allow-Origin', '*'],
  ['Strict-Transport-Security', 'max-age=0'],
  ['Permissions-Policy', 'camera=*, geolocation=*'],
  ['Origin-Agent-Cluster', '?0'],
  ['Content-Type', 'text/plain'],
]

/** Requests that random policies judge differently. */
export const asks: fc.Arbitrary<Ask> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'DELETE', 'PROPFIND'),
    target: paths,
    origin: optional(
      [['Origin', 'https://app.example.com']],
      [['Origin', 'https://evil.example.com']],
      [['Origin', 'https://evil.example']],
      [['Origin', 'null']],
    ),
    isPreflight: fc.boolean(),
    cookie: optional([['Cookie', 'a=b']]),
    bearer: optional([['Authorization', 'Bearer x']]),
    forwarded: optional(
      [
        ['X-Forwarded-For', '198.51.100.1'],
        ['X-Forwarded-Proto', 'http'],
      ],
      [['Forwarded', 'for=198.51.100.1;proto=http']],
      [
        ['X-Forwarded-For', '198.51.100.1'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Request-Id', 'a-request-id-of-another'],
      ],
    ),
    more: optional(
      [['Content-Length', '500']],
      [['Transfer-Encoding', 'chunked']],
      [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Version', '13'],
        ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ],
      Array.from({ length: 9 }, (_, index) => [`X-${index}`, 'a'] as const),
    ),
    peer: fc.constantFrom('203.0.113.7', '10.0.0.5', '192.0.2.9'),
    encrypted: fc.boolean(),
    place: fc.constantFrom('gateway', 'gateway', 'node'),
    status: fc.constantFrom(200, 200, 404, 500),
    said: fc.subarray([...LOOSE]),
  })
  .map(({ method, target, origin, isPreflight, cookie, bearer, forwarded, more, status, said, ...rest }) => {
    const asked = isPreflight && origin.length > 0
    const announced: readonly Pair[] = [
      ['Access-Control-Request-Method', method],
      ['Access-Control-Request-Headers', 'x-a'],
    ]
    return {
      ...rest,
      method: asked ? 'OPTIONS' : method,
      target,
      headers: [
        ['Host', 'api.example.com'],
        ...origin,
        ...(asked ? announced : [...cookie, ...bearer, ...more]),
        ...forwarded,
      ],
      answer: { status, headers: said },
    } as Ask
  })
