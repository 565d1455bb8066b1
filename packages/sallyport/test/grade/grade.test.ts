// Grades of real servers: nothing is found on ours, each break is found as what it is, and only where it matters.

import assert from 'node:assert/strict'
import { createServer as createBare, type RequestListener, type Server } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import { type GradeOptions, grade } from '../../src/posture/grade/grade.ts'
import { ownScore } from '../../src/posture/grade/score.ts'
import { listening } from '../kinds/listen.ts'

const FILE = { contact: ['mailto:security@example.com'], expires: '2099-01-01T00:00:00Z' }

async function graded(context: TestContext, server: Server, options: GradeOptions = {}) {
  const app = await listening(server)
  context.after(() => app.close())
  return grade({ scheme: 'http', host: '127.0.0.1', port: app.port }, { pauseMs: 0, ...options })
}

const api: RequestListener = (request, response) => {
  response.setHeader('Content-Type', 'application/json')
  response.statusCode = request.url === '/' ? 200 : 404
  response.end('{}')
}

test('a server under the recommended preset gets A+, and nothing worse than a note', async (context) => {
  const report = await graded(
    context,
    createServer({ extends: 'recommended', disclosure: { securityTxt: FILE } }, api),
  )
  assert.deepEqual(
    report.findings.filter(({ severity }) => severity !== 'info'),
    [],
  )
  assert.equal(report.grade, 'A+')
  assert.deepEqual(report.notAnswered, [])
})

test('D12 our cross-origin rules stand before every variant of an origin', async (context) => {
  const policy = {
    extends: 'recommended' as const,
    cors: { origins: ['https://app.example.com'], bearer: 'any-origin' as const },
    disclosure: { securityTxt: FILE },
  }
  const report = await graded(context, createServer(policy, api))
  assert.deepEqual(
    report.findings.filter(({ id }) => id.startsWith('cors.')),
    [],
  )
})

/** A server that is right but for one thing. */
const BREAKS: readonly (readonly [name: string, finding: string, listener: RequestListener])[] = [
  [
    'any origin with credentials',
    'cors.reflect-credentials',
    (request, response) => {
      response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*')
      response.setHeader('Access-Control-Allow-Credentials', 'true')
      response.setHeader('Vary', 'Origin')
      api(request, response)
    },
  ],
  [
    'the origin null',
    'cors.null-origin',
    (request, response) => {
      if (request.headers.origin === 'null') response.setHeader('Access-Control-Allow-Origin', 'null')
      api(request, response)
    },
  ],
  [
    'a stack in an error',
    'leak.error-detail',
    (request, response) => {
      if (request.url === '/') return api(request, response)
      response.statusCode = 500
      response.end(JSON.stringify({ error: 'Error\n    at run (/srv/app/run.js:1:1)' }))
    },
  ],
  [
    'an error that caches may keep',
    'cache.error-cacheable',
    (request, response) => {
      response.setHeader('Cache-Control', 'public, max-age=600')
      api(request, response)
    },
  ],
  [
    'a cookie that caches may share',
    'cache.set-cookie',
    (request, response) => {
      response.setHeader('Cache-Control', 'public, max-age=600')
      response.setHeader('Set-Cookie', 'a=b; Secure; HttpOnly; SameSite=Lax')
      api(request, response)
    },
  ],
  [
    'a session cookie for scripts',
    'cookie.no-httponly',
    (request, response) => {
      response.setHeader('Set-Cookie', 'session=1; Secure; SameSite=Lax')
      api(request, response)
    },
  ],
  [
    'a prefix that is broken',
    'cookie.rejected',
    (request, response) => {
      response.setHeader('Set-Cookie', '__Host-sid=1; Secure; HttpOnly; SameSite=Lax; Path=/a')
      api(request, response)
    },
  ],
  [
    'a version',
    'leak.server-version',
    (request, response) => {
      response.setHeader('Server', 'nginx/1.22.1')
      api(request, response)
    },
  ],
  [
    'a framework',
    'leak.framework',
    (request, response) => {
      response.setHeader('X-Powered-By', 'Express')
      api(request, response)
    },
  ],
  [
    'an address inside',
    'leak.private-ip',
    (request, response) => {
      response.setHeader('X-Node', '10.1.2.3')
      api(request, response)
    },
  ],
  [
    'a redirect to anywhere',
    'redirect.open',
    (request, response) => {
      const next = new URL(request.url!, 'http://a.example').searchParams.get('next')
      if (next === null) return api(request, response)
      response.writeHead(302, { Location: next }).end()
    },
  ],
  [
    'JSON as a page',
    'ctype.mismatch',
    (_request, response) => {
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end('{"name":"<b>"}')
    },
  ],
  [
    'a stream that is kept',
    'cache.stream',
    (_request, response) => {
      response.setHeader('Content-Type', 'text/event-stream')
      response.end('data: 1\n\n')
    },
  ],
  [
    'two answers to framing',
    'xfo.invalid',
    (request, response) => {
      response.setHeader('X-Frame-Options', ['DENY', 'SAMEORIGIN'])
      api(request, response)
    },
  ],
  [
    'a nonce that comes again',
    'csp.static-nonce',
    (_request, response) => {
      response.setHeader('Content-Security-Policy', "script-src 'nonce-abc'")
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end('<p>')
    },
  ],
  [
    'scripts inline',
    'csp.unsafe-inline',
    (_request, response) => {
      response.setHeader('Content-Security-Policy', "script-src 'self' 'unsafe-inline'")
      response.setHeader('Content-Type', 'text/html; charset=utf-8')
      response.end('<p>')
    },
  ],
  [
    'no challenge',
    'auth.no-challenge',
    (_request, response) => {
      response.writeHead(401, { 'Content-Type': 'application/json' }).end('{}')
    },
  ],
  [
    'no time to wait',
    'ratelimit.no-retry-after',
    (_request, response) => {
      response.writeHead(429, { 'Content-Type': 'application/json' }).end('{}')
    },
  ],
]

for (const [name, id, listener] of BREAKS)
  test(`grade finds ${name}: ${id}`, async (context) => {
    const { findings } = await graded(context, createBare(listener))
    const found = findings.find((each) => each.id === id)
    assert.ok(found, findings.map((each) => each.id).join(', '))
    assert.ok(found.mend.length > 0 && /^(?:curl|printf|openssl) /.test(found.curl))
  })

test('what matters on pages alone is not found on data', async (context) => {
  const { findings } = await graded(context, createBare(api))
  const ids = findings.map(({ id }) => id)
  for (const id of ['coop.missing', 'referrer.missing', 'csp.no-base-uri', 'csp.no-object-src'])
    assert.ok(!ids.includes(id), id)
  assert.equal(findings.find(({ id }) => id === 'csp.missing')!.severity, 'low')
})

test('a frame-ancestors of data is enough', async (context) => {
  const { findings } = await graded(
    context,
    createBare((request, response) => {
      response.setHeader('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
      api(request, response)
    }),
  )
  const onData = findings.filter(({ seenOn }) => seenOn.some(({ context: kind }) => kind === 'json'))
  assert.ok(!onData.some(({ id }) => id.startsWith('csp.') || id === 'framing.missing'))
})

test('a block page is graded as what it is', async (context) => {
  const { blockedBy } = await graded(
    context,
    createBare((_request, response) => {
      response
        .writeHead(403, { 'cf-mitigated': 'challenge', server: 'cloudflare' })
        .end('<title>Just a moment...</title>')
    }),
  )
  assert.equal(blockedBy, 'Cloudflare')
})

test('credentials go along, make private answers matter, and stand nowhere in the report', async (context) => {
  const secret = 'Bearer very-secret-token'
  const seen: (string | undefined)[] = []
  const report = await graded(
    context,
    createBare((request, response) => {
      seen.push(request.headers.authorization)
      response.setHeader('Cache-Control', 'max-age=60')
      api(request, response)
    }),
    { headers: [['Authorization', secret]] },
  )
  assert.ok(seen.includes(secret))
  assert.ok(report.findings.some(({ id }) => id === 'cache.private-storable'))
  assert.doesNotMatch(JSON.stringify(report), /very-secret-token/)
})

test('the score loses once for each kind of finding, at its worst', () => {
  assert.deepEqual(ownScore([]), { score: 100, grade: 'A+' })
  assert.deepEqual(
    ownScore([
      { id: 'a', severity: 'low' },
      { id: 'a', severity: 'medium' },
    ]),
    { score: 92, grade: 'A' },
  )
  assert.deepEqual(ownScore([{ id: 'a', severity: 'info' }]), { score: 100, grade: 'A+' })
  assert.equal(ownScore(['a', 'b', 'c'].map((id) => ({ id, severity: 'critical' as const }))).grade, 'F')
})
