// The end of HTTP/2 connections: a drain tells clients and lets requests end; limits hold from the first frame on.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { test } from 'node:test'
import { gatewayFor, HERE, upstreamFor } from './harness.ts'
import { askHttp2, openHttp2 } from './http2-client.ts'

test('closing: clients are told, what is under way ends whole, and the connection with it', async (context) => {
  const waiting: ServerResponse[] = []
  const arrived = Promise.withResolvers<void>()
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/begun') response.write('first ')
    waiting.push(response)
    if (waiting.length === 2) arrived.resolve()
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const idle = await openHttp2(context, running)
  const goaway = once(session, 'goaway')
  const ended = [once(session, 'close'), once(idle, 'close')]
  const answers = [askHttp2(session, '/begun'), askHttp2(session, '/silent')]
  await arrived.promise
  const closed = running.gateway.close({ graceMs: 60_000 })
  const [code] = await goaway
  assert.equal(code, 0)
  for (const response of waiting) response.end('last')
  assert.deepEqual((await Promise.all(answers)).map(({ body, resetCode }) => [body, resetCode]).sort(), [
    ['first last', 0],
    ['last', 0],
  ])
  await Promise.all(ended)
  assert.deepEqual(await closed, { brokenOff: 0 })
})

test('closing: what does not end in the grace is broken off, and never looks whole', async (context) => {
  const arrived = Promise.withResolvers<void>()
  const upstream = await upstreamFor(context, (_request, response) => {
    response.write('begun')
    arrived.resolve()
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const answer = askHttp2(session, '/')
  await arrived.promise
  assert.deepEqual(await running.gateway.close({ graceMs: 50 }), { brokenOff: 1 })
  assert.notEqual((await answer).resetCode, 0)
})

test('a connection says its limits, and streams over them are refused while the others go on', async (context) => {
  const waiting: ServerResponse[] = []
  const full = Promise.withResolvers<void>()
  const upstream = await upstreamFor(context, (_request, response) => {
    if (waiting.push(response) === 128) full.resolve()
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = connectHttp2(`https://127.0.0.1:${running.port}`, {
    ca: running.ca,
    servername: 'sallyport.localhost',
    peerMaxConcurrentStreams: 1_000,
  })
  context.after(() => session.destroy())
  session.on('error', () => {})
  // Sent before the settings are here, as a client may that does not care.
  const early = Array.from({ length: 140 }, () => askHttp2(session, '/'))
  await full.promise
  const { maxConcurrentStreams, maxHeaderListSize, enablePush, initialWindowSize, enableConnectProtocol } =
    session.remoteSettings
  assert.deepEqual([maxConcurrentStreams, maxHeaderListSize, initialWindowSize], [128, 16_384, 65_535])
  assert.deepEqual([enablePush, enableConnectProtocol], [false, false])
  for (const response of waiting) response.end('x')
  upstreamAnswersOn(waiting)
  const answers = await Promise.all(early)
  assert.ok(answers.filter(({ status }) => status === 200).length >= 128)
  assert.equal(waiting.length <= 140, true)
})

// What comes after the first 128 is answered as it comes.
function upstreamAnswersOn(waiting: ServerResponse[]): void {
  waiting.push = (...responses) => {
    for (const response of responses) response.end('x')
    return 0
  }
}
