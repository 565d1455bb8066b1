// Neither side can end the process: answers and requests that are damaged at random, from a seed.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../sallyport/test/runs.ts'
import { ask, gatewayFor, HERE, IN_FRONT, upstreamFor } from './harness.ts'

const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=1\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nstack',
  'HTTP/1.0 302 Found\r\nLocation: /x\r\nConnection: close, X-Y\r\n\r\nmoved',
]
const REQUESTS = [
  'GET /v1/x?y=1 HTTP/1.1\r\nHost: a.example\r\nCookie: a=1\r\n\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello',
  'PUT /v1/x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\n\r\n',
]

/** A text with some of its bytes replaced, doubled or taken away, cut where it may be. */
const damaged = (texts: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(200), fc.constantFrom('put', 'drop', 'double', 'cut'), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([text, changes]) => {
      let bytes = [...Buffer.from(text, 'latin1')]
      for (const [place, kind, byte] of changes) {
        const at = place % (bytes.length + 1)
        if (kind === 'put') bytes[at] = byte
        else if (kind === 'drop') bytes.splice(at, 1)
        else if (kind === 'double') bytes.splice(at, 0, ...bytes.slice(at, at + (byte % 20)))
        else bytes = bytes.slice(0, Math.max(1, at))
      }
      return Buffer.from(bytes)
    })

// Writes bytes and waits until the other side has had enough, or says nothing for a moment.
async function offer(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('data', () => {})
  socket.end(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
}

test('an upstream that answers damaged bytes costs its own requests and nothing else', async (context) => {
  let bytes = Buffer.from(ANSWERS[0]!)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const running = await gatewayFor(context, { upstream, limits: { headMs: 500, bodyIdleMs: 500 } })
  await fc.assert(
    fc.asyncProperty(damaged(ANSWERS), async (answer) => {
      bytes = answer
      await ask(running, '/').catch((error: NodeJS.ErrnoException) => assert.equal(error.code, 'ECONNRESET'))
    }),
    runs(300),
  )
  bytes = Buffer.from(ANSWERS[0]!)
  assert.equal((await ask(running, '/')).body, 'hello')
})

test('callers that send damaged bytes cost their own connections and nothing else', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    request.resume()
    request.on('end', () => response.end('hello'))
  })
  for (const policy of [IN_FRONT, { ...IN_FRONT, request: { mode: 'off' } } as const]) {
    const running = await gatewayFor(context, { upstream, policy, status: true })
    await fc.assert(
      fc.asyncProperty(damaged(REQUESTS), (request) => offer(running.port, request)),
      runs(300),
    )
    assert.equal((await ask(running, '/')).body, 'hello')
  }
})

test('bytes that are no TLS are nothing to a TLS listener', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end('hello'))
  const running = await gatewayFor(context, { upstream, policy: HERE })
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged(REQUESTS), fc.uint8Array({ minLength: 1, maxLength: 200 })), (bytes) =>
      offer(running.port, Buffer.from(bytes)),
    ),
    runs(60),
  )
  assert.equal((await ask(running, '/')).body, 'hello')
})
