// The lines that helmet sends for its options, read from their names and meanings (helmet 8), so that a project's
// options can be adopted where no server runs.

type Options = Readonly<Record<string, unknown>>

interface HelmetHeader {
  readonly header: string
  /** Its name among the options, and the older one. */
  readonly keys: readonly string[]
  /** True where it is sent unless it is switched off. */
  readonly byDefault: boolean
  readonly value: (options: Options) => string | undefined
}

const policyOf = (fallback: string) => (options: Options) =>
  [options['policy'] ?? fallback].flat().map(String).join(', ')

const HEADERS: readonly HelmetHeader[] = [
  { header: 'content-security-policy', keys: ['contentSecurityPolicy'], byDefault: true, value: cspOf },
  {
    header: 'cross-origin-embedder-policy',
    keys: ['crossOriginEmbedderPolicy'],
    byDefault: false,
    value: policyOf('require-corp'),
  },
  {
    header: 'cross-origin-opener-policy',
    keys: ['crossOriginOpenerPolicy'],
    byDefault: true,
    value: policyOf('same-origin'),
  },
  {
    header: 'cross-origin-resource-policy',
    keys: ['crossOriginResourcePolicy'],
    byDefault: true,
    value: policyOf('same-origin'),
  },
  { header: 'origin-agent-cluster', keys: ['originAgentCluster'], byDefault: true, value: () => '?1' },
  { header: 'referrer-policy', keys: ['referrerPolicy'], byDefault: true, value: policyOf('no-referrer') },
  {
    header: 'strict-transport-security',
    keys: ['strictTransportSecurity', 'hsts'],
    byDefault: true,
    value: hstsOf,
  },
  {
    header: 'x-content-type-options',
    keys: ['xContentTypeOptions', 'noSniff'],
    byDefault: true,
    value: () => 'nosniff',
  },
  {
    header: 'x-dns-prefetch-control',
    keys: ['xDnsPrefetchControl', 'dnsPrefetchControl'],
    byDefault: true,
    value: ({ allow }) => (allow === true ? 'on' : 'off'),
  },
  {
    header: 'x-frame-options',
    keys: ['xFrameOptions', 'frameguard'],
    byDefault: true,
    value: ({ action = 'SAMEORIGIN' }) => String(action).toUpperCase(),
  },
  {
    header: 'x-permitted-cross-domain-policies',
    keys: ['xPermittedCrossDomainPolicies', 'permittedCrossDomainPolicies'],
    byDefault: true,
    value: ({ permittedPolicies = 'none' }) => String(permittedPolicies),
  },
]

/** The lines of `helmet(options)`, names in small letters; `true` stands for no options. */
export function helmetLines(given: unknown): readonly (readonly [name: string, value: string])[] {
  if (given === false) return []
  const options = isOptions(given) ? given : {}
  return HEADERS.flatMap(({ header, keys, byDefault, value }) => {
    const own = keys.map((key) => options[key]).find((each) => each !== undefined)
    if (own === false || (own === undefined && !byDefault)) return []
    const settings = isOptions(own) ? own : {}
    const name = settings['reportOnly'] === true ? `${header}-report-only` : header
    const line = value(settings)
    return line === undefined ? [] : [[name, line] as const]
  })
}

function hstsOf({ maxAge = 31_536_000, includeSubDomains = true, preload = false }: Options): string {
  return [
    `max-age=${String(maxAge)}`,
    ...(includeSubDomains === false ? [] : ['includeSubDomains']),
    ...(preload === true ? ['preload'] : []),
  ].join('; ')
}

const CSP_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'font-src': ["'self'", 'https:', 'data:'],
  'form-action': ["'self'"],
  'frame-ancestors': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'script-src': ["'self'"],
  'script-src-attr': ["'none'"],
  'style-src': ["'self'", 'https:', "'unsafe-inline'"],
  'upgrade-insecure-requests': [],
}

// A directive that a function computes is another for each answer, and no fixed value.
function cspOf({ directives, useDefaults = true }: Options): string | undefined {
  const own = new Map<string, readonly unknown[] | undefined>()
  for (const [key, value] of Object.entries(isOptions(directives) ? directives : {})) {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    if (value === null || value === false) own.set(name, undefined)
    else if (typeof value === 'string') own.set(name, value.split(/ +/))
    else if (value === true) own.set(name, [])
    else if (Array.isArray(value)) own.set(name, value as readonly unknown[])
    else if (typeof value === 'symbol') own.set(name, undefined)
  }
  for (const [name, values] of useDefaults === false ? [] : Object.entries(CSP_DEFAULTS))
    if (!own.has(name)) own.set(name, values)
  const lines = [...own].flatMap(([name, values]) => (values === undefined ? [] : [[name, ...values]]))
  if (lines.some((line) => line.some((each) => typeof each !== 'string'))) return undefined
  return lines.map((line) => line.join(' ')).join('; ')
}

function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
