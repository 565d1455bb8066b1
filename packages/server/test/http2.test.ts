// HTTP/2 in front of the gateway: every kind of answer carries what it carries on HTTP/1.1, bodies wait for each other,
// and what one stream does is the matter of that stream alone.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { promisify } from 'node:util'
import type { PolicyDocument } from 'sallyport'
import { startSampleUpstream } from '../src/index.ts'
import { FAULTS } from '../src/sample/faults.ts'
import { type Answer, ask, gatewayFor, HERE, type Running, upstreamFor } from './harness.ts'
import { answerOf, askHttp2, begin, openHttp2, type Question } from './http2-client.ts'

const curl = promisify(execFile)
const MB = 1_048_576

async function sampleGateway(context: TestContext, policy: PolicyDocument = HERE): Promise<Running> {
  const sample = await startSampleUpstream({ port: 0 })
  context.after(() => sample.close())
  return gatewayFor(context, { policy, upstream: sample.url, status: true })
}

// What belongs to one connection of HTTP/1.1, and what differs from answer to answer.
const OF_ITS_OWN = /^(?:connection|keep-alive|transfer-encoding|date|x-request-id)$/

function linesOf({ rawHeaders }: Answer): string[] {
  const lines: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (!OF_ITS_OWN.test(name)) lines.push(`${name}: ${rawHeaders[i + 1]}`)
  }
  return lines.sort()
}

// Numbers of requests so far, and ids of requests.
const bodyOf = ({ body }: Answer) =>
  body.replace(/"requestId":"[0-9a-f]+"|"total":\d+|"failed":\d+|"refused":\d+/g, '')

const ORIGIN = { origin: 'https://elsewhere.example' }
const PREFLIGHT = { ...ORIGIN, 'access-control-request-method': 'PUT' }

const KINDS: readonly (readonly [kind: string, path: string, status: number, question?: Question])[] = [
  ['200 of the upstream', '/v1/products', 200],
  ['HEAD', '/v1/products', 200, { method: 'HEAD' }],
  ['HEAD of nothing', '/nowhere', 404, { method: 'HEAD' }],
  ['302 of the upstream', '/old', 302],
  ['404 of the upstream', '/nowhere', 404],
  ['500 of the upstream', '/v1/orders', 500],
  ['private path', '/v1/account', 200],
  ['another origin', '/v1/products', 200, { headers: ORIGIN }],
  ['preflight', '/v1/products', 204, { method: 'OPTIONS', headers: PREFLIGHT }],
  ['OPTIONS of the gateway', '/v1/status', 204, { method: 'OPTIONS' }],
  ['status report', '/v1/status', 200],
  ['405 of the gateway', '/v1/status', 405, { method: 'DELETE' }],
  ['path that is not canonical', '/v1//products', 400],
  ['dot segments', '/v1/%2e%2e/admin', 400],
  ['unknown method', '/', 501, { method: 'PROPFIND' }],
  ['TRACE', '/', 405, { method: 'TRACE' }],
  ['target too long', `/${'a'.repeat(8_200)}`, 414],
  ['too many header lines', '/', 431, { headers: { 'x-many': Array.from({ length: 200 }, () => 'a') } }],
  ['unknown expectation', '/', 417, { headers: { expect: 'tea' } }],
  ['two origins', '/', 400, { headers: { origin: ['https://a.example', 'https://b.example'] as never } }],
  [
    'body over the limit',
    '/',
    413,
    { method: 'POST', headers: { 'content-length': '40' }, body: 'x'.repeat(40) },
  ],
  ['the upstream gone', '/faults/closed-at-once', 502],
]

test('every kind of answer carries the same lines and the same body over HTTP/2 as over HTTP/1.1', async (context) => {
  const running = await sampleGateway(context, { ...HERE, request: { maxBodyBytes: 32 } })
  const session = await openHttp2(context, running)
  for (const [kind, path, status, question = {}] of KINDS) {
    const headers = { Host: 'api.example.com', ...question.headers } as Record<string, string | string[]>
    const first = await ask(running, path, { ...question, headers } as Parameters<typeof ask>[2])
    const second = await askHttp2(session, path, question)
    assert.equal(second.status, status, kind)
    assert.equal(first.status, status, `${kind} over HTTP/1.1`)
    assert.deepEqual(linesOf(second), linesOf(first), kind)
    assert.equal(bodyOf(second), bodyOf(first), kind)
    assert.equal(second.resetCode, 0, kind)
    assert.equal(second.values('strict-transport-security').length, 1, kind)
  }
})

test('every fault of an upstream is answered over HTTP/2 as over HTTP/1.1, and a part never looks whole', async (context) => {
  const sample = await startSampleUpstream({ port: 0 })
  context.after(() => sample.close())
  const limits = { headMs: 500, bodyIdleMs: 500 }
  const running = await gatewayFor(context, { policy: HERE, upstream: sample.url, limits })
  const session = await openHttp2(context, running)
  for (const fault of Object.keys(FAULTS)) {
    const path = `/faults/${fault}`
    const first = await ask(running, path).catch(() => undefined)
    const second = await askHttp2(session, path)
    if (first === undefined) assert.notEqual(second.resetCode, 0, fault)
    else {
      assert.deepEqual([second.status, second.resetCode], [first.status, 0], fault)
      assert.deepEqual(linesOf(second), linesOf(first), fault)
      assert.equal(bodyOf(second), bodyOf(first), fault)
    }
  }
})

test('304 and 204 have no body, and repeated fields stay apart', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/same') response.writeHead(304, { ETag: '"x"', 'Content-Length': '4' }).end()
    else if (request.url === '/none') response.writeHead(204).end()
    else
      response
        .writeHead(200, {
          'Set-Cookie': ['a=1', 'b=2'],
          Link: ['</a>', '</b>'],
          ETag: ['"x"', '"y"'],
          'X-B': 'Zo\xeb',
        })
        .end('x')
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const same = await askHttp2(session, '/same')
  assert.deepEqual([same.status, same.header('etag'), same.body], [304, '"x"', ''])
  const none = await askHttp2(session, '/none')
  assert.deepEqual([none.status, none.body, none.resetCode], [204, '', 0])
  const twice = await askHttp2(session, '/')
  assert.deepEqual(twice.values('set-cookie'), ['a=1', 'b=2'])
  assert.deepEqual(twice.values('link'), ['</a>', '</b>'])
  assert.deepEqual(twice.values('etag'), ['"x"', '"y"'])
  assert.deepEqual(twice.values('x-b'), ['Zo\xeb'])
})

test('ALPN chooses: HTTP/2 first, HTTP/1.1 for whoever knows nothing else, and HTTP/1.1 alone where the operator says so', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end('x'))
  const both = await gatewayFor(context, { policy: HERE, upstream })
  const one = await gatewayFor(context, { policy: HERE, upstream, http2: false })
  const chosen = async (running: Running, ALPNProtocols?: string[]) => {
    const socket = tlsConnect({
      port: running.port,
      ca: running.ca,
      servername: 'sallyport.localhost',
      ...(ALPNProtocols ? { ALPNProtocols } : {}),
    })
    await once(socket, 'secureConnect')
    socket.destroy()
    return socket.alpnProtocol
  }
  assert.equal(await chosen(both, ['h2', 'http/1.1']), 'h2')
  assert.equal(await chosen(both, ['http/1.1', 'h2']), 'h2')
  assert.equal(await chosen(both, ['http/1.1']), 'http/1.1')
  assert.equal(await chosen(both), false)
  assert.equal(await chosen(one, ['h2', 'http/1.1']), 'http/1.1')
  await assert.rejects(chosen(one, ['h2']), /alert|protocol/i)
})

test('curl speaks HTTP/2 to the gateway: answers, uploads, refusals', async (context) => {
  const upstream = await upstreamFor(context, async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += (chunk as Buffer).length
    response.end(`${request.method} ${request.headers['x-forwarded-host']} ${bytes}`)
  })
  const running = await gatewayFor(context, {
    policy: { ...HERE, request: { maxBodyBytes: 2 * MB } },
    upstream,
  })
  const base = ['-sS', '--http2', '--cacert', running.caFile, '--max-time', '20']
  const write = ['-w', '\n%{http_version} %{http_code}']
  const url = `https://127.0.0.1:${running.port}/x`
  const get = await curl('curl', [...base, ...write, url])
  assert.equal(get.stdout, `GET 127.0.0.1:${running.port} 0\n2 200`)
  const file = ['--data-binary', `@${process.execPath}`, '-H', 'Content-Type: application/octet-stream']
  const large = await curl('curl', [...base, ...write, ...file, url])
  assert.match(large.stdout, /"code":"body_too_large"\}?.*\n2 413$/s)
  const some = ['--data-binary', 'x'.repeat(100_000)]
  const post = await curl('curl', [...base, ...write, ...some, url])
  assert.match(post.stdout, / 100000\n2 200$/)
  const refused = await curl('curl', [...base, ...write, ...some, '--path-as-is', `${url}//y`])
  assert.match(refused.stdout, /"code":"path_not_canonical".*\n2 400$/s)
})

test('the upstream gets one Host, one Cookie, who called, and no pseudo-field', async (context) => {
  const upstream = await upstreamFor(context, (request, response) =>
    response.end(JSON.stringify(request.rawHeaders)),
  )
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const headers = {
    cookie: ['a=1', 'b=2; c=3', 'd=4'],
    'x-custom': ['one', 'two'],
    te: 'trailers',
    x_forwarded_for: '1.2.3.4',
  }
  const raw = JSON.parse((await askHttp2(session, '/?q', { headers })).body) as string[]
  const values = (name: string) =>
    raw.filter((_, index) => index % 2 === 1 && raw[index - 1]!.toLowerCase() === name)
  assert.deepEqual(values('cookie'), ['a=1; b=2; c=3; d=4'])
  assert.deepEqual(values('x-custom'), ['one', 'two'])
  assert.deepEqual(values('x-forwarded-host'), ['api.example.com'])
  assert.deepEqual(values('x-forwarded-for'), ['127.0.0.1'])
  assert.deepEqual(values('x-forwarded-proto'), ['https'])
  assert.equal(values('host').length, 1)
  assert.deepEqual([values('te'), values('x_forwarded_for'), values('transfer-encoding')], [[], [], []])
  assert.deepEqual(
    raw.filter((name) => name.startsWith(':')),
    [],
  )
})

test('D12 the cookies of a page that may only call without them do not reach the upstream over HTTP/2', async (context) => {
  const upstream = await upstreamFor(context, (request, response) =>
    response.end(JSON.stringify(request.headers)),
  )
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const from = { ...ORIGIN, cookie: ['session=1', 'b=2'] }
  const bearer = JSON.parse(
    (await askHttp2(session, '/', { headers: { ...from, authorization: 'Bearer a' } })).body,
  )
  assert.deepEqual([bearer.cookie, bearer.authorization], [undefined, 'Bearer a'])
  const basic = JSON.parse(
    (await askHttp2(session, '/', { headers: { ...from, authorization: 'Basic a' } })).body,
  )
  assert.deepEqual([basic.cookie, basic.authorization], [undefined, undefined])
})

test('Expect: 100-continue is answered when the request is admitted, and not before a refusal', async (context) => {
  const upstream = await upstreamFor(context, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.end(`${request.headers.expect} ${body}`)
  })
  const running = await gatewayFor(context, { policy: { ...HERE, request: { maxBodyBytes: 32 } }, upstream })
  const session = await openHttp2(context, running)
  const expecting = (length: number) =>
    begin(session, '/', { method: 'POST', headers: { expect: '100-continue', 'content-length': length } })
  const asked = expecting(4)
  await once(asked, 'continue')
  asked.end('body')
  assert.equal((await answerOf(asked)).body, 'undefined body')
  const refused = expecting(40)
  let continued = false
  refused.on('continue', () => {
    continued = true
  })
  assert.equal((await answerOf(refused)).status, 413)
  assert.equal(continued, false)
})

test('D10 the status stream is a real event stream over HTTP/2, seen at once', async (context) => {
  const running = await sampleGateway(context)
  const session = await openHttp2(context, running)
  const stream = begin(session, '/v1/status/stream')
  stream.end()
  const [headers] = (await once(stream, 'response')) as [Record<string, string>]
  assert.equal(headers['cache-control'], 'no-cache, no-transform')
  assert.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  let text = ''
  for await (const chunk of stream) {
    text += chunk
    if (/\ndata: \{"status":"ok",.*\}\n\n/.test(text)) break
  }
  assert.match(text, /^retry: 3000\n\nid: /)
})
