// Upstreams that answer what no server should: the client gets a problem or a cut connection, never a clean answer
// that is wrong, and the gateway lives.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSampleUpstream } from '../src/index.ts'
import { FAULTS } from '../src/sample/faults.ts'
import { ask, gatewayFor, rawExchange, upstreamFor } from './harness.ts'

type Expected =
  /** A problem of this status. */
  | { readonly problem: 500 | 502 | 504 }
  /** An answer that is passed on as it is. */
  | { readonly status: number; readonly body: string }
  /** A head, part of a body, and then an end that can't be taken for the end of the body. */
  | { readonly cutAfter: string }

const EXPECTED: Readonly<Record<keyof typeof FAULTS, Expected>> = {
  'status-099': { problem: 502 },
  'status-600': { problem: 502 },
  'status-999': { problem: 502 },
  'status-000': { problem: 502 },
  'status-four-digits': { problem: 502 },
  'status-letters': { problem: 502 },
  'not-http': { problem: 502 },
  'http-0.9': { problem: 502 },
  // undici's parser does not tell the version; the framing is that of HTTP/1.1.
  'version-2.0': { status: 200, body: 'hi' },
  'huge-head': { problem: 502 },
  'many-headers': { problem: 502 },
  'endless-informational': { problem: 502 },
  'informational-then-ok': { status: 200, body: 'hi' },
  'switching-protocols': { problem: 502 },
  'length-too-long': { cutAfter: 'short' },
  'length-too-short': { status: 200, body: 'hi' },
  'length-twice': { problem: 502 },
  'length-negative': { problem: 502 },
  'length-hex': { problem: 502 },
  'length-list': { problem: 502 },
  'length-and-chunked': { problem: 502 },
  'chunked-tab': { problem: 502 },
  'chunked-gzip': { problem: 502 },
  'coding-unknown': { problem: 502 },
  'chunk-size-wrong': { problem: 502 },
  'chunk-cut': { cutAfter: 'hel' },
  'chunked-trailers': { status: 200, body: 'hi' },
  'closed-at-once': { problem: 502 },
  'reset-at-once': { problem: 502 },
  'half-a-head': { problem: 502 },
  'reset-in-body': { cutAfter: 'hello' },
  'reset-in-closed-body': { cutAfter: 'hello' },
  'folded-header': { problem: 502 },
  'nul-in-value': { problem: 502 },
  'bare-cr-in-value': { problem: 502 },
  'bare-lf': { problem: 502 },
  'space-in-name': { problem: 502 },
  'space-before-colon': { problem: 502 },
  'latin1-value': { status: 200, body: 'hi' },
  'no-content-with-body': { status: 204, body: '' },
  'not-modified-with-body': { status: 304, body: '' },
  silent: { problem: 504 },
  'silent-in-body': { cutAfter: 'hello' },
  'error-endless': { problem: 500 },
  'connection-nominates': { status: 200, body: 'hi' },
}

test('every fault of the sample has its expected end', () => {
  assert.deepEqual(Object.keys(EXPECTED).sort(), Object.keys(FAULTS).sort())
})

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`an upstream that answers ${name}: ${JSON.stringify(expected)}`, async (context) => {
    const sample = await startSampleUpstream({ port: 0 })
    context.after(() => sample.close())
    const limits = { headMs: 300, bodyIdleMs: 300 }
    const running = await gatewayFor(context, { upstream: sample.url, limits })
    const { text, ending } = await rawExchange(
      running.port,
      `GET /faults/${name} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`,
    )
    const [head, body] = parts(text)
    assert.doesNotMatch(text, /INJECTED|X-Admin|x-internal/i)
    assert.match(head, /^x-content-type-options: nosniff$/im)
    if ('problem' in expected) {
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${expected.problem} `))
      assert.equal(JSON.parse(body).status, expected.problem)
      assert.equal(ending, 'end')
    } else if ('cutAfter' in expected) {
      assert.match(head, /^HTTP\/1\.1 200 /)
      assert.equal(unchunked(head, body), expected.cutAfter)
      assert.equal(isWhole(head, body), false, 'the part must not look like the whole')
      assert.equal(ending, 'reset')
      assert.equal(running.events.length, 1)
    } else {
      assert.match(head, new RegExp(`^HTTP/1\\.1 ${expected.status} `))
      assert.equal(unchunked(head, body), expected.body)
      assert.equal(ending, 'end')
      assert.deepEqual(running.events, [])
    }
    // And the next request, whose connection must not be the one that was left dirty.
    const next = await ask(running, '/v1/products')
    assert.equal(next.status, 200)
    assert.match(next.body, /Tide table/)
  })
}

test('an HTTP/1.0 client, whose bodies end by closing, sees a cut body as an error', async (context) => {
  const sample = await startSampleUpstream({ port: 0 })
  context.after(() => sample.close())
  const running = await gatewayFor(context, { upstream: sample.url })
  const request = 'GET /faults/chunk-cut HTTP/1.0\r\nHost: a.example\r\n\r\n'
  const { text, ending } = await rawExchange(running.port, request)
  assert.match(text, /hel$/)
  assert.equal(ending, 'reset')
})

test('an upstream that is not there is a 502, and one that never connects a 504', async (context) => {
  const gone = await startSampleUpstream({ port: 0 })
  await gone.close()
  const running = await gatewayFor(context, { upstream: gone.url })
  const answer = await ask(running, '/v1/account', { method: 'POST', body: 'x'.repeat(1_000) })
  assert.equal(answer.status, 502)
  assert.deepEqual(answer.values('cache-control'), ['no-store, private'])
  assert.equal(running.events[0]!.reason, 'ECONNREFUSED')
  // TEST-NET-1 (RFC 5737) is never routed: either the system says so at once, or the connection times out.
  const nowhere = await gatewayFor(context, { upstream: 'http://192.0.2.1:9', limits: { connectMs: 200 } })
  assert.ok([502, 504].includes((await ask(nowhere, '/')).status))
})

test('a request is sent once, however its connection ends', async (context) => {
  const seen: string[] = []
  const upstream = await upstreamFor(context, (request, response) => {
    seen.push(request.method!)
    if (seen.length === 1) response.end('first, to leave a connection that is kept')
    else request.socket.destroy()
  })
  const running = await gatewayFor(context, { upstream })
  assert.equal((await ask(running, '/')).status, 200)
  assert.equal((await ask(running, '/', { method: 'POST', body: 'pay' })).status, 502)
  assert.equal((await ask(running, '/', { method: 'GET' })).status, 502)
  assert.deepEqual(seen, ['GET', 'POST', 'GET'])
})

function parts(text: string): [head: string, body: string] {
  const end = text.indexOf('\r\n\r\n')
  return [text.slice(0, end), text.slice(end + 4)]
}

function isChunked(head: string): boolean {
  return /^transfer-encoding: chunked$/im.test(head)
}

function unchunked(head: string, body: string): string {
  return isChunked(head) ? body.replace(/^[0-9a-f]+\r\n/gim, '').replaceAll('\r\n', '') : body
}

function isWhole(head: string, body: string): boolean {
  if (isChunked(head)) return body.endsWith('0\r\n\r\n')
  const length = /^content-length: (\d+)$/im.exec(head)
  return length !== null && body.length === Number(length[1])
}
