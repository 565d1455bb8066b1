// The way from a policy that changes nothing to `recommended`: one step after another, the most worth first, each with
// the lines to write and what could break, by what was seen.

import type { PolicyDocument } from '../../guard/policy.ts'
import { recommended } from '../../presets/recommended.ts'
import * as breaks from './breaks.ts'
import type { Inferred } from './infer.ts'
import type { Observed, RateLimit } from './observed.ts'

/** One step. */
export interface Step {
  readonly worth: 'high' | 'medium' | 'low'
  /** Where it is in the policy: `headers.frameOptions`. */
  readonly setting: string
  readonly what: string
  /** The lines to write into the policy, or a comment where no setting is there yet. */
  readonly snippet: string
  /** What could break; one sentence each. */
  readonly breaks: readonly string[]
  /** The value that it sets at `setting`; absent where it is for a person to decide. */
  readonly value?: unknown
}

type Breaks = (observed: Observed, policy: PolicyDocument) => readonly string[]

// In the order of worth. What `recommended` says stands in the preset alone.
const WAY: readonly (readonly [worth: Step['worth'], setting: string, what: string, breaks: Breaks])[] = [
  ['high', 'transport.hsts', 'browsers insist on HTTPS, for every subdomain', breaks.ofHsts],
  [
    'high',
    'errors',
    'errors tell nothing of the inside: bodies that are no problem document are replaced',
    breaks.ofErrors,
  ],
  ['high', 'request', 'requests that two programs may read differently are refused', breaks.ofRequest],
  ['high', 'cache', 'no cache keeps an answer, but where a route declares it public', breaks.ofCache],
  ['medium', 'headers.contentTypeOptions', 'browsers take no answer for another type', breaks.ofTypes],
  [
    'medium',
    'headers.contentSecurityPolicy',
    'an answer that a browser shows as a page can do nothing',
    breaks.ofCsp,
  ],
  // After frame-ancestors, which it may not contradict.
  ['medium', 'headers.frameOptions', 'no page frames an answer', breaks.ofFraming],
  ['medium', 'headers.crossOriginResourcePolicy', 'no other site embeds an answer', breaks.ofCorp],
  ['medium', 'headers.referrerPolicy', 'no URL of the API is told to other sites', breaks.ofReferrer],
  ['low', 'headers.strip', 'versions, debug headers and dead headers are removed', breaks.ofStrip],
  ['low', 'headers.crossOriginOpenerPolicy', 'pages of other sites keep no handle on a page', breaks.ofPages],
  ['low', 'headers.crossOriginEmbedderPolicy', 'a page embeds only what allows it', breaks.ofPages],
  ['low', 'headers.permissionsPolicy', 'camera, microphone and location are off', breaks.ofPages],
  ['low', 'headers.dnsPrefetchControl', 'browsers look up no names ahead', breaks.ofNothing],
  ['low', 'client', 'every answer has a request id, and a trace goes on', breaks.ofClient],
]

/** The steps that are left to take. */
export function stepsFrom({ policy }: Inferred, observed: Observed): readonly Step[] {
  const steps = WAY.flatMap(([worth, setting, what, ofStep]): readonly Step[] => {
    const value = at(recommended, setting) ?? {}
    if (JSON.stringify(at(policy, setting)) === JSON.stringify(value)) return []
    return [
      { worth, setting, what, snippet: snippetOf(setting, value), breaks: ofStep(observed, policy), value },
    ]
  })
  const own = [...corsStep(observed), ...observed.rateLimits.map(limitStep)]
  const order = ['high', 'medium', 'low']
  return [...steps, ...own].sort((a, b) => order.indexOf(a.worth) - order.indexOf(b.worth))
}

/** The policy after a step. */
export function afterStep(policy: PolicyDocument, { setting, value }: Step): PolicyDocument {
  if (value === undefined) return policy
  const [control, key] = setting.split('.') as [string, string?]
  const settings = policy as Readonly<Record<string, Record<string, unknown>>>
  return {
    ...policy,
    [control]: key === undefined ? value : { ...settings[control], [key]: value },
  } as PolicyDocument
}

function at(policy: PolicyDocument, setting: string): unknown {
  let value: unknown = policy
  for (const key of setting.split('.'))
    value = (value as Readonly<Record<string, unknown>> | undefined)?.[key]
  return value
}

function snippetOf(setting: string, value: unknown): string {
  const [control, key] = setting.split('.') as [string, string?]
  // Both are what holds where nothing is said.
  if (setting === 'headers.strip') return 'remove "strip: false" from headers'
  if (setting === 'request') return 'remove "request" from the policy'
  return `${control}: ${key === undefined ? written(value) : `{ ${key}: ${written(value)} }`}`
}

/** A value as a policy file has it. */
export function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  if (typeof value === 'string')
    return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replace(/[\\']/g, '\\$&')}'`
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).map(
    ([key, member]) => `${/^[a-zA-Z_]\w*$/.test(key) ? key : written(key)}: ${written(member)}`,
  )
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

// `recommended` leaves cross-origin rules to the application; who has some wants them in the policy. What lets everybody
// in is never written by us: a person has to want what becomes possible.
function corsStep({ corsOrigins, corsCredentials }: Observed): readonly Step[] {
  if (corsOrigins.length === 0) return []
  const isMadeUp = (origin: string) => URL.parse(origin)?.hostname.endsWith('.invalid') === true
  const listed = corsOrigins.filter((origin) => origin !== '*' && origin !== 'null' && !isMadeUp(origin))
  const isOpen = corsOrigins.includes('*')
  const isEchoed = corsOrigins.some(isMadeUp)
  const seen = corsOrigins.filter((origin) => !isMadeUp(origin))
  const own = listed.length > 0 ? listed : ['https://app.example.com']
  return [
    {
      worth: 'high',
      setting: 'cors',
      what: 'which pages may read answers stands in the policy, and is decided once',
      snippet: `cors: { origins: ${written(own)} }${listed.length > 0 ? '' : ' with your own pages'}`,
      breaks: [
        ...(seen.length > 0
          ? [
              `Seen so far: ${seen.join(', ')}${corsCredentials ? ', with credentials' : ''}; pages of any other origin are denied, a preflight with 403 where cors answers 204.`,
            ]
          : []),
        ...(isEchoed
          ? [
              `An origin that we made up was let in${corsCredentials ? ' with credentials: any page on the web can now read answers as whoever is signed in' : ': any page on the web can now read answers'}. This step ends that, so list every page of yours.`,
            ]
          : []),
        ...(isOpen
          ? [
              "Every origin may read answers now. bearer: 'any-origin' would keep that: then any page on the web that comes by a token can call the API with it and read every answer. Add it only for SDKs on pages that you don’t know.",
            ]
          : []),
        ...(corsOrigins.includes('null')
          ? ['Origin null was let in, which any sandboxed frame on any page has; no policy allows that.']
          : []),
        'Methods other than GET, HEAD and POST, and request headers other than authorization and content-type, must be listed: allowMethods, allowHeaders.',
        ...(isOpen && corsCredentials
          ? [
              'Every origin may read answers with credentials now; no policy allows that, so list the origins.',
            ]
          : []),
        'Remove the cors middleware in the same change: two that answer preflights contradict each other.',
      ],
    },
  ]
}

// A person decides which routes share the bucket, so the step has no value of its own.
function limitStep({ limit, windowMs }: RateLimit): Step {
  const isKnown = limit !== undefined && limit >= 1 && windowMs !== undefined && windowMs >= 1000
  const bucket = {
    limit: limit ?? 100,
    windowSeconds: Math.ceil((windowMs ?? 60_000) / 1000),
    // What a strict bucket can't count.
    ...(limit !== undefined && limit > 65_535 ? { algorithm: 'exact' } : {}),
  }
  const setting = `limits: ${written({ addresses: { buckets: { requests: bucket } } })}`
  return {
    worth: 'medium',
    setting: 'limits',
    what: 'rate limits stand in the policy, and hold in any window',
    snippet: isKnown
      ? setting
      : `// ${setting}, ${limit === undefined ? (windowMs === undefined ? 'with your own numbers: those in force are not told' : 'with your own limit: only the window in force is told') : 'with your own window: only the limit in force is told'}`,
    breaks: [
      'A limiter whose windows begin with the first request lets up to twice its number through where two windows meet; this never does.',
      'Remove the limiter in the same change: two that count refuse earlier than either says.',
      'Behind a proxy name it in client.trustedProxies first, or all callers share one address.',
    ],
  }
}
