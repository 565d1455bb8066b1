// What `explain` says against what a server with the same policy sends: every line, every refusal, on a real socket.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { createServer } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import type { Ask, Pair } from '../../src/posture/explain/ask.ts'
import { type Explanation, explain } from '../../src/posture/explain/explain.ts'
import '../../src/posture/page/index.ts'
import { send } from '../kinds/wire.ts'
import { runs } from '../runs.ts'

const POLICIES: readonly PolicyDocument[] = [
  {},
  { extends: 'recommended' },
  {
    extends: 'api',
    cors: { origins: ['https://app.example.com'], bearer: 'listed' },
    client: { trustedProxies: ['loopback'] },
    disclosure: { posture: 'public', securityTxt: SECURITY_TXT() },
    routes: {
      '/v1/*': { request: { maxBodyBytes: 10, maxTargetBytes: 80 } },
      '/v1/account/*': { cors: { mode: 'report' } },
      'GET /v1/account/:id': { headers: { mode: 'report' }, cache: { owner: 'policy' } },
      '/v1/public': { data: 'public', credentials: 'none', cors: { bearer: 'any-origin' } },
      '/v1/Users/:id': { cors: { mode: 'off' }, errors: { replaceBodies: 'unshaped' } },
      '/page': { headers: { contentSecurityPolicy: { 'script-src': ["'nonce'"] } } },
    },
  },
]

function SECURITY_TXT(): {
  readonly contact: readonly string[]
  readonly expires: string
  readonly canonical: readonly string[]
} {
  return {
    contact: ['mailto:security@example.com'],
    expires: new Date(Date.now() + 90 * 86_400_000).toISOString(),
    canonical: ['https://api.example.com/.well-known/security.txt'],
  }
}

interface Subject {
  readonly policy: PolicyDocument
  readonly port: number
}

// What the application of every subject says; set for each request.
let answer: Ask['answer'] = { status: 200, headers: [] }
const subjects: Subject[] = []
const servers: ReturnType<typeof createServer>[] = []

before(async () => {
  for (const policy of POLICIES) {
    resolvePolicy(policy)
    const server = createServer(policy, (_request, response) => {
      response.writeHead(answer.status, answer.headers.flat(1))
      response.end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    servers.push(server)
    subjects.push({ policy, port: (server.address() as AddressInfo).port })
  }
})

after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** The lines as they came, but for those of the connection and with fresh values told apart from none. */
async function onTheWire(port: number, ask: Ask): Promise<{ status: number; lines: readonly string[] }> {
  const head = [
    `${ask.method} ${ask.target} HTTP/1.1`,
    ...ask.headers.map(([name, value]) => `${name}: ${value}`),
  ]
  const read = await send({ port }, `${head.join('\r\n')}\r\nConnection: close\r\n\r\n`)
  const [status = '', ...lines] = read.slice(0, read.indexOf('\r\n\r\n')).split('\r\n')
  return { status: Number(status.split(' ')[1]), lines: comparable(lines) }
}

// Of the connection, not of the answer; and of Node, which counts the bytes of an empty body.
const SERVER_LINES = /^(?:date|connection|keep-alive|content-length|transfer-encoding):/i

function comparable(lines: readonly string[]): readonly string[] {
  return lines
    .filter((line) => !SERVER_LINES.test(line))
    .map((line) =>
      line
        .replace(/^(X-Request-Id: )[0-9a-f]{32}$/, '$1{fresh}')
        .replace(/^ETag: "[0-9a-f]{16}-[0-9a-z]+"$/, 'ETag: {fresh}')
        .replace(/'nonce-[A-Za-z0-9+/=]{24}'/, "'nonce-{fresh}'"),
    )
    .sort()
}

function explained(explanation: Explanation): { status: number; lines: readonly string[] } {
  return {
    status: explanation.outcome.status,
    lines: comparable(explanation.lines.map(({ name, value }) => `${name}: ${value}`)),
  }
}

const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE'] as const
const TARGETS = [
  '/',
  '/v1/account/me',
  '/v1/account',
  '/v1/account/me/keys?a=1',
  '/v1/public',
  '/v1/public/',
  '/V1/public',
  '/v1/Users/7',
  '/v1/users/7',
  '/v1//account/me',
  '/v1/account/%2e%2e/x',
  '/v1/%C3%A9',
  '/page',
  '/.well-known/security.txt',
  '/.well-known/posture',
  '/.well-known/problems/not_found',
  `/v1/${'x'.repeat(90)}`,
] as const

const optional = (...choices: readonly (readonly Pair[])[]) =>
  fc.constantFrom<readonly Pair[]>([], ...choices)

const asks: fc.Arbitrary<Ask> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    target: fc.constantFrom(...TARGETS),
    origin: optional(
      [['Origin', 'https://app.example.com']],
      [['Origin', 'https://evil.example']],
      [['Origin', 'null']],
    ),
    announced: optional(
      [['Access-Control-Request-Method', 'PUT']],
      [['Access-Control-Request-Method', 'GET']],
    ),
    credential: optional(
      [['Cookie', 'a=b']],
      [['Authorization', 'Bearer x']],
      [
        ['Authorization', 'Bearer x'],
        ['Authorization', 'Bearer y'],
      ],
    ),
    forwarded: optional(
      [
        ['X-Forwarded-For', '192.0.2.1'],
        ['X-Forwarded-Proto', 'http'],
        ['X-Forwarded-Proto', 'http'],
      ],
      [
        ['X-Forwarded-For', '192.0.2.1'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Request-Id', 'from-the-proxy-7'],
      ],
    ),
    length: optional([['Content-Length', '0']]),
    status: fc.constantFrom(200, 201, 304, 404, 500),
    said: fc.subarray<Pair>([
      ['Content-Type', 'text/plain'],
      ['Server', 'nginx'],
      ['Cache-Control', 'public, max-age=60'],
      ['Vary', 'Accept-Encoding'],
      ['Set-Cookie', 'a=b'],
      ['X-Frame-Options', 'ALLOWALL'],
      ['Access-Control-Allow-Origin', '*'],
      ['X-Request-Id', 'of-the-application'],
      ['X-Own', 'stays'],
    ]),
  })
  .map(({ method, target, origin, announced, credential, forwarded, length, status, said }) => ({
    method,
    target,
    headers: [['Host', 'api.example.com'], ...origin, ...announced, ...credential, ...forwarded, ...length],
    peer: '127.0.0.1',
    encrypted: false,
    place: 'node',
    answer: { status, headers: said },
  }))

test('every explanation has the very lines that a server sends', async () => {
  const met = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.nat(POLICIES.length - 1), asks, async (index, ask) => {
      const { policy, port } = subjects[index]!
      answer = ask.answer
      const [seen, explanation] = [await onTheWire(port, ask), await explain(policy, ask)]
      assert.deepEqual(explained(explanation), seen)
      met.add(explanation.outcome.code ?? explanation.outcome.by)
    }),
    runs(400),
  )
  for (const outcome of ['application', 'origin_not_allowed', 'https_required', 'duplicate_header', 'guard'])
    assert.ok(met.has(outcome), `no request met ${outcome}, only ${[...met].join(', ')}`)
})

/** The policy with one control in another mode, everywhere. */
function inMode(policy: PolicyDocument, control: string, mode: 'enforce' | 'report' | 'off'): PolicyDocument {
  const routes = Object.fromEntries(
    Object.entries(policy.routes ?? {}).map(([key, route]) => [
      key,
      { ...route, [control]: { ...(route as Record<string, object>)[control], mode } },
    ]),
  )
  const own = (policy as Record<string, object>)[control]
  return { ...policy, [control]: { ...own, mode }, routes }
}

test('every line belongs to its control: with the control switched off it is not sent', async () => {
  const owners = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.nat(POLICIES.length - 1), asks, async (index, ask) => {
      const policy = POLICIES[index]!
      const explanation = await explain(policy, ask)
      for (const { name, value, control } of explanation.lines) {
        if (control === 'application' || control === 'guard') continue
        // A line of the control's own refusal or page ends with that, and errors give a body its type.
        if (control === explanation.outcome.control || control === 'errors') continue
        // On a path with two readings nothing switches this off.
        if (control === 'cache' && explanation.cell.id.startsWith('!')) continue
        owners.add(control)
        const without = await explain(inMode(policy, control, 'off'), ask)
        const still = without.lines.some(
          (line) => line.name === name && line.value === value && line.control === control,
        )
        assert.ok(!still, `${control} is off, and its ${name} is there`)
      }
    }),
    runs(30),
  )
  assert.deepEqual([...owners].sort(), ['cache', 'client', 'cors', 'headers', 'transport'])
})

test('what another mode would change is what a policy in that mode does', async () => {
  let changed = 0
  await fc.assert(
    fc.asyncProperty(fc.nat(POLICIES.length - 1), asks, async (index, ask) => {
      const policy = POLICIES[index]!
      const now = await explain(policy, ask)
      for (const { control, mode, changes } of now.otherModes) {
        changed++
        const then = await explain(inMode(policy, control, mode), ask)
        const isSame =
          JSON.stringify([then.lines.map(lineOf), then.outcome.status, then.outcome.cookiesIgnored]) ===
          JSON.stringify([now.lines.map(lineOf), now.outcome.status, now.outcome.cookiesIgnored])
        // Where the mode is written for the whole, the route may take another cell's part; what changes stays so.
        assert.ok(!isSame || changes.some((change) => change.includes('instead of')), `${control} ${mode}`)
      }
    }),
    runs(30),
  )
  assert.ok(changed > 50, `${changed} changes`)
})

function lineOf({ name, value }: { readonly name: string; readonly value: string }): string {
  return `${name}: ${value}`
}

const base: Ask = {
  method: 'GET',
  target: '/v1/account/me',
  headers: [['Host', 'api.example.com']],
  peer: '203.0.113.7',
  encrypted: true,
  place: 'gateway',
  answer: { status: 200, headers: [] },
}

test('the cell, what it won over, and what a path with two readings meets', async () => {
  const policy: PolicyDocument = {
    cors: { origins: ['https://app.example.com'] },
    routes: {
      '/v1/*': {},
      '/v1/account/:id': {},
      'POST /v1/account/me': {},
      '/v1/account/me': { credentials: 'bearer' },
      '/:any/account/me': {},
    },
  }
  const { cell } = await explain(policy, base)
  assert.deepEqual(
    [cell.id, cell.credentials, cell.why],
    ['/v1/account/me', 'bearer', 'this route covers it'],
  )
  assert.deepEqual(cell.over, [
    { pattern: 'POST /v1/account/me', why: 'it is for POST' },
    {
      pattern: '/v1/account/:id',
      why: 'its segment 3 is the parameter ":id", and the word "me" is more specific',
    },
    { pattern: '/v1/*', why: 'its segment 2 is "*", and the word "account" is more specific' },
    {
      pattern: '/:any/account/me',
      why: 'its segment 1 is the parameter ":any", and the word "v1" is more specific',
    },
  ])
  const posted = await explain(policy, { ...base, method: 'POST' })
  assert.equal(posted.cell.id, 'POST /v1/account/me')
  assert.equal(
    posted.cell.over[0]!.why,
    'it is for every method, and a route for one method is more specific',
  )
  const upper = await explain(policy, { ...base, target: '/v1/Account/me' })
  assert.equal(upper.cell.id, '! /v1/account/me')
  assert.match(upper.cell.why, /ignores letter case.* takes it for \/v1\/account\/me/)
  const dots = await explain(policy, { ...base, target: '/v1/x/../account/me' })
  assert.deepEqual([dots.cell.canonical, dots.outcome.code], [false, 'path_not_canonical'])
  assert.match(dots.cell.why, /dot segment.*one of them as \/v1\/account\/me/)
  assert.deepEqual(dots.steps[1]!.rules, [
    { setting: 'request.nonCanonical', value: 'refuse', written: 'the default' },
  ])
  assert.equal((await explain(policy, { ...base, target: '/' })).cell.why, 'no route covers it')
})

test('the setting that decided, and where it was written', async () => {
  const policy: PolicyDocument = {
    extends: 'recommended',
    routes: { '/v1/*': { cors: { origins: ['https://app.example.com'] }, request: { maxTargetBytes: 64 } } },
  }
  const preflight: Ask = {
    ...base,
    method: 'OPTIONS',
    headers: [...base.headers, ['Origin', 'https://evil.example'], ['Access-Control-Request-Method', 'PUT']],
  }
  const refused = await explain(policy, preflight)
  assert.deepEqual(
    [refused.request.preflight, refused.request.judgedAs, refused.outcome.code, refused.outcome.control],
    [true, 'PUT', 'origin_not_allowed', 'cors'],
  )
  const cors = refused.steps.find(({ control }) => control === 'cors')!
  assert.equal(cors.decision, 'deny')
  assert.equal(cors.because, 'https://evil.example is not granted anything here, so the preflight is refused')
  assert.deepEqual(cors.rules[0], {
    setting: 'cors.origins',
    value: ['https://app.example.com'],
    written: 'routes["/v1/*"].cors.origins',
  })
  assert.ok(
    refused.steps.slice(refused.steps.indexOf(cors) + 1).every((step) => step.decision === 'not-asked'),
  )
  const long = await explain(policy, { ...base, target: `/v1/${'x'.repeat(80)}` })
  assert.deepEqual(long.steps.find(({ control }) => control === 'request')!.rules, [
    { setting: 'request.maxTargetBytes', value: 64, written: 'routes["/v1/*"].request.maxTargetBytes' },
  ])
  const sniff = refused.lines.find(({ name }) => name === 'X-Content-Type-Options')!
  assert.deepEqual(sniff.rules[0]!.written, 'headers.contentTypeOptions of the preset "recommended"')
})

test('a control in report mode says what it would have done', async () => {
  const policy: PolicyDocument = { cors: { mode: 'report', origins: ['https://app.example.com'] } }
  const { steps, outcome, otherModes } = await explain(policy, {
    ...base,
    method: 'OPTIONS',
    headers: [...base.headers, ['Origin', 'https://evil.example'], ['Access-Control-Request-Method', 'PUT']],
  })
  const cors = steps.find(({ control }) => control === 'cors')!
  assert.deepEqual([cors.mode, cors.decision, cors.code], ['report', 'would-deny', 'origin_not_allowed'])
  assert.equal(outcome.by, 'application')
  assert.deepEqual(
    otherModes.find(({ control }) => control === 'cors'),
    {
      control: 'cors',
      id: 'SP-CORS-01',
      mode: 'enforce',
      changes: ['403 origin_not_allowed instead of the application’s own answer'],
    },
  )
})

test('what an application said and is not sent stands with its control', async () => {
  const { removed, lines } = await explain(
    { extends: 'recommended', cache: { owner: 'policy' } },
    {
      ...base,
      answer: {
        status: 200,
        headers: [
          ['Server', 'nginx'],
          ['Cache-Control', 'public'],
          ['X-Own', 'a'],
        ],
      },
    },
  )
  assert.deepEqual(
    removed.map(({ name, control }) => [name, control]),
    [
      ['Server', 'headers'],
      ['Cache-Control', 'cache'],
    ],
  )
  assert.match(String(removed[0]!.rules[0]!.value), /server software/)
  assert.equal(lines.find(({ name }) => name === 'X-Own')!.control, 'application')
})
