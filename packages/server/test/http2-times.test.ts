// How long an HTTP/2 connection may be of no use, whatever frames keep it busy; with times of the test's own.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { createGuard } from 'sallyport'
import { createHttp2Front, type Http2Front } from '../src/front/http2.ts'
import { HTTP2_TIMES, type Http2Times } from '../src/front/limits.ts'
import { localCertificate } from '../src/index.ts'
import { HERE, type Running, temporaryFolder } from './harness.ts'
import { pseudo } from './http2-cases/case.ts'
import { answerOf, askHttp2, begin, openHttp2 } from './http2-client.ts'
import { END_STREAM, frame, headers, type RawHttp2, rawHttp2, TYPE, word } from './http2-frames.ts'

interface Fronted extends Pick<Running, 'port' | 'ca'> {
  readonly front: Http2Front
}

async function frontFor(
  context: TestContext,
  times: Partial<Http2Times>,
  handle: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    response.end('x'),
): Promise<Fronted> {
  const { cert, key, ca } = await localCertificate({ folder: await temporaryFolder(context) })
  const front = createHttp2Front(createGuard(HERE, 'gateway'), handle, { ...HTTP2_TIMES, ...times })
  const server = createServer({ cert, key, ALPNProtocols: ['h2'] })
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket)
    front.accept(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    front.stop()
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { front, port: (server.address() as AddressInfo).port, ca }
}

/** Sends PING until the connection is closed: it is never idle on the wire. */
async function kept(connection: RawHttp2): Promise<void> {
  for (let sent = 1; !connection.seen.isClosed; sent++) {
    connection.send(frame(TYPE.ping, 0, 0, '12345678'))
    await connection.until(({ counts }) => (counts.get(TYPE.ping) ?? 0) >= sent)
  }
}

test('a connection without a request is closed, also in the middle of a head', async (context) => {
  const target = await frontFor(context, { firstRequestMs: 100 })
  const silent = await rawHttp2(target)
  const half = await rawHttp2(target)
  half.send(frame(TYPE.headers, END_STREAM, 1))
  const pinging = await rawHttp2(target)
  await Promise.all([silent.until(() => false), half.until(() => false), kept(pinging)])
})

test('a connection whose last answer is long out is closed, and PING is no reason to keep it', async (context) => {
  const target = await frontFor(context, { idleMs: 100 })
  const connection = await rawHttp2(target)
  connection.send(headers(1, pseudo()))
  await kept(connection)
  assert.deepEqual([connection.seen.statuses.get(1), connection.seen.goaway], [200, 0])
})

test('a connection with a request under way is not idle', async (context) => {
  const waiting = Promise.withResolvers<ServerResponse>()
  const target = await frontFor(context, { idleMs: 20, firstRequestMs: 150 }, (request, response) => {
    if (request.url === '/later') waiting.resolve(response)
    else response.end('x')
  })
  const session = await openHttp2(context, target)
  const later = askHttp2(session, '/later')
  const response = await waiting.promise
  // Another one is closed meanwhile by the same watch.
  let told = false
  session.on('goaway', () => {
    told = true
  })
  await (await rawHttp2(target)).until(() => false)
  assert.equal(told, false)
  response.end('late')
  assert.equal((await later).body, 'late')
})

test('a request without an end is ended when its answer is out', async (context) => {
  const target = await frontFor(context, { restMs: 40 }, (request, response) => {
    request.resume()
    response.end('x')
  })
  const session = await openHttp2(context, target)
  const stream = begin(session, '/', { method: 'POST' })
  stream.write('and so on')
  const answer = await answerOf(stream)
  assert.deepEqual([answer.body, answer.resetCode], ['x', 0])
  assert.equal((await askHttp2(session, '/')).status, 200)
})

test('an answer that nobody reads is given up', async (context) => {
  const target = await frontFor(context, { readMs: 100 }, (_request, response) =>
    response.end('x'.repeat(1_000)),
  )
  const connection = await rawHttp2(target)
  // RFC 9113, section 6.5.2: SETTINGS_INITIAL_WINDOW_SIZE of 0.
  connection.send(frame(TYPE.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), word(0)])))
  connection.send(headers(1, pseudo()))
  const { statuses, ended } = await connection.until(({ ended: over }) => over.has(1))
  assert.deepEqual([statuses.get(1), ended.get(1)], [200, 8])
  connection.socket.destroy()
})

test('whoever does not take our leave is hung up on, and who comes in a drain is told to go', async (context) => {
  const target = await frontFor(context, { closeMs: 100 })
  const connection = await rawHttp2(target)
  connection.send(headers(1, pseudo()))
  await connection.until(({ ended }) => ended.has(1))
  target.front.drain()
  const late = await rawHttp2(target)
  await Promise.all([kept(connection), kept(late)])
  assert.deepEqual([connection.seen.goaway, late.seen.goaway], [0, 0])
})
