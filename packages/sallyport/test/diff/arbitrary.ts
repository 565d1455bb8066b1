// Policies and requests at random, and what enforcement itself makes of a request: the measure for every verdict.

import fc from 'fast-check'
import type { Verdict } from '../../src/guard/control.ts'
import type { Incoming } from '../../src/guard/exchange.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument, RoutePolicy } from '../../src/guard/policy.ts'
import type { ResolvedCell, ResolvedPolicy } from '../../src/guard/resolve.ts'

const mode = fc.constantFrom('enforce', 'report', 'off')
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })

const settings = fc.record(
  {
    data: fc.constantFrom('private', 'public', 'stream', 'asset'),
    credentials: fc.constantFrom('bearer', 'cookie', 'mixed', 'none'),
    headers: fc.record(
      {
        mode,
        frameOptions: fc.constantFrom('DENY', 'SAMEORIGIN', false),
        contentTypeOptions: fc.constantFrom('nosniff', false),
        referrerPolicy: fc.constantFrom(['no-referrer'], ['same-origin'], ['unsafe-url'], false),
      },
      { requiredKeys: [] },
    ),
    cache: fc.record(
      {
        mode,
        owner: fc.constantFrom('policy', 'handler'),
        floor: fc.constantFrom('none', 'private', 'no-store'),
      },
      { requiredKeys: [] },
    ),
    cors: fc.record(
      {
        mode,
        origins: fc.subarray([
          'https://app.example.com',
          'https://other.example.com',
          'https://b.example.org',
        ]),
        bearer: fc.constantFrom('any-origin', 'listed'),
        allowHeaders: fc.subarray(['authorization', 'content-type', 'x-a']),
        exposeHeaders: fc.subarray(['x-a', 'x-b']),
      },
      { requiredKeys: [] },
    ),
    request: fc.record(
      { mode, maxTargetBytes: fc.constantFrom(64, 256, 8_192), maxBodyBytes: fc.constantFrom(10, 1_000) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<RoutePolicy>

const pattern = fc
  .tuple(
    fc.constantFrom('', '', '', 'GET ', 'POST '),
    fc.array(fc.constantFrom('a', 'b', ':x', 'c'), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(
    ([method, parts, wild]) =>
      `${method}/${parts.map((part, index) => (part === ':x' ? `:x${index}` : part)).join('/')}${wild ? '/*' : ''}`,
  )

/** Policies; some of them are contradictory. */
export const policies: fc.Arbitrary<PolicyDocument> = fc
  .tuple(
    maybe(fc.constantFrom('api', 'payments', 'recommended')),
    settings,
    fc.dictionary(pattern, settings, { maxKeys: 3 }),
  )
  .map(([preset, base, routes]) => ({
    ...(preset === undefined ? {} : { extends: preset as 'api' }),
    ...base,
    routes,
  }))

/** A request with what an application would answer. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly origin: string | undefined
  readonly preflight: boolean
  readonly length: number | undefined
}

/** Requests that random policies judge differently. */
export const requests: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'),
  path: fc.oneof(
    fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    fc.constantFrom(`/a?${'q'.repeat(100)}`, `/b?${'q'.repeat(500)}`),
  ),
  origin: maybe(
    fc.constantFrom('https://app.example.com', 'https://other.example.com', 'https://evil.example', 'null'),
  ),
  preflight: fc.boolean(),
  length: maybe(fc.constantFrom(5, 500, 5_000)),
})

/** What came of a request: the cell, the verdict, and the lines of the policy on a plain answer. */
interface Judged {
  readonly cell: ResolvedCell
  readonly verdict: Verdict
  readonly lines: ReadonlyMap<string, string>
  readonly origin: string | undefined
}

/** Puts a request through the real guard; `undefined` where two cells judge it at once. */
export function judged(policy: ResolvedPolicy, asked: Asked): Judged | undefined {
  const guard = createGuard(policy, 'gateway')
  const exchange = guard.open(judged.incoming(asked))
  const cell = policy.cells.find(
    ({ id, origin }) => id === exchange.cell.id && origin === exchange.cell.origin,
  )
  if (cell === undefined) return undefined
  const verdict = guard.admit(exchange)
  const { compiled } = exchange.cell
  const seen = { get: () => undefined }
  const lines = new Map(
    [...compiled.fixed.pairs, ...compiled.perAnswer.flatMap((each) => each(exchange, 200, seen).pairs)].map(
      ([name, value]) => [name.toLowerCase(), value],
    ),
  )
  return { cell, verdict, lines, origin: asked.origin }
}

judged.incoming = (asked: Asked): Incoming => {
  const isPreflight = asked.preflight && asked.origin !== undefined
  const headers = new Map<string, string>([['host', 'a.example']])
  if (asked.origin !== undefined) headers.set('origin', asked.origin)
  if (isPreflight) headers.set('access-control-request-method', asked.method)
  else if (asked.length !== undefined) headers.set('content-length', String(asked.length))
  return {
    method: isPreflight ? 'OPTIONS' : asked.method,
    target: asked.path,
    httpVersion: '1.1',
    rawHeaders: [...headers].flat(),
    header: (name) => headers.get(name),
    peer: '192.0.2.1',
    encrypted: true,
  }
}

// frame-ancestors decides where it is there; without a policy for referrers browsers keep to their default.
const RANKS: Readonly<Record<string, (lines: ReadonlyMap<string, string>) => number>> = {
  framing: (lines) =>
    /frame-ancestors 'none'/.test(lines.get('content-security-policy') ?? '')
      ? 2
      : ['', 'SAMEORIGIN', 'DENY'].indexOf(lines.get('x-frame-options') ?? ''),
  sniffing: (lines) => Number(lines.get('x-content-type-options') === 'nosniff'),
  referrers: (lines) =>
    ['unsafe-url', '', 'same-origin', 'no-referrer'].indexOf(
      (lines.get('referrer-policy') ?? '').replace('strict-origin-when-cross-origin', ''),
    ),
  transport: (lines) => Number(lines.has('strict-transport-security')),
}

/** What the newer outcome allows and the older one did not. */
judged.losses = (old: Judged, now: Judged): readonly string[] => {
  const losses: string[] = []
  if (old.verdict?.kind === 'deny' && now.verdict?.kind !== 'deny')
    losses.push(`${old.verdict.code} is let through`)
  const [before, after] = [old.lines, now.lines]
  for (const [name, rank] of Object.entries(RANKS))
    if (rank(after) < rank(before)) losses.push(`${name} is weaker`)
  const grants = ({ lines, origin }: Judged) => {
    const value = lines.get('access-control-allow-origin')
    if (origin === undefined || (value !== origin && value !== '*')) return 0
    return lines.get('access-control-allow-credentials') === 'true' ? 2 : 1
  }
  if (grants(now) > grants(old)) losses.push(`${now.origin} may read more`)
  const noStore = (lines: ReadonlyMap<string, string>) => /no-store/.test(lines.get('cache-control') ?? '')
  if (noStore(before) && !noStore(after) && before.size > 0) losses.push('an answer can be kept')
  return losses
}
