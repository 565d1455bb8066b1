// No client keeps the others from the upstream: not with bodies that never come, not with requests that never end. And
// no answer reaches anybody but the one who asked.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { ask, gatewayFor, rawExchange, upstreamFor } from './harness.ts'

// Clients differ by the address that the declared proxy, which is the test, forwards for them.
const BEHIND_PROXY: PolicyDocument = {
  extends: 'api',
  transport: { tls: 'in-front' },
  client: { trustedProxies: ['127.0.0.1/32'] },
}

async function dial(context: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  context.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

function from(address: string, line: string, rest = ''): string {
  return `${line} HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: ${address}\r\nX-Forwarded-Proto: https\r\n${rest}\r\n`
}

test('uploads that stand still take no slot from anybody', async (context) => {
  const seen: string[] = []
  const upstream = await upstreamFor(context, (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end('there')
  })
  const { port } = await gatewayFor(context, {
    upstream,
    policy: BEHIND_PROXY,
    limits: { slotsPerClient: 4 },
  })
  for (let i = 0; i < 20; i++) {
    const socket = await dial(context, port)
    socket.write(`${from('192.0.2.1', 'POST /idle', 'Content-Length: 100\r\n')}some`)
  }
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    const { text } = await rawExchange(port, from(address, 'GET /', 'Connection: close\r\n'))
    assert.match(text, /^HTTP\/1\.1 200 /)
  }
  assert.deepEqual(seen, ['GET /', 'GET /'])
})

test('beginnings of bodies that never end are held up to a bound, and another client still has its own', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    request.resume().on('end', () => response.end('whole'))
  })
  const { port } = await gatewayFor(context, { upstream, policy: BEHIND_PROXY })
  // Just below what is sent on; 16 MiB of such are one client's part.
  const beginning = 'x'.repeat(65_535)
  const answers: string[] = []
  const refused = new EventTarget()
  for (let i = 0; i < 260; i++) {
    const socket = await dial(context, port)
    socket.setEncoding('latin1').once('data', (text: string) => {
      answers.push(text)
      refused.dispatchEvent(new Event('one'))
    })
    socket.write(`${from('192.0.2.1', 'POST /idle', 'Content-Length: 100000\r\n')}${beginning}`)
  }
  // 256 of these are 16,776,960 bytes: what is over is refused, and nothing else.
  while (answers.length < 4) await once(refused as never, 'one')
  for (const text of answers) assert.match(text, /^HTTP\/1\.1 503 [\s\S]*^retry-after: 1\r$/im)
  const upload = `${from('192.0.2.2', 'POST /', 'Content-Length: 3\r\nConnection: close\r\n')}abc`
  assert.match((await rawExchange(port, upload)).text, /whole/)
  const own = `${from('192.0.2.1', 'GET /', 'Connection: close\r\n')}`
  assert.match((await rawExchange(port, own)).text, /whole/)
  assert.equal(answers.length, 4)
})

test('a client over its part gets 503 with Retry-After, another one goes on, and the part comes back', async (context) => {
  const held: (() => void)[] = []
  const arrived = new EventTarget()
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url !== '/slow') return void response.end('quick')
    held.push(() => response.end('at last'))
    arrived.dispatchEvent(new Event('one'))
  })
  const { port } = await gatewayFor(context, {
    upstream,
    policy: BEHIND_PROXY,
    limits: { slotsPerClient: 2 },
  })
  const waiting = []
  for (let i = 0; i < 2; i++) {
    const here = once(arrived as never, 'one')
    waiting.push(rawExchange(port, from('2001:db8::1', 'GET /slow', 'Connection: close\r\n')))
    await here
  }
  // The other end of the same /64.
  const refused = await rawExchange(port, from('2001:db8::ffff:1', 'GET /', 'Connection: close\r\n'))
  assert.match(refused.text, /^HTTP\/1\.1 503 /)
  assert.match(refused.text, /^retry-after: 1\r$/im)
  assert.match(refused.text, /"code":"unavailable"/)
  const other = await rawExchange(port, from('2001:db8:0:1::1', 'GET /', 'Connection: close\r\n'))
  assert.match(other.text, /quick/)
  for (const release of held) release()
  for (const { text } of await Promise.all(waiting)) assert.match(text, /at last/)
  const again = await rawExchange(port, from('2001:db8::1', 'GET /', 'Connection: close\r\n'))
  assert.match(again.text, /quick/)
})

/** An upstream of raw bytes: each connection's bytes go to `heard`, which may write. */
async function rawUpstream(
  context: TestContext,
  heard: (text: string, socket: Socket, connection: number) => void,
): Promise<string> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createNetServer((socket) => {
    const number = ++connections
    sockets.add(socket)
    socket.on('error', () => {})
    socket.setEncoding('latin1')
    socket.on('data', (text) => heard(String(text), socket, number))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const SURPLUS = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nINJECTED'

test('bytes that follow an answer without a body never reach the next caller', async (context) => {
  for (const [method, first] of [
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n'],
  ] as const) {
    let delayed: (() => void) | undefined
    const upstream = await rawUpstream(context, (text, socket, connection) => {
      if (connection === 1 && text.includes('/first')) {
        socket.write(first)
        delayed = () => socket.write(SURPLUS)
      } else if (text.includes('/second')) {
        // The worst moment: the next request is on its way.
        delayed?.()
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine')
      }
    })
    const running = await gatewayFor(context, { upstream })
    await ask(running, '/first', { method })
    const { body } = await ask(running, '/second')
    assert.equal(body, 'mine', `after ${method}, ${first.slice(9, 12)}`)
  }
})

test('an upstream that reads a body as the next request answers nobody else with it', async (context) => {
  // It ignores Content-Length (the CL.0 class): what comes after a head is a request of its own, and slow as it is, it
  // answers that only when the next one comes.
  const late = new Map<Socket, string>()
  const upstream = await rawUpstream(context, (text, socket) => {
    const [first = '', ...rest] = Array.from(
      text.matchAll(/^(?:GET|POST) (\S+) HTTP\/1\.1\r$/gm),
      ([, path]) => path!,
    )
    const answers = [late.get(socket) ?? first, ...(late.has(socket) ? [first] : [])]
    late.delete(socket)
    for (const path of answers)
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`)
    if (rest[0] !== undefined) late.set(socket, rest[0])
  })
  const running = await gatewayFor(context, { upstream })
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n'
  assert.equal((await ask(running, '/attack', { method: 'POST', body: smuggled })).body, '/attack')
  for (const path of ['/one', '/two']) assert.equal((await ask(running, path)).body, path)
})

test('answers of 1xx do not give the upstream more time', async (context) => {
  const upstream = await rawUpstream(context, (_text, socket) => {
    let left = 6
    const timer = setInterval(() => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n')
      if (--left === 0) clearInterval(timer)
    }, 60)
    socket.once('close', () => clearInterval(timer))
  })
  const running = await gatewayFor(context, { upstream, limits: { headMs: 200 } })
  const { status } = await ask(running, '/')
  assert.equal(status, 504)
  assert.equal(running.events[0]!.reason, 'UND_ERR_HEADERS_TIMEOUT')
})

test('a body that is no request leaves its connection to the next, and one that could be does not', async (context) => {
  const connections = new Set<Socket>()
  const upstream = await upstreamFor(context, async (request, response) => {
    connections.add(request.socket)
    for await (const _chunk of request);
    response.end('read')
  })
  const running = await gatewayFor(context, { upstream })
  const post = async (body: string) => {
    assert.equal((await ask(running, '/', { method: 'POST', body })).body, 'read')
    return connections.size
  }
  assert.equal(await post('{"a": 1}'), 1)
  assert.equal(await post('{"b": 2}'), 1)
  assert.equal(await post('GET /smuggled HTTP/1.1'), 1)
  assert.equal(await post('{"c": 3}'), 2)
})
