// End to end through node:http: the request id on every kind of answer, and the advisories of others as regressions.

import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createServer, exchangeOf, type PolicyOrGuard } from '../../adapters/node/index.ts'
import type { PolicyDocument } from '../../guard/policy.ts'

/** Writes raw bytes to a guarded server and reads all that comes back. */
async function ask(t: TestContext, policy: PolicyOrGuard, bytes: string): Promise<string> {
  const server = createServer(policy, (request, response) => {
    const exchange = exchangeOf(response)!
    if (request.url === '/throw') throw new Error('secret detail')
    if (request.url === '/error') response.statusCode = 500
    if (request.url === '/own') response.setHeader('X-Request-Id', 'set-by-the-application')
    const { address, scheme, host, viaProxy } = exchange.client
    const { requestId, traceparent } = exchange
    response.end(JSON.stringify({ address, scheme, host, viaProxy, requestId, traceparent }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

const get = (path: string, ...lines: string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`

const ids = (answer: string) => [...answer.matchAll(/^X-Request-Id: (.*)\r$/gim)].map((match) => match[1]!)
const body = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))

const API: PolicyDocument = { extends: 'api' }
const LOCAL: PolicyDocument = { extends: 'api', client: { trustedProxies: ['loopback'] } }

describe('the request id', () => {
  const kinds: readonly (readonly [kind: string, bytes: string])[] = [
    ['200', get('/')],
    ['500 of the application', get('/error')],
    ['HEAD', get('/').replace('GET', 'HEAD')],
    ['a path that is not canonical', get('/a//b')],
    ['an id that the application sets', get('/own')],
    ['a malformed request line', 'GARBAGE\r\n\r\n'],
    ['a bad header name', 'GET / HTTP/1.1\r\nHost: a\r\nBad Name: 1\r\n\r\n'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['headers over the limit', get('/', `X-Long: ${'a'.repeat(20_000)}`)],
    ['an unknown expectation', get('/', 'Expect: magic')],
    ['CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n'],
  ]
  for (const [kind, bytes] of kinds)
    it(`D16 x-request-id is really sent: ${kind}`, async (t) => {
      const answer = await ask(t, API, bytes)
      const found = ids(answer)
      assert.equal(found.length, 1, answer)
      assert.match(found[0]!, /^[0-9a-f]{32}$/)
      // A problem document names the same id.
      if (/^Content-Type: application\/problem\+json/im.test(answer) && !bytes.startsWith('HEAD'))
        assert.equal(body(answer).requestId, found[0])
    })

  it('the application sees the id that is sent', async (t) => {
    const answer = await ask(t, API, get('/'))
    assert.equal(body(answer).requestId, ids(answer)[0])
  })

  it('ids of two requests differ', async (t) => {
    const answer = await ask(t, API, get('/').replace('Connection: close\r\n', '') + get('/'))
    assert.equal(new Set(ids(answer)).size, 2)
  })

  it('a caller cannot choose it', async (t) => {
    const answer = await ask(t, API, get('/', 'X-Request-Id: chosen-by-the-caller'))
    assert.match(ids(answer).join(), /^[0-9a-f]{32}$/)
  })

  it('a declared proxy can, once and in plain characters', async (t) => {
    assert.deepEqual(ids(await ask(t, LOCAL, get('/', 'X-Request-Id: edge-1234.5678_90'))), [
      'edge-1234.5678_90',
    ])
    for (const lines of [
      ['X-Request-Id: short'],
      ['X-Request-Id: <script>alert(1)</script>'],
      ['X-Request-Id: aaaaaaaa', 'X-Request-Id: bbbbbbbb'],
      ['X_Request_Id: aaaaaaaa'],
    ])
      assert.match(ids(await ask(t, LOCAL, get('/', ...lines))).join(), /^[0-9a-f]{32}$/, lines.join())
  })

  it('a declared proxy cannot where the policy takes nobody’s', async (t) => {
    const policy: PolicyDocument = {
      client: { trustedProxies: ['loopback'], requestId: { accept: 'never', header: 'X-Correlation-Id' } },
    }
    const answer = await ask(t, policy, get('/', 'X-Correlation-Id: edge-12345678'))
    assert.match(answer, /^X-Correlation-Id: [0-9a-f]{32}\r$/m)
  })

  it('the payments preset sends none, and none stands in its problems', async (t) => {
    const answer = await ask(t, { extends: 'payments' }, 'GARBAGE\r\n\r\n')
    assert.deepEqual(ids(answer), [])
    assert.equal(body(answer).requestId, undefined)
  })

  it('in report mode nothing is sent', async (t) => {
    const policy: PolicyDocument = { client: { mode: 'report', requestId: { accept: 'never' } } }
    const answer = await ask(t, policy, get('/'))
    assert.deepEqual(ids(answer), [])
    assert.equal(body(answer).requestId, '')
  })
})

describe('the trace context', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
  const inbound = `traceparent: 00-${TRACE}-00f067aa0ba902b7-01`

  it('that of a declared proxy is continued under a new parent id', async (t) => {
    const { traceparent } = body(await ask(t, LOCAL, get('/', inbound)))
    assert.match(traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`))
    assert.notEqual(traceparent, inbound.slice(13))
  })

  it('that of anybody else starts anew, and so do two lines', async (t) => {
    for (const [policy, lines] of [
      [API, [inbound]],
      [LOCAL, [inbound, inbound]],
      [LOCAL, ['traceparent: 00-broken']],
    ] as const) {
      const { traceparent } = body(await ask(t, policy, get('/', ...lines)))
      assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/)
      assert.ok(!traceparent.includes(TRACE))
    }
  })
})

describe('advisories of others', () => {
  const spoof = [
    'X-Forwarded-For: 203.0.113.66',
    'X-Real-IP: 203.0.113.66',
    'Forwarded: for=203.0.113.66',
    'CF-Connecting-IP: 203.0.113.66',
    'True-Client-IP: 203.0.113.66',
  ]

  it('oauth2-proxy CVE-2026-40575: forwarding headers are not believed from everybody by default', async (t) => {
    const found = body(
      await ask(t, API, get('/', ...spoof, 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.example')),
    )
    assert.deepEqual(
      [found.address, found.scheme, found.host, found.viaProxy],
      ['127.0.0.1', 'unknown', 'api.example', false],
    )
  })

  it('oauth2-proxy CVE-2025-64484: a name with underscores is not the forwarding header', async (t) => {
    const found = body(
      await ask(t, LOCAL, get('/', 'X_Forwarded_For: 203.0.113.66', 'X-Forwarded_For: 203.0.113.66')),
    )
    assert.equal(found.address, '127.0.0.1')
  })

  it('a second line that a caller sends before the proxy’s is not taken for it', async (t) => {
    const found = body(
      await ask(t, LOCAL, get('/', 'X-Forwarded-For: 203.0.113.66', 'X-Forwarded-For: 198.51.100.7')),
    )
    assert.equal(found.address, '198.51.100.7')
  })

  it('Traefik CVE-2024-45410: where a caller has the proxy drop its header, the proxy counts, not the caller’s word', async (t) => {
    const found = body(await ask(t, LOCAL, get('/', 'X-Real-IP: 203.0.113.66')))
    assert.equal(found.address, '127.0.0.1')
  })

  it('only the header that the policy names is read', async (t) => {
    const found = body(await ask(t, LOCAL, get('/', ...spoof.slice(1))))
    assert.equal(found.address, '127.0.0.1')
  })
})

describe('transport goes by the client', () => {
  const front = (tls: 'here' | 'in-front'): PolicyDocument => ({ ...LOCAL, transport: { tls } })

  it('behind a declared front, plain HTTP is what the front says', async (t) => {
    assert.match(await ask(t, front('in-front'), get('/', 'X-Forwarded-Proto: http')), /^HTTP\/1\.1 403 /)
    assert.match(await ask(t, front('in-front'), get('/', 'X-Forwarded-Proto: https')), /^HTTP\/1\.1 200 /)
    assert.match(await ask(t, front('in-front'), get('/')), /^HTTP\/1\.1 200 /)
  })

  it('on a listener of ours, a forwarded scheme makes no plain connection secure', async (t) => {
    assert.match(await ask(t, front('here'), get('/', 'X-Forwarded-Proto: https')), /^HTTP\/1\.1 403 /)
  })
})
