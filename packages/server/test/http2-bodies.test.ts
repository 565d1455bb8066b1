// Bodies over HTTP/2: limits, back-pressure and cancellation, each the matter of one stream and of no other on its
// connection.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { gatewayFor, HERE, upstreamFor } from './harness.ts'
import { answerOf, askHttp2, begin, openHttp2 } from './http2-client.ts'

const MB = 1_048_576

test('a body of no declared length over the limit is 413, and the rest of the connection goes on', async (context) => {
  const taken: string[] = []
  const upstream = await upstreamFor(context, (request, response) => {
    request.on('data', () => {})
    request.on('end', () => {
      taken.push(request.url!)
      response.end('whole')
    })
  })
  const running = await gatewayFor(context, {
    policy: { ...HERE, request: { maxBodyBytes: 100_000 } },
    upstream,
  })
  const session = await openHttp2(context, running)
  const within = await askHttp2(session, '/within', { method: 'POST', body: Buffer.alloc(100_000) })
  assert.deepEqual([within.status, within.body], [200, 'whole'])
  const over = begin(session, '/over', { method: 'POST' })
  over.write(Buffer.alloc(60_000))
  over.write(Buffer.alloc(60_000))
  const answer = await answerOf(over)
  assert.equal(answer.status, 413)
  assert.equal(answer.values('x-frame-options').length, 1)
  assert.equal((await askHttp2(session, '/after')).status, 200)
  assert.deepEqual(taken, ['/within', '/after'])
})

test('a client that leaves in the middle of an upload leaves no whole request behind', async (context) => {
  const ends: string[] = []
  const gone = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const upstream = await upstreamFor(context, (request) => {
    request.once('data', () => begun.resolve())
    request.on('end', () => ends.push(request.url!))
    request.on('close', gone.resolve)
    request.on('error', () => {})
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const stream = begin(session, '/', { method: 'POST' })
  // More than what is held before an upstream is asked.
  stream.write(Buffer.alloc(200_000))
  await begun.promise
  // Node's own `close` would end the request first.
  stream.destroy(new Error('left'))
  await gone.promise
  assert.deepEqual(ends, [])
})

test('a client that cancels frees the upstream at once, and its other requests go on', async (context) => {
  const gone = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url !== '/endless') return void response.end('other')
    response.on('close', gone.resolve)
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: 1\n\n')
    begun.resolve()
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const stream = begin(session, '/endless')
  stream.end()
  await once(stream, 'data')
  await begun.promise
  stream.close(8)
  await gone.promise
  assert.equal((await askHttp2(session, '/')).body, 'other')
  assert.deepEqual(running.events, [])
})

/** Resolves when a number has not grown for a while: what pushes it is being held back. */
async function settled(read: () => number): Promise<number> {
  for (let before = -1, still = 0; ; ) {
    const now = read()
    still = now === before ? still + 1 : 0
    if (still === 20) return now
    before = now
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('a stream that is not read holds its upstream back, and no other stream of the connection', async (context) => {
  const total = 50 * MB
  let sent = 0
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/small') return void response.end('small')
    const block = Buffer.alloc(65_536)
    const write = (): void => {
      while (sent < total) {
        sent += block.length
        if (!response.write(block)) return void response.once('drain', write)
      }
      response.end()
    }
    write()
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  session.setLocalWindowSize(4 * MB)
  const stream = begin(session, '/large')
  stream.end()
  await once(stream, 'response')
  stream.pause()
  assert.ok((await settled(() => sent)) < 32 * MB, `the upstream sent ${sent / MB} MB`)
  assert.equal((await askHttp2(session, '/small')).body, 'small')
  let received = 0
  for await (const chunk of stream) received += (chunk as Buffer).length
  assert.equal(received, total)
})

test('an upstream that does not read holds one upload back, and no other stream of the connection', async (context) => {
  const total = 20 * MB
  const held = Promise.withResolvers<() => void>()
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url === '/small') return void response.end('small')
    let received = 0
    held.resolve(() => {
      request.on('data', (chunk: Buffer) => {
        received += chunk.length
      })
      request.on('end', () => response.end(String(received)))
    })
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const stream = begin(session, '/large', { method: 'PUT' })
  let sent = 0
  const block = Buffer.alloc(65_536)
  const write = (): void => {
    while (sent < total) {
      sent += block.length
      if (!stream.write(block)) return void stream.once('drain', write)
    }
    stream.end()
  }
  write()
  const readOn = await held.promise
  assert.ok((await settled(() => sent)) < 16 * MB, `the client sent ${sent / MB} MB`)
  assert.equal((await askHttp2(session, '/small')).body, 'small')
  readOn()
  assert.equal((await answerOf(stream)).body, String(total))
})

test('an early answer ends a request that goes on, and its connection stays', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    request.resume()
    response.end('early')
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  const session = await openHttp2(context, running)
  const stream = begin(session, '/', { method: 'POST' })
  stream.write(Buffer.alloc(70_000))
  // The client never ends its request: the gateway ends the stream, without an error.
  const answer = await answerOf(stream)
  assert.deepEqual([answer.status, answer.body, answer.resetCode], [200, 'early', 0])
  assert.equal((await askHttp2(session, '/')).status, 200)
})
