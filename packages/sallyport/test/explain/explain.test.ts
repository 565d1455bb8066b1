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
