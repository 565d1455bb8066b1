import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net'
import { after, test } from 'node:test'
import { createGuard } from '../../guard/guard.ts'
import { exchangeOf } from '../node/index.ts'
import { guardServers } from './serve.ts'

const policy = createGuard({ extends: 'payments', cors: { origins: ['https://shop.example'] } }, 'node')
const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The whole answer to bytes on a fresh connection. */
async function send(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
  let read = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    read += chunk
  })
  await once(socket, 'close')
  return read
}

const get = (headers = '') => `GET / HTTP/1.1\r\nHost: a.example\r\n${headers}Connection: close\r\n\r\n`
const preflight = get('Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n').replace(
  'GET',
  'OPTIONS',
)

test('servers of before and after, and a request that was waiting meanwhile, are under the policy', async () => {
  let release: (() => void) | undefined
  const ready = new Promise<void>((resolve) => {
    release = resolve
  })
  let requests = 0
  let whenTwo: (() => void) | undefined
  const two = new Promise<void>((resolve) => {
    whenTwo = resolve
  })
  const before = await listen(async (_request, response) => {
    if (++requests === 2) whenTwo?.()
    await ready
    if (!response.headersSent) response.end('served')
  })
  const early = send(before, get())
  const refused = send(before, preflight)
  await two

  guardServers(policy)
  release?.()
  assert.match(await early, /^HTTP\/1\.1 200 [\s\S]*\r\nX-Frame-Options: DENY\r\n[\s\S]*served$/)
  const denied = await refused
  assert.match(denied, /^HTTP\/1\.1 403 [\s\S]*"code":"origin_not_allowed"/)
  assert.doesNotMatch(denied, /served/)

  const later = await listen((_request, response) => response.end('served'))
  for (const port of [before, later]) {
    assert.match(await send(port, get()), /\r\nX-Frame-Options: DENY\r\n/)
    assert.match(await send(port, 'GARBAGE\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*\r\nX-Frame-Options: DENY\r\n/)
  }
})

test('a second call puts the newer policy under servers to come, and leaves the others alone', async () => {
  const old = await listen((_request, response) => response.end('served'))
  assert.match(await send(old, get()), /\r\nX-Frame-Options: DENY\r\n/)
  guardServers(createGuard({ extends: 'api' }, 'node'))
  const next = await listen((_request, response) => response.end(`served ${exchangeOf(response)?.cell.id}`))
  assert.match(await send(old, get()), /\r\nX-Frame-Options: DENY\r\n/)
  assert.match(await send(next, get()), /\r\nX-Frame-Options: SAMEORIGIN\r\n[\s\S]*served \*$/)
})

test('servers that speak no HTTP are left alone', async () => {
  const server = createNetServer((socket) => socket.end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  assert.equal(await send((server.address() as AddressInfo).port, ''), 'hello')
  server.close()
})
