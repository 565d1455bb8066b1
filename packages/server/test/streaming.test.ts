// Bodies of any size pass in little memory, each side waits for the other, and the end of one is the end of both.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  type AddressInfo,
  createServer as createNetServer,
  connect as netConnect,
  type Socket,
} from 'node:net'
import { type TestContext, test } from 'node:test'
import { ask, gatewayFor, upstreamFor } from './harness.ts'

const MB = 1_048_576
const BLOCK = Buffer.alloc(65_536, 'sallyport ')

/** Writes so many bytes, waiting where the other side does; returns a count that grows as it goes. */
function pour(target: NodeJS.WritableStream, bytes: number): { sent: number } {
  const progress = { sent: 0 }
  const write = (): void => {
    while (progress.sent < bytes) {
      progress.sent += BLOCK.length
      if (!target.write(BLOCK)) return void target.once('drain', write)
    }
    target.end()
  }
  write()
  return progress
}

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

/** A gateway in its own process: its port, and by how many bytes its memory has grown at most. */
async function measuredGateway(
  context: TestContext,
  upstream: string,
): Promise<{ port: number; growth(): Promise<number> }> {
  const child = fork(new URL('gateway-process.ts', import.meta.url), [upstream])
  context.after(() => child.kill())
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return {
    port,
    async growth() {
      child.send('memory')
      const [{ growth }] = (await once(child, 'message')) as [{ growth: number }]
      return growth
    },
  }
}

function get(port: number, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, resolve).on('error', reject).end()
  })
}

test('200 MB pass to a client in bounded memory', async (context) => {
  const total = 200 * MB
  const upstream = await upstreamFor(context, (_request, response) => {
    response.setHeader('Content-Length', total)
    pour(response, total)
  })
  const { port, growth } = await measuredGateway(context, upstream)
  const response = await get(port, '/')
  let received = 0
  for await (const chunk of response) received += (chunk as Buffer).length
  const bytes = await growth()
  assert.equal(received, total)
  assert.equal(response.headers['content-length'], String(total))
  assert.ok(bytes < 120 * MB, `grew by ${bytes / MB} MB`)
})

test('200 MB pass to an upstream in bounded memory', async (context) => {
  const total = 200 * MB
  const upstream = await upstreamFor(context, (request, response) => {
    let received = 0
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    request.on('end', () => response.end(String(received)))
  })
  const { port, growth } = await measuredGateway(context, upstream)
  const headers = { 'Content-Length': String(total) }
  const request = httpRequest({ host: '127.0.0.1', port, method: 'PUT', path: '/', headers, agent: false })
  pour(request, total)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response) body += chunk
  const bytes = await growth()
  assert.equal(body, String(total))
  assert.ok(bytes < 120 * MB, `grew by ${bytes / MB} MB`)
})

test('a client that does not read holds the upstream back, and gets everything when it reads on', async (context) => {
  const total = 100 * MB
  let progress = { sent: 0 }
  const upstream = await upstreamFor(context, (_request, response) => {
    progress = pour(response, total)
  })
  const { port } = await gatewayFor(context, { upstream })
  const response = await get(port, '/')
  assert.ok((await settled(() => progress.sent)) < 32 * MB, `the upstream sent ${progress.sent / MB} MB`)
  let received = 0
  for await (const chunk of response) received += (chunk as Buffer).length
  assert.equal(received, total)
})

test('an upstream that does not read holds the client back', async (context) => {
  let arrived: IncomingMessage | undefined
  const upstream = await upstreamFor(context, (request, response) => {
    arrived = request
    request.on('end', () => response.end('all'))
  })
  const policy = { extends: 'api', request: { mode: 'off' } } as const
  const { port } = await gatewayFor(context, { upstream, policy })
  const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/', agent: false })
  const progress = pour(request, 100 * MB)
  assert.ok((await settled(() => progress.sent)) < 32 * MB, `the client sent ${progress.sent / MB} MB`)
  arrived!.resume()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 200)
  response.resume()
  await once(response, 'end')
  assert.equal(progress.sent, 100 * MB)
})

test('a body keeps its framing and every byte of it', async (context) => {
  const upstream = await upstreamFor(context, async (request, response) => {
    const hash = createHash('sha256')
    for await (const chunk of request) hash.update(chunk as Buffer)
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    response.end(JSON.stringify({ hash: hash.digest('hex'), length, coding }))
  })
  const { port } = await gatewayFor(context, { upstream })
  const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256))
  const hash = createHash('sha256').update(body).digest('hex')
  for (const [headers, expected] of [
    [{ 'Content-Length': String(body.length) }, { hash, length: String(body.length) }],
    [{ 'Transfer-Encoding': 'chunked' }, { hash, coding: 'chunked' }],
  ] as const) {
    const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/', headers, agent: false })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) text += chunk
    assert.deepEqual(JSON.parse(text), expected)
  }
})

test('a client that goes away takes its request off the upstream', async (context) => {
  for (const moment of ['before the head', 'in the answer', 'in the request'] as const) {
    const gone = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const upstream = await upstreamFor(context, (request, response) => {
      request.socket.once('close', () => gone.resolve())
      request.on('data', () => {})
      if (moment === 'in the answer') pour(response, 100 * MB)
      reached.resolve()
    })
    const { port, events } = await gatewayFor(context, { upstream })
    const client = netConnect(port, '127.0.0.1')
    // Of a body the upstream hears nothing before the first 64 KB are here.
    const body = moment === 'in the request' ? `Content-Length: 100000\r\n\r\n${'x'.repeat(70_000)}` : '\r\n'
    client.write(`${body === '\r\n' ? 'GET' : 'POST'} / HTTP/1.1\r\nHost: a.example\r\n${body}`)
    await reached.promise
    client.destroy()
    await gone.promise
    assert.deepEqual(events, [], 'it is no failure of the upstream')
  }
})

test('an upstream that answers before it has read is heard', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => {
    response.writeHead(413, { 'Content-Type': 'application/json' })
    response.end('{"error":"too large"}')
  })
  const { port, events } = await gatewayFor(context, { upstream })
  const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: '/', agent: false })
  request.write(BLOCK)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 413)
  request.destroy()
  assert.deepEqual(events, [])
})

test('events of an upstream pass one by one, without a length of time that ends them', async (context) => {
  let stream: ServerResponse | undefined
  const upstream = await upstreamFor(context, (_request, response) => {
    response.setHeader('Content-Type', 'text/event-stream')
    response.flushHeaders()
    stream = response
  })
  const { port } = await gatewayFor(context, { upstream, limits: { bodyIdleMs: 20 } })
  const response = await get(port, '/v1/events')
  assert.equal(response.headers['content-type'], 'text/event-stream')
  response.setEncoding('utf8')
  for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
    // Several times the longest silence that any other body is allowed.
    await new Promise((resolve) => setTimeout(resolve, 100))
    stream!.write(text)
    const [chunk] = await once(response, 'data')
    assert.equal(chunk, text)
  }
  response.destroy()
})

test('a reader that stalls in a stream is cut off, and its upstream is free', async (context) => {
  const gone = Promise.withResolvers<void>()
  const upstream = await upstreamFor(context, (request, response) => {
    response.setHeader('Content-Type', 'text/event-stream')
    request.socket.once('close', () => gone.resolve())
    pour(response, 100 * MB)
  })
  const { port, events } = await gatewayFor(context, { upstream, limits: { bodyIdleMs: 100 } })
  const client = netConnect(port, '127.0.0.1')
  client.on('error', () => {})
  client.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
  client.pause()
  await gone.promise
  assert.equal(events[0]!.reason, 'ERR_CLIENT_STALLED')
  client.destroy()
})

test('a reset of the upstream while its reader is slow ends that one request and nothing else', async (context) => {
  // Delimited by closing, and larger than what the sockets hold: the answer is paused when the reset comes.
  const connections: Socket[] = []
  const server = createNetServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.write(Buffer.alloc(40 * MB))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { port } = await gatewayFor(context, { upstream })
  for (let round = 0; round < 5; round++) {
    const client = netConnect(port, '127.0.0.1')
    const ended = new Promise<string>((resolve) => {
      client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
      client.on('end', () => resolve('end'))
    })
    client.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    await once(client, 'readable')
    await settled(() => connections[round]!.bytesWritten - connections[round]!.writableLength)
    connections[round]!.resetAndDestroy()
    client.resume()
    assert.equal(await ended, 'ECONNRESET')
  }
})

test('uploads that crawl are refused, those that move are not', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    request.resume()
    request.on('end', () => response.end('whole'))
  })
  const limits = { uploadStartMs: 100, uploadBytesPerSecond: 1_000 }
  const running = await gatewayFor(context, { upstream, limits })
  const slow = httpRequest({ host: '127.0.0.1', port: running.port, method: 'POST', path: '/', agent: false })
  slow.on('error', () => {})
  slow.write('a')
  const [response] = (await once(slow, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 408)
  slow.destroy()
  assert.equal(running.events[0]!.reason, 'ERR_UPLOAD_SLOW')
  assert.equal((await ask(running, '/', { method: 'POST', body: 'quick' })).body, 'whole')
})

test('a body that grows over its limit is refused on the way, and the upstream never sees it whole', async (context) => {
  const seen = Promise.withResolvers<{ bytes: number; isWhole: boolean }>()
  const upstream = await upstreamFor(context, (request) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('error', () => {})
    request.on('close', () => seen.resolve({ bytes, isWhole: request.complete }))
  })
  const policy = { extends: 'api', request: { maxBodyBytes: 200_000 } } as const
  const running = await gatewayFor(context, { upstream, policy })
  const request = httpRequest({
    host: '127.0.0.1',
    port: running.port,
    method: 'POST',
    path: '/',
    agent: false,
  })
  request.on('error', () => {})
  pour(request, MB)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 413)
  const { bytes, isWhole } = await seen.promise
  assert.ok(bytes <= 200_000, `${bytes} bytes`)
  assert.equal(isWhole, false)
  assert.deepEqual(running.events, [], 'it is no failure of the upstream')
})

test("an error's body that nobody will see is not read to its end", async (context) => {
  const gone = Promise.withResolvers<number>()
  const upstream = await upstreamFor(context, (request, response) => {
    response.statusCode = 500
    const progress = pour(response, 1_000 * MB)
    request.socket.once('close', () => gone.resolve(progress.sent))
  })
  const running = await gatewayFor(context, { upstream })
  assert.equal(JSON.parse((await ask(running, '/')).body).code, 'internal')
  assert.ok((await gone.promise) < 100 * MB)
})
