// What the upstream is told, and what it may tell: framing and identity are the gateway's own, whatever either side
// writes.

import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { ask, gatewayFor, HERE, IN_FRONT, type Running, upstreamFor } from './harness.ts'

// The lines as they reached the upstream, in order; names in lower case.
type Lines = readonly (readonly [name: string, value: string])[]

async function listening(context: TestContext, policy: PolicyDocument): Promise<Running> {
  const upstream = await upstreamFor(context, (request, response) => {
    response.end(JSON.stringify(linesOf(request)), 'latin1')
  })
  return gatewayFor(context, { upstream, policy })
}

function linesOf({ rawHeaders }: IncomingMessage): Lines {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]!] as const] : [],
  )
}

async function reached(running: Running, headers: string[], path = '/v1/x'): Promise<Lines> {
  const answer = await ask(running, path, { headers: ['Host', 'api.example.com', ...headers] })
  assert.equal(answer.status, 200)
  return JSON.parse(answer.body)
}

const valuesOf = (lines: Lines, name: string) =>
  lines.filter(([key]) => key === name).map(([, value]) => value)

// Each is sent with the value "spoofed"; none may arrive with it.
const SPOOFS = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Uri',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Access-Token',
  'X-Forwarded-Client-Cert',
  'Forwarded',
  'X-Real-IP',
  'X-Client-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X-Cluster-Client-IP',
  'X-Original-URL',
  'X-Original-Host',
  'X-Rewrite-URL',
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'X-Middleware-Subrequest',
  'X-Middleware-Rewrite',
  'Proxy',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Proxy-Anything',
  'X-Accel-Redirect',
  'X-Accel-Internal',
  'X-Sallyport-Principal',
  'X-Envoy-Internal',
  'X-Envoy-Original-Path',
  'X-Auth-Request-User',
  'X-Amzn-Oidc-Identity',
  'X-Remote-User',
  'Remote-User',
  'X-SSL-Client-Verify',
  'Ssl-Client-Cert',
  'X_Forwarded_For',
  'X_Real_IP',
  'Content_Length',
  'Authorization_Token',
  'Keep-Alive',
  'HTTP2-Settings',
  'Traceparent',
  'Tracestate',
  'X-Request-Id',
]

for (const [where, policy] of [
  ['ends here', HERE],
  ['ends in front', IN_FRONT],
] as const)
  test(`nothing that a caller says about itself reaches the upstream where TLS ${where}`, async (context) => {
    const running = await listening(context, policy)
    for (const name of SPOOFS)
      for (const spelling of [name, name.toUpperCase(), name.toLowerCase()]) {
        const answer = await ask(running, '/v1/x', {
          headers: ['Host', 'api.example.com', spelling, 'spoofed'],
        })
        if (answer.status === 400) continue // refused is as good as dropped
        const lines: Lines = JSON.parse(answer.body)
        assert.deepEqual(
          lines.filter(([, value]) => value.includes('spoofed')),
          [],
          spelling,
        )
      }
  })

test('the upstream learns the client, the scheme, the host and the request id from the gateway', async (context) => {
  const here = await listening(context, HERE)
  const lines = await reached(here, ['X-Forwarded-For', '203.0.113.9', 'X-Forwarded-Host', 'evil.example'])
  assert.deepEqual(valuesOf(lines, 'x-forwarded-for'), ['127.0.0.1'])
  assert.deepEqual(valuesOf(lines, 'x-forwarded-proto'), ['https'])
  assert.deepEqual(valuesOf(lines, 'x-forwarded-host'), ['api.example.com'])
  assert.match(valuesOf(lines, 'host')[0]!, /^127\.0\.0\.1:\d+$/)
  const inFront = await listening(context, IN_FRONT)
  assert.deepEqual(
    valuesOf(await reached(inFront, ['X-Forwarded-Proto', 'https']), 'x-forwarded-proto'),
    [],
    'a front that is not declared is not believed, and nothing is made up',
  )
})

test('the request id of the answer is the one that the upstream got', async (context) => {
  const running = await listening(context, { ...IN_FRONT, client: { requestId: {}, traceContext: true } })
  const answer = await ask(running, '/', { headers: { 'X-Request-Id': 'mine' } })
  const lines: Lines = JSON.parse(answer.body)
  assert.deepEqual(valuesOf(lines, 'x-request-id'), [answer.header('x-request-id')!])
  assert.match(answer.header('x-request-id')!, /^[0-9a-f]{32}$/)
  assert.match(valuesOf(lines, 'traceparent')[0]!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
})

test('a declared proxy is believed about the client, and its other headers still do not pass', async (context) => {
  const running = await listening(context, {
    ...IN_FRONT,
    client: { trustedProxies: ['127.0.0.1'], forwarded: 'x-forwarded-for' },
  })
  const lines = await reached(running, [
    ...['X-Forwarded-For', '198.51.100.7, 203.0.113.9', 'X-Forwarded-Proto', 'https'],
    ...['X-Original-URL', '/admin', 'X-Middleware-Subrequest', 'src/middleware'],
  ])
  assert.deepEqual(valuesOf(lines, 'x-forwarded-for'), ['203.0.113.9'])
  assert.deepEqual(valuesOf(lines, 'x-forwarded-proto'), ['https'])
  assert.deepEqual(valuesOf(lines, 'x-original-url'), [])
  assert.deepEqual(valuesOf(lines, 'x-middleware-subrequest'), [])
})

test('what an application needs passes as it was sent', async (context) => {
  const running = await listening(context, IN_FRONT)
  const sent = [
    ...[
      'Authorization',
      'Bearer abc',
      'Cookie',
      'a=1; b=2',
      'Accept-Encoding',
      'br, gzip',
      'Range',
      'bytes=0-9',
    ],
    ...[
      'If-None-Match',
      '"x"',
      'Origin',
      'https://app.example',
      'Stripe-Signature',
      't=1,v1=ab',
      'X-Custom',
      'Zo\xeb',
    ],
    ...['X-Twice', 'one', 'X-Twice', 'two', 'Sec-Fetch-Site', 'same-origin', 'User-Agent', 'test/1'],
  ]
  const lines = await reached(running, sent)
  for (let index = 0; index < sent.length; index += 2)
    assert.ok(valuesOf(lines, sent[index]!.toLowerCase()).includes(sent[index + 1]!), sent[index]!)
  assert.deepEqual(valuesOf(lines, 'x-twice'), ['one', 'two'])
})

test('D12 the cookies of a page that may only call without them do not reach the upstream', async (context) => {
  const running = await listening(context, IN_FRONT)
  const from = (origin: string) => ['Origin', origin, 'Cookie', 'session=1', 'Authorization', 'Bearer abc']
  const lines = await reached(running, from('https://elsewhere.example'))
  assert.deepEqual(valuesOf(lines, 'cookie'), [])
  assert.deepEqual(valuesOf(lines, 'authorization'), ['Bearer abc'])
})

test('trailers of a request are not handed on', async (context) => {
  const seen = Promise.withResolvers<{ trailers: string[]; headers: Lines; body: string }>()
  const upstream = await upstreamFor(context, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.resolve({ trailers: request.rawTrailers, headers: linesOf(request), body })
    response.end()
  })
  const { port } = await gatewayFor(context, { upstream, policy: { ...IN_FRONT, request: { mode: 'off' } } })
  const socket = connect(port, '127.0.0.1')
  context.after(() => socket.destroy())
  socket.write(
    'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-Admin\r\n\r\n2\r\nhi\r\n0\r\nX-Admin: yes\r\n\r\n',
  )
  const { trailers, headers, body } = await seen.promise
  assert.equal(body, 'hi')
  assert.deepEqual(trailers, [])
  assert.deepEqual(valuesOf(headers, 'trailer'), [])
  assert.deepEqual(valuesOf(headers, 'x-admin'), [])
})

test('D19 what an upstream says to the server in front of it, or about itself, stays here', async (context) => {
  const hidden = {
    Server: 'AcmeServer/1.2.3',
    'X-Powered-By': 'Acme',
    Via: '1.1 inner',
    'Alt-Svc': 'h3=":443"',
    'X-Accel-Redirect': '/secret',
    'X-Accel-Expires': '600',
    'X-Sendfile': '/etc/passwd',
    'X-Middleware-Rewrite': '/admin',
    'X-Sallyport-Test': '1',
    'X-Envoy-Upstream-Service-Time': '3',
    'X-AspNet-Version': '4',
    'Keep-Alive': 'timeout=5',
    'Proxy-Authenticate': 'Basic',
    Trailer: 'X-T',
    'X-Hop': '1',
  }
  const kept = {
    ETag: '"x"',
    'Set-Cookie': ['a=1', 'b=2'],
    'X-Custom': 'kept',
    'Content-Type': 'text/plain',
    Link: '</a>',
  }
  const upstream = await upstreamFor(context, (_request, response) => {
    response.writeHead(200, { ...hidden, ...kept, Connection: 'close, X-Hop' })
    response.end('body')
  })
  const running = await gatewayFor(context, { upstream })
  const answer = await ask(running, '/')
  for (const [name, value] of Object.entries(hidden))
    assert.ok(!answer.values(name.toLowerCase()).includes(value), name)
  assert.deepEqual(answer.values('set-cookie'), ['a=1', 'b=2'])
  for (const name of ['etag', 'x-custom', 'content-type', 'link'])
    assert.equal(answer.values(name).length, 1, name)
  assert.equal(answer.body, 'body')
})

test('a redirect, a HEAD and a conditional answer keep what belongs to them', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/moved') response.writeHead(307, { Location: '/elsewhere' }).end()
    else if (request.url === '/same') response.writeHead(304, { ETag: '"x"', 'Content-Length': '4' }).end()
    else response.writeHead(200, { 'Content-Length': '4' }).end(request.method === 'HEAD' ? '' : 'four')
  })
  const running = await gatewayFor(context, { upstream })
  const moved = await ask(running, '/moved')
  assert.deepEqual([moved.status, moved.header('location')], [307, '/elsewhere'])
  const head = await ask(running, '/', { method: 'HEAD' })
  assert.deepEqual([head.status, head.header('content-length'), head.body], [200, '4', ''])
  const same = await ask(running, '/same')
  assert.deepEqual([same.status, same.header('etag'), same.body], [304, '"x"', ''])
  assert.deepEqual(running.events, [])
})

test('pipelined requests reach the upstream one after the other, and none behind the last', async (context) => {
  const seen: string[] = []
  let open = 0
  const upstream = await upstreamFor(context, (request, response) => {
    seen.push(`${request.url} ${++open}`)
    setImmediate(() => {
      open--
      response.end('x')
    })
  })
  const { port } = await gatewayFor(context, { upstream })
  const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`
  const text = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let all = ''
    socket.on('data', (chunk) => {
      all += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(all))
    socket.write(get('/1') + get('/2') + get('/3', 'Connection: close\r\n') + get('/4'))
  })
  assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 3)
  assert.deepEqual(seen, ['/1 1', '/2 1', '/3 1'])
})

test('a caller who pipelines without end is hung up on', async (context) => {
  const upstream = await upstreamFor(context, () => {})
  const { port } = await gatewayFor(context, { upstream })
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'.repeat(1_000))
  await closed
})
