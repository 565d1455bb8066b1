// Closing: requests under way end, new ones are not taken, and what does not end in time is broken off.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ask, gatewayFor, HERE, upstreamFor } from './harness.ts'

test('requests under way end, their connections with them, and new ones find nobody', async (context) => {
  const waiting = Promise.withResolvers<ServerResponse>()
  const upstream = await upstreamFor(context, (_request, response) => waiting.resolve(response))
  const { gateway, port } = await gatewayFor(context, { upstream })
  const agent = new Agent({ keepAlive: true })
  context.after(() => agent.destroy())
  const request = httpRequest({ host: '127.0.0.1', port, path: '/', agent }).end()
  const held = await waiting.promise
  const closed = gateway.close({ graceMs: 60_000 })
  const refused = connect(port, '127.0.0.1')
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
  held.end('in time')
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(response.headers.connection, 'close')
  let body = ''
  for await (const chunk of response) body += chunk
  assert.equal(body, 'in time')
  assert.deepEqual(await closed, { brokenOff: 0 })
})

test('an answer that began before the drain ends whole, and its kept connection does not hold the gateway', async (context) => {
  const waiting = Promise.withResolvers<ServerResponse>()
  const upstream = await upstreamFor(context, (_request, response) => {
    response.write('first ')
    waiting.resolve(response)
  })
  const { gateway, port } = await gatewayFor(context, { upstream })
  const agent = new Agent({ keepAlive: true })
  context.after(() => agent.destroy())
  const request = httpRequest({ host: '127.0.0.1', port, path: '/', agent }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const closed = gateway.close({ graceMs: 60_000 })
  ;(await waiting.promise).end('last')
  let body = ''
  for await (const chunk of response) body += chunk
  assert.equal(body, 'first last')
  assert.deepEqual(await closed, { brokenOff: 0 })
})

test('what does not end in the grace is broken off, and never looks whole', async (context) => {
  const arrived = Promise.withResolvers<void>()
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/begun') response.write('begun')
    else arrived.resolve()
  })
  const { gateway, port } = await gatewayFor(context, { upstream })
  const begun = httpRequest({ host: '127.0.0.1', port, path: '/begun', agent: false }).end()
  const [response] = (await once(begun, 'response')) as [IncomingMessage]
  begun.on('error', () => {})
  const silent = httpRequest({ host: '127.0.0.1', port, path: '/silent', agent: false }).end()
  silent.on('error', () => {})
  await arrived.promise
  const broken = assert.rejects(async () => {
    for await (const chunk of response) void chunk
  }, /aborted/)
  assert.deepEqual(await gateway.close({ graceMs: 50 }), { brokenOff: 2 })
  await broken
})

test('connections that never said anything do not hold a gateway that closes', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end())
  const running = await gatewayFor(context, { upstream, policy: HERE })
  const silent = connect(running.port, '127.0.0.1')
  silent.on('error', () => {})
  await once(silent, 'connect')
  await ask(running, '/')
  const closed = once(silent, 'close')
  await running.gateway.close({ graceMs: 50 })
  await closed
})

test('readers of the status stream are let go at once, and closing twice is closing once', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end())
  const { gateway, port } = await gatewayFor(context, { upstream, status: true })
  const reader = httpRequest({ host: '127.0.0.1', port, path: '/v1/status/stream', agent: false }).end()
  const [stream] = (await once(reader, 'response')) as [IncomingMessage]
  stream.resume()
  const ended = once(stream, 'end')
  const closing = gateway.close({ graceMs: 60_000 })
  assert.equal(gateway.close({ graceMs: 0 }), closing)
  await ended
  await closing
})

test('a request that comes during the drain on a connection in use is the last of it', async (context) => {
  const begun = Promise.withResolvers<ServerResponse>()
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/second') response.end('second')
    else response.write('first', () => begun.resolve(response))
  })
  const { gateway, port } = await gatewayFor(context, { upstream })
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`
  const socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1')
  let text = ''
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  socket.write(get('/first'))
  await once(socket, 'data')
  const closed = gateway.close({ graceMs: 60_000 })
  socket.write(get('/second'))
  ;(await begun.promise).end()
  await once(socket, 'close')
  assert.match(text, /\r\nConnection: close\r\n[\s\S]*second/)
  assert.deepEqual(await closed, { brokenOff: 0 })
})
