// WebSockets through the gateway: opened only where the policy says so, from pages that may, and by a 101 that is one;
// everything else is an ordinary answer. Real clients and real bytes on both sides.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import type { PolicyDocument } from 'sallyport'
import { ask, gatewayFor, type Running, temporaryFolder } from './harness.ts'

const ORIGIN = 'https://app.example.com'

const POLICY: PolicyDocument = {
  extends: 'api',
  transport: { tls: 'in-front' },
  cors: { origins: [ORIGIN] },
  routes: {
    '/live/*': { request: { webSocket: true } },
    '/cookie/*': { credentials: 'cookie', request: { webSocket: true } },
  },
}
const HERE: PolicyDocument = { ...POLICY, transport: { tls: 'here' } }

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

interface Api {
  readonly url: string
  readonly upgrades: IncomingMessage[]
  readonly requests: IncomingMessage[]
  readonly sockets: Socket[]
}

type OnUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void

function open(request: IncomingMessage, lines: readonly string[] = []): string {
  const accept = acceptFor(String(request.headers['sec-websocket-key']))
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...lines,
    '\r\n',
  ].join('\r\n')
}

/** Opens, and sends back what comes. */
const echo: OnUpgrade = (request, socket, head) => {
  socket.write(open(request))
  socket.write(head)
  socket.pipe(socket)
}

async function apiFor(context: TestContext, onUpgrade: OnUpgrade = echo): Promise<Api> {
  const upgrades: IncomingMessage[] = []
  const requests: IncomingMessage[] = []
  const sockets: Socket[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    response.end(`plain ${request.url}`)
  })
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    upgrades.push(request)
    onUpgrade(request, socket, head)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, upgrades, requests, sockets }
}

function handshake(path: string, ...lines: readonly string[]): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: api.example.com',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...lines,
    '\r\n',
  ].join('\r\n')
}

/** A plain connection on which everything is kept. */
class Wire {
  readonly socket: Socket
  text = ''
  constructor(context: TestContext, running: Running) {
    this.socket = connect(running.port, '127.0.0.1')
    this.socket.setEncoding('latin1')
    this.socket.on('data', (chunk: string) => {
      this.text += chunk
    })
    this.socket.on('error', () => {})
    context.after(() => this.socket.destroy())
  }

  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.text)) await once(this.socket, 'data')
    return this.text
  }

  async end(): Promise<string> {
    if (!this.socket.closed) await once(this.socket, 'close')
    return this.text
  }
}

function send(context: TestContext, running: Running, bytes: string): Wire {
  const wire = new Wire(context, running)
  wire.socket.write(bytes, 'latin1')
  return wire
}

test('a WebSocket opens on a declared route, and bytes pass both ways', async (context) => {
  const api = await apiFor(context)
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  const wire = send(context, running, `${handshake('/live/a', `Origin: ${ORIGIN}`, 'Cookie: a=1')}early`)
  const text = await wire.until(/early$/)
  assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  assert.match(text, new RegExp(`^Sec-WebSocket-Accept: ${acceptFor(KEY).replaceAll('+', '\\+')}\r$`, 'm'))
  assert.match(text, /^X-Content-Type-Options: nosniff\r$/im)
  assert.doesNotMatch(text, /^(?:content-length|transfer-encoding):/im)
  wire.socket.write('late')
  await wire.until(/earlylate$/)
  assert.equal(api.upgrades[0]!.headers.cookie, 'a=1')
  assert.equal(running.gateway.upstreams()[0]!.addresses[0]!.inFlight, 1)
  wire.socket.end()
  await wire.end()
  await settled(() => api.sockets[0]!.closed)
  await settled(() => running.gateway.upstreams()[0]!.addresses[0]!.inFlight === 0)
})

/** Waits for what comes after events that the test can't see. */
async function settled(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}

for (const [name, policy] of [
  ['in clear', POLICY],
  ['over TLS', HERE],
] as const)
  test(`Node's own WebSocket speaks through the gateway ${name}`, async (context) => {
    const api = await apiFor(context, frames)
    const running = await gatewayFor(context, { upstream: api.url, policy })
    // Node's WebSocket takes no authority of its own, so TLS is ended by a pipe of the test.
    const port = running.ca === '' ? running.port : await clearPort(context, running)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live/echo`, ['chat', 'other'])
    const opened = Promise.withResolvers<void>()
    socket.addEventListener('open', () => opened.resolve())
    socket.addEventListener('error', () => opened.reject(new Error('not opened')))
    await opened.promise
    assert.equal(socket.protocol, 'chat')
    const said = `hello ${'x'.repeat(60_000)}`
    const heard = once(socket as never, 'message') as Promise<[{ data: string }]>
    socket.send(said)
    assert.equal((await heard)[0].data, said)
    const closed = once(socket as never, 'close') as Promise<[{ code: number; wasClean: boolean }]>
    socket.close(1000)
    const [{ code, wasClean }] = await closed
    assert.deepEqual([code, wasClean], [1000, true])
  })

/** A server of frames (RFC 6455, section 5.2), as little as an echo needs: messages in one frame, and the close. */
const frames: OnUpgrade = (request, socket, head) => {
  socket.write(open(request, ['Sec-WebSocket-Protocol: chat']))
  let held = head
  const read = (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    for (;;) {
      if (held.length < 2) return
      const short = held[1]! & 127
      const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2
      if (held.length < headBytes + 4) return
      const length =
        short === 126 ? held.readUInt16BE(2) : short === 127 ? Number(held.readBigUInt64BE(2)) : short
      const end = headBytes + 4 + length
      if (held.length < end) return
      const mask = held.subarray(headBytes, headBytes + 4)
      const body = Buffer.from(held.subarray(headBytes + 4, end)).map((byte, i) => byte ^ mask[i % 4]!)
      const answer = Buffer.concat([held.subarray(0, headBytes), body])
      answer[1]! &= 127
      socket.write(answer)
      if ((held[0]! & 15) === 8) return void socket.end()
      held = held.subarray(end)
    }
  }
  socket.on('data', read)
}

async function clearPort(context: TestContext, running: Running): Promise<number> {
  const { createServer: createNetServer } = await import('node:net')
  const server = createNetServer((socket) => {
    const other = tlsConnect({
      port: running.port,
      host: '127.0.0.1',
      ca: running.ca,
      servername: 'sallyport.localhost',
    })
    for (const each of [socket, other]) each.on('error', () => {})
    socket.pipe(other).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => void server.close())
  return (server.address() as AddressInfo).port
}

for (const [name, path, origin, status] of [
  ['a listed origin', '/cookie/a', ORIGIN, 101],
  ['the own host', '/cookie/a', 'https://api.example.com', 101],
  ['no page at all', '/cookie/a', undefined, 101],
  ['a foreign page', '/cookie/a', 'https://evil.example', 403],
  ['a foreign page without an origin', '/cookie/a', 'null', 403],
] as const)
  test(`${name} is answered ${status}`, async (context) => {
    const api = await apiFor(context)
    const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
    const lines = origin === undefined ? [] : [`Origin: ${origin}`]
    const wire = send(context, running, handshake(path, ...lines))
    const text = await wire.until(/\r\n\r\n/)
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.equal(api.upgrades.length, status === 101 ? 1 : 0)
    if (status === 403) {
      assert.match(await wire.end(), /"code":"origin_not_allowed"/)
      assert.match(text, /^X-Content-Type-Options: nosniff\r$/im)
    }
  })

test('on a route that does not declare it the request is one as any other', async (context) => {
  const api = await apiFor(context)
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  const wire = send(context, running, handshake('/v1/x', 'Origin: https://evil.example'))
  const text = await wire.end()
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.match(text, /plain \/v1\/x/)
  assert.equal(api.upgrades.length, 0)
  assert.equal(api.requests[0]!.headers.upgrade, undefined)
})

for (const [name, request] of [
  ['another protocol', handshake('/live/a').replace('Upgrade: websocket', 'Upgrade: other/1')],
  ['two protocols', handshake('/live/a').replace('Upgrade: websocket', 'Upgrade: websocket, other')],
  ['no Connection: Upgrade', handshake('/live/a').replace('Connection: Upgrade', 'Connection: close')],
  ['another method', handshake('/live/a', 'Content-Length: 0').replace('GET', 'POST')],
  ['a path that is spelled otherwise', handshake('/LIVE/a')],
] as const)
  test(`${name} on a declared route never becomes a WebSocket`, async (context) => {
    const api = await apiFor(context)
    const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
    const text = await send(context, running, request).end()
    assert.match(text, /^HTTP\/1\.1 (?:200|400) /)
    assert.equal(api.upgrades.length, 0)
  })

for (const [name, request, status] of [
  ['h2c', handshake('/live/a').replace('websocket', 'h2c'), 400],
  ['a wrong key', handshake('/live/a').replace(KEY, 'c2hvcnQ='), 400],
  ['an old version', handshake('/live/a').replace('Version: 13', 'Version: 8'), 400],
  ['a body', `${handshake('/live/a', 'Content-Length: 5')}hello`, 400],
] as const)
  test(`${name} is refused, and the upstream hears nothing of it`, async (context) => {
    const api = await apiFor(context)
    const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
    const text = await send(context, running, request).end()
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(text, /^X-Content-Type-Options: nosniff\r$/im)
    assert.deepEqual([api.upgrades.length, api.requests.length], [0, 0])
  })

for (const [name, answer, status] of [
  ['a wrong accept', () => open({ headers: { 'sec-websocket-key': 'other' } } as never), 502],
  [
    'another protocol',
    (request: IncomingMessage) => open(request).replace('Upgrade: websocket', 'Upgrade: h2c'),
    502,
  ],
  [
    'a subprotocol nobody offered',
    (request: IncomingMessage) => open(request, ['Sec-WebSocket-Protocol: x']),
    502,
  ],
  [
    'a refusal of its own',
    () => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\nWWW-Authenticate: Bearer\r\n\r\nnope',
    401,
  ],
  ['an ordinary answer', () => 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain', 200],
] as const)
  test(`${name} opens nothing: ${status}`, async (context) => {
    const api = await apiFor(context, (request, socket) => {
      socket.write(`${answer(request)}`)
      // What would reach the client if the tunnel were open.
      if (status === 502) socket.write('INJECTED')
    })
    const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
    const wire = send(context, running, `${handshake('/live/a')}`)
    const text = await wire.end()
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(text, /^X-Content-Type-Options: nosniff\r$/im)
    assert.doesNotMatch(text, /INJECTED/)
    assert.match(text, /^Connection: close\r$/im)
    assert.equal(running.gateway.upstreams()[0]!.addresses[0]!.inFlight, 0)
  })

test('each is one line of the log: open, refused, answered otherwise', async (context) => {
  const api = await apiFor(context)
  const file = join(await temporaryFolder(context), 'access.log')
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY, accessLog: { file } })
  const wire = send(context, running, `${handshake('/live/a')}x`)
  await wire.until(/x$/)
  await send(context, running, handshake('/cookie/a', 'Origin: https://evil.example')).end()
  await send(context, running, handshake('/v1/x')).end()
  wire.socket.end()
  await wire.end()
  await running.gateway.close({ graceMs: 0 })
  const lines = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    lines
      .map((line) => [
        line['url.path'],
        line['http.response.status_code'],
        line['sallyport.decision'],
        line['sallyport.rule'],
      ])
      .sort(),
    [
      ['/cookie/a', 403, 'deny', 'SP-CORS-01'],
      ['/live/a', 101, 'pass', undefined],
      ['/v1/x', 200, 'pass', undefined],
    ],
  )
})

test('an upstream that can not be reached is a 502', async (context) => {
  const running = await gatewayFor(context, { upstream: 'http://127.0.0.1:1', policy: POLICY })
  assert.match(await send(context, running, handshake('/live/a')).end(), /^HTTP\/1\.1 502 /)
})

test('the end of either side is the end of both, and a reset ends no process', async (context) => {
  const api = await apiFor(context)
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  for (const how of ['client ends', 'client resets', 'upstream ends', 'upstream resets'] as const) {
    const wire = send(context, running, `${handshake('/live/a')}x`)
    await wire.until(/x$/)
    const upstream = api.upgrades.at(-1)!.socket
    const gone = once(upstream, 'close')
    if (how === 'client ends') wire.socket.end()
    else if (how === 'client resets') wire.socket.resetAndDestroy()
    else if (how === 'upstream ends') upstream.end()
    else upstream.resetAndDestroy()
    await wire.end()
    await gone
  }
  await settled(() => running.gateway.upstreams()[0]!.addresses[0]!.inFlight === 0)
})

test('a reader that takes nothing holds the other side back', async (context) => {
  let sent = 0
  const api = await apiFor(context, (request, socket) => {
    socket.write(open(request))
    const block = randomBytes(65_536)
    const pour = () => {
      while (sent < 268_435_456) {
        sent += block.length
        if (!socket.write(block)) return void socket.once('drain', pour)
      }
    }
    pour()
  })
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  const wire = send(context, running, handshake('/live/a'))
  await wire.until(/\r\n\r\n/)
  wire.socket.pause()
  for (let before = -1, still = 0; still < 20; await new Promise((resolve) => setTimeout(resolve, 10))) {
    still = sent === before ? still + 1 : 0
    before = sent
  }
  assert.ok(sent < 67_108_864, `${sent} bytes were taken`)
})

test('silence ends a tunnel, and words do not', async (context) => {
  const api = await apiFor(context)
  const running = await gatewayFor(context, {
    upstreams: { api: { urls: [api.url], timeouts: { tunnelIdleMs: 1_500 } } },
    policy: POLICY,
  })
  const talking = send(context, running, `${handshake('/live/a')}x`)
  const silent = send(context, running, `${handshake('/live/a')}x`)
  await Promise.all([talking.until(/x$/), silent.until(/x$/)])
  const timer = setInterval(() => talking.socket.write('y'), 50)
  context.after(() => clearInterval(timer))
  await silent.end()
  const { length } = talking.text
  while (talking.text.length === length) await once(talking.socket, 'data')
  assert.equal(talking.socket.closed, false)
})

test('tunnels take slots, and give them back', async (context) => {
  const api = await apiFor(context)
  const running = await gatewayFor(context, {
    upstreams: { api: { urls: [api.url], connections: 2 } },
    policy: POLICY,
  })
  const wires = [1, 2].map(() => send(context, running, `${handshake('/live/a')}x`))
  for (const wire of wires) await wire.until(/x$/)
  assert.match(
    await send(context, running, handshake('/live/a')).end(),
    /^HTTP\/1\.1 503 [\s\S]*retry-after: 1/i,
  )
  assert.equal((await ask(running, '/v1/x')).status, 503)
  wires[0]!.socket.end()
  await wires[0]!.end()
  await settled(() => running.gateway.upstreams()[0]!.addresses[0]!.inFlight === 1)
  assert.equal((await ask(running, '/v1/x')).status, 200)
})

test('a drain waits for tunnels up to its deadline, and then ends them', async (context) => {
  const api = await apiFor(context)
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  const wire = send(context, running, `${handshake('/live/a')}x`)
  await wire.until(/x$/)
  const closing = running.gateway.close({ graceMs: 300 })
  wire.socket.write('still')
  await wire.until(/still$/)
  assert.equal((await closing).brokenOff, 1)
  await wire.end()
})

for (const [where, policy] of [
  ['plain', POLICY],
  ['encrypted', HERE],
] as const)
  test(`what a drain ends is told so on both sides, on a connection that is ${where}`, async (context) => {
    const said = Promise.withResolvers<Buffer>()
    const api = await apiFor(context, (request, socket) => {
      socket.write(open(request))
      socket.write(Buffer.from('8202', 'hex'))
      socket.write('hi')
      const pieces: Buffer[] = []
      socket.on('data', (chunk: Buffer) => pieces.push(chunk))
      socket.on('end', () => {
        said.resolve(Buffer.concat(pieces))
        socket.end()
      })
    })
    const running = await gatewayFor(context, { upstream: api.url, policy })
    const { port, ca } = running
    const socket =
      ca === '' ? connect(port, '127.0.0.1') : tlsConnect({ port, ca, servername: 'sallyport.localhost' })
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.on('error', () => {})
    socket.write(handshake('/live/a'))
    while (!Buffer.concat(received).toString('latin1').endsWith('hi')) await once(socket, 'data')
    const ended = once(socket, 'end')
    assert.equal((await running.gateway.close({ graceMs: 20 })).brokenOff, 1)
    await ended
    assert.equal(Buffer.concat(received).subarray(-4).toString('hex'), '880203e9')
    const bytes = await said.promise
    assert.equal(bytes.subarray(0, 2).toString('hex'), '8882')
    assert.equal(bytes.length, 8)
  })

test('a WebSocket client of Node hears of a drain as 1001', async (context) => {
  const api = await apiFor(context, (request, socket) => {
    socket.write(open(request))
    socket.resume()
  })
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  const client = new WebSocket(`ws://127.0.0.1:${running.port}/live/a`)
  await once(client, 'open')
  const closed = once(client, 'close')
  await running.gateway.close({ graceMs: 20 })
  const [event] = (await closed) as [CloseEvent]
  assert.equal(event.code, 1001)
})

test('a drain puts nothing into the middle of a frame', async (context) => {
  const api = await apiFor(context, (request, socket) => {
    socket.write(open(request))
    socket.write(Buffer.from('8205', 'hex'))
    socket.write('half')
    socket.resume()
  })
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  const wire = send(context, running, handshake('/live/a'))
  await wire.until(/half$/)
  assert.equal((await running.gateway.close({ graceMs: 20 })).brokenOff, 1)
  assert.match(await wire.end(), /half$/)
})

test('an upgrade behind a request that is still being answered is no upgrade', async (context) => {
  const api = await apiFor(context)
  const running = await gatewayFor(context, { upstream: api.url, policy: POLICY })
  const first = 'GET /v1/first HTTP/1.1\r\nHost: api.example.com\r\n\r\n'
  const text = await send(context, running, first + handshake('/live/a')).end()
  assert.match(text, /plain \/v1\/first[\s\S]*plain \/live\/a/)
  assert.equal(api.upgrades.length, 0)
})
