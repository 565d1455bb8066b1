// Every line that the policy puts on an answer is missed where it is taken away, weakened or doubled, in every class of
// answers: a server under the policy is asked once, its answers are replayed with one thing wrong.

import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { ClassId } from '../../src/posture/verify/classes.ts'
import { classOf } from '../../src/posture/verify/classes.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { send, type Wire, type WireAnswer, type WireResult } from '../../src/posture/wire/send.ts'
import type { WireTarget } from '../../src/posture/wire/target.ts'
import { ORIGIN } from '../kinds/kinds.ts'
import { guardedApps } from '../kinds/servers.ts'

const POLICY: PolicyDocument = {
  extends: 'recommended',
  cors: { origins: [ORIGIN], bearer: 'listed' },
  request: { maxBodyBytes: 1_000 },
  routes: {
    '/ok': { data: 'public', credentials: 'none' },
    '/events': { data: 'stream', credentials: 'none' },
  },
}

const OPTIONS = {
  allowWrites: true,
  samples: [
    { class: '200', path: '/ok' },
    { class: '304', path: '/same' },
    { class: 'redirect', path: '/moved' },
    { class: 'error', path: '/throws' },
    { class: '401', path: '/unauthorized' },
    { class: '403', path: '/forbidden' },
    { class: 'sse', path: '/events' },
    { class: 'bad-json', path: '/echo' },
  ],
} as const

type Line = readonly [name: string, value: string]
type Mutate = (lines: readonly Line[]) => readonly Line[]

const without =
  (name: string): Mutate =>
  (lines) =>
    lines.filter(([key]) => key.toLowerCase() !== name)
const instead =
  (name: string, value: string): Mutate =>
  (lines) =>
    lines.map(([key, old]) => [key, key.toLowerCase() === name ? value : old] as const)
const beside =
  (name: string, value: string): Mutate =>
  (lines) => [...lines, [name, value]]

/** What may go wrong with each line, and on which answers it stands. */
const MUTATIONS: readonly (readonly [what: string, name: string, mutate: Mutate])[] = [
  ...[
    'strict-transport-security',
    'x-content-type-options',
    'x-frame-options',
    'referrer-policy',
    'content-security-policy',
    'cross-origin-resource-policy',
    'cross-origin-opener-policy',
    'permissions-policy',
    'cache-control',
    'x-request-id',
    'vary',
    'access-control-allow-origin',
    'access-control-allow-credentials',
    'access-control-allow-methods',
    'access-control-max-age',
  ].map((name) => [`no ${name}`, name, without(name)] as const),
  ['a short hsts', 'strict-transport-security', instead('strict-transport-security', 'max-age=300')],
  ['hsts switched off', 'strict-transport-security', instead('strict-transport-security', 'max-age=0')],
  ['hsts twice', 'strict-transport-security', beside('Strict-Transport-Security', 'max-age=1')],
  ['sniffing', 'x-content-type-options', instead('x-content-type-options', 'sniff')],
  ['frames for all', 'x-frame-options', instead('x-frame-options', 'ALLOWALL')],
  ['another frame policy beside', 'x-frame-options', beside('X-Frame-Options', 'SAMEORIGIN')],
  ['an unsafe referrer', 'referrer-policy', instead('referrer-policy', 'unsafe-url')],
  [
    'a lax csp',
    'content-security-policy',
    instead('content-security-policy', 'default-src *; frame-ancestors *'),
  ],
  ['corp for none', 'cross-origin-resource-policy', instead('cross-origin-resource-policy', 'cross-sight')],
  ['a shared copy', 'cache-control', instead('cache-control', 'public, max-age=600')],
  ['a browser copy', 'cache-control', instead('cache-control', 'private, max-age=600')],
  ['an old cache header', 'cache-control', beside('Expires', 'Thu, 01 Jan 2099 00:00:00 GMT')],
  ['a chosen request id', 'x-request-id', instead('x-request-id', 'x')],
  ['a banner', 'x-content-type-options', beside('Server', 'Acme/1.2')],
  ['a framework', 'x-content-type-options', beside('X-Powered-By', 'Acme')],
  ['everybody’s origin', 'x-content-type-options', beside('Access-Control-Allow-Origin', '*')],
  ['a broken line', 'x-content-type-options', (lines) => lines],
]

/** Asks the server once for each request, and answers from memory after that. */
function replaying(mutate: (request: Parameters<Wire>[1], answer: WireAnswer) => WireAnswer) {
  return (known: Map<string, WireResult>): Wire =>
    async (target, request, options) => {
      const key = JSON.stringify([request, options?.plain, options?.maxVersion])
      let result = known.get(key)
      if (result === undefined) {
        result = await send(target, request, options)
        known.set(key, result)
      }
      return result.kind === 'answer' ? mutate(request, result) : result
    }
}

async function recorded(context: TestContext) {
  const app = await guardedApps['express']!(POLICY)
  context.after(() => app.close())
  const target: WireTarget = { scheme: 'http', host: '127.0.0.1', port: app.port }
  const known = new Map<string, WireResult>()
  const meant = new Map<string, ClassId | undefined>()
  const run = (
    mutate: (request: Parameters<Wire>[1], answer: WireAnswer) => WireAnswer,
  ): Promise<Verification> => verify(POLICY, target, { ...OPTIONS, wire: replaying(mutate)(known) })
  const first = await verify(POLICY, target, {
    ...OPTIONS,
    wire: replaying((_request, answer) => answer)(known),
    onExchange: ({ planned, result }) => {
      if (result.kind === 'answer')
        meant.set(keyOf(planned.request), classOf(planned.request, result, planned.meant))
    },
  })
  return { run, first, meant }
}

/** A request without what the run adds to say who it is. */
function keyOf(request: Parameters<Wire>[1]): string {
  if ('raw' in request) return request.raw
  return JSON.stringify([
    request.method,
    request.path,
    request.headers.filter(([name]) => name !== 'User-Agent'),
  ])
}

describe('a single thing wrong in one class of answers', () => {
  it('is found: each line of each class, taken away, weakened or doubled', async (context) => {
    const { run, first, meant } = await recorded(context)
    assert.deepEqual(first.findings, [])
    const classes = [...new Set(meant.values())].filter((id) => id !== undefined)
    assert.ok(classes.length >= 20)
    const missed: string[] = []
    let count = 0
    // In all classes at once: a finding names the class where it was seen.
    for (const [what, name, mutate] of MUTATIONS) {
      const touched = new Set<ClassId>()
      const result = await run((request, answer) => {
        const id = meant.get(keyOf(request))
        if (id === undefined || !answer.headers.some(([key]) => key.toLowerCase() === name)) return answer
        const headers = mutate(answer.headers)
        const faults = what === 'a broken line' ? ['no header line: x'] : answer.faults
        if (faults !== answer.faults || JSON.stringify(headers) !== JSON.stringify(answer.headers))
          touched.add(id)
        return { ...answer, headers, faults }
      })
      const places = new Set(result.findings.map((finding) => finding.class))
      for (const id of touched) {
        count++
        if (!places.has(id)) missed.push(`${what} in ${id}`)
      }
    }
    context.diagnostic(`${count} mutations, ${missed.length} missed`)
    assert.ok(count >= 300, `${count} mutations`)
    // Refused by a parser, before anybody looked for a route, these rightly have no Vary; whether a parser or the policy
    // refused can't be seen.
    assert.deepEqual(
      missed,
      ['no-host', 'two-hosts', 'unknown-expect', 'trace', 'bad-request'].map((id) => `no vary in ${id}`),
    )
  })

  it('is found where a request that must be refused is let in', async (context) => {
    const { run, meant } = await recorded(context)
    const refusals: readonly ClassId[] = [
      'no-host',
      'two-hosts',
      'length-and-chunked',
      'unknown-expect',
      'bare-lf',
    ]
    for (const id of [
      ...refusals,
      'bad-request-line',
      'trace',
      'oversize',
      'unknown-method',
      'headers-too-large',
    ] as const) {
      const result = await run((request, answer) =>
        meant.get(keyOf(request)) === id ? { ...answer, status: 200 } : answer,
      )
      assert.ok(result.findings.length > 0, id)
    }
  })
})
