// A client that takes its answer by single bytes: it is let go, what it held behind the gateway is free again, and others
// are served meanwhile.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { ask, gatewayFor, HERE, IN_FRONT, type Running, upstreamFor } from './harness.ts'

const GET = 'GET /large HTTP/1.1\r\nHost: sallyport.localhost\r\n\r\n'
// More than the buffers of both kernels hold.
const PIECE = Buffer.alloc(1_048_576, 'x')
const PIECES = 64

/** Takes one byte now and then. */
async function dripping(context: TestContext, { port, ca }: Running): Promise<Socket> {
  const socket =
    ca === '' ? connect(port, '127.0.0.1') : tlsConnect({ port, ca, servername: 'sallyport.localhost' })
  socket.on('error', () => {})
  await once(socket, ca === '' ? 'connect' : 'secureConnect')
  socket.write(GET)
  await once(socket, 'readable')
  const drip = setInterval(() => socket.read(1), 20)
  context.after(() => {
    clearInterval(drip)
    socket.destroy()
  })
  return socket
}

for (const [where, policy] of [
  ['plain', IN_FRONT],
  ['encrypted', HERE],
] as const)
  test(`a client that reads byte by byte is ended on a connection that is ${where}, and others are served`, async (context) => {
    const slow = Promise.withResolvers<ServerResponse>()
    const upstream = await upstreamFor(context, (request, response) => {
      if (request.url !== '/large') return response.end('at once')
      slow.resolve(response)
      let sent = 0
      const fill = () => {
        while (sent < PIECES && !response.destroyed) {
          sent++
          if (!response.write(PIECE)) return
        }
        response.end()
      }
      response.on('drain', fill)
      return fill()
    })
    const running = await gatewayFor(context, {
      policy,
      upstream,
      reading: { startMs: 200, bytesPerSecond: 16_777_216 },
    })
    await dripping(context, running)
    let isOver = false
    const behind = await slow.promise
    const over = once(behind, 'close').then(() => {
      isOver = true
    })
    do assert.equal((await ask(running, '/')).body, 'at once')
    while (!isOver)
    await over
    assert.equal(behind.writableFinished, false)
    assert.equal((await ask(running, '/')).body, 'at once')
  })
