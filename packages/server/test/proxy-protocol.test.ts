// The PROXY protocol in front of a whole gateway: raw sockets, curl and a real HAProxy.

import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { startFleet } from '../src/index.ts'
import { receiveProxyHeaders } from '../src/proxy-protocol/receive.ts'
import { gatewayFor, HERE, IN_FRONT, type Running, temporaryFolder, upstreamFor } from './harness.ts'

const run = promisify(execFile)

const LINE = 'PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n'
/** 203.0.113.9, version 2. */
const BINARY = Buffer.from('0d0a0d0a000d0a515549540a2111000ccb007109c6336401dc0401bb', 'hex')
const LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')
const GET = 'GET /v1/who HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n'

const listen = (from: readonly string[]) => ({
  host: '127.0.0.1',
  port: 0,
  proxyProtocol: { from: [...from] },
})

/** An upstream that says who it was told calls. */
const whoami = (context: TestContext) =>
  upstreamFor(context, (request, response) => {
    response.end(`for=${request.headers['x-forwarded-for']};`)
  })

async function behindProxy(context: TestContext, options: Partial<Parameters<typeof gatewayFor>[1]> = {}) {
  const upstream = await whoami(context)
  return gatewayFor(context, { upstream, listen: listen(['127.0.0.1']), ...options })
}

/** Writes parts one after the other, each when the one before is out, and reads to the end. */
async function send(port: number, parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  for (const part of parts) await new Promise((resolve) => socket.write(part, resolve))
  if (!socket.closed) await once(socket, 'close')
  return text
}

const bodyOf = (text: string): string | undefined => /for=[^;]*/.exec(text)?.[0]

for (const [what, header] of [
  ['version 1', LINE],
  ['version 2', BINARY],
] as const) {
  test(`the address of a ${what} header is the client's`, async (context) => {
    const { port } = await behindProxy(context)
    assert.equal(bodyOf(await send(port, [header, GET])), 'for=203.0.113.9')
  })

  test(`a ${what} header in one piece with the request, and byte by byte, reads the same`, async (context) => {
    const { port } = await behindProxy(context)
    const bytes = Buffer.concat([Buffer.from(header), Buffer.from(GET)])
    assert.equal(bodyOf(await send(port, [bytes])), 'for=203.0.113.9')
    const singly = Array.from(bytes, (byte) => Buffer.from([byte]))
    assert.equal(bodyOf(await send(port, singly)), 'for=203.0.113.9')
  })
}

test('a proxy that speaks for itself, or does not know, has its own address', async (context) => {
  const { port } = await behindProxy(context)
  for (const header of [LOCAL, 'PROXY UNKNOWN\r\n'])
    assert.equal(bodyOf(await send(port, [header, GET])), 'for=127.0.0.1')
})

test('a connection without a header, or with a second one, is closed or refused and never forwarded', async (context) => {
  let asked = 0
  const upstream = await upstreamFor(context, (_request, response) => {
    asked++
    response.end()
  })
  const running = await gatewayFor(context, { upstream, listen: listen(['127.0.0.1']) })
  assert.equal(await send(running.port, [GET]), '')
  assert.equal(await send(running.port, ['PROXY TCP4 nobody 198.51.100.1 1 1\r\n', GET]), '')
  assert.match(await send(running.port, [LINE, LINE, GET]), /^HTTP\/1\.1 400 /)
  assert.equal(asked, 0)
  assert.deepEqual(refusedReasons(running), ['proxy-protocol: no-header', 'proxy-protocol: malformed'])
  const families = await running.gateway.plane.metrics()
  const counted = families.find(({ name }) => name === 'sallyport_connections_refused_total')
  assert.deepEqual(
    counted?.samples.map(({ labels, value }) => [labels, value]),
    [
      ['{reason="proxy-protocol: no-header"}', 1],
      ['{reason="proxy-protocol: malformed"}', 1],
    ],
  )
})

function refusedReasons({ events }: Running): string[] {
  return events.filter(({ event }) => event === 'connection-refused').map(({ reason }) => reason)
}

test('a peer that is not listed is closed, whatever it sends, and told of once', async (context) => {
  const running = await behindProxy(context, { listen: listen(['192.0.2.0/24', '::1']) })
  assert.equal(await send(running.port, [LINE, GET]), '')
  assert.equal(await send(running.port, [GET]), '')
  assert.deepEqual(refusedReasons(running), ['proxy-protocol: peer'])
})

test('a listener that is not declared takes a header for a broken request', async (context) => {
  const { port } = await behindProxy(context, { listen: { host: '127.0.0.1', port: 0 } })
  const answer = await send(port, [LINE, GET])
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.equal(bodyOf(answer), undefined)
})

test('a header that does not come ends the connection, also where bytes trickle in', async (context) => {
  const server = createServer((_request, response) => response.end())
  const refused: string[] = []
  receiveProxyHeaders(server, { from: ['loopback'] }, (why) => refused.push(why), 50)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const { port } = server.address() as AddressInfo
  assert.equal(await send(port, []), '')
  assert.equal(await send(port, ['PROXY TCP4 ']), '')
  const left = connect(port, '127.0.0.1')
  await once(left, 'connect')
  left.write('PROXY')
  left.destroy()
  await once(left, 'close')
  while (refused.length < 3) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(refused, ['timeout', 'timeout', 'left'])
})

test('the rules of the policy see the address of the header', async (context) => {
  // 203.0.113.9 is a declared proxy of its own, and may say for whom it asks; the peer of the connection may not.
  const { port } = await behindProxy(context, {
    policy: { ...IN_FRONT, client: { trustedProxies: ['203.0.113.9'] } },
  })
  const forwarded = GET.replace('\r\n\r\n', '\r\nX-Forwarded-For: 192.0.2.55\r\n\r\n')
  assert.equal(bodyOf(await send(port, [LINE, forwarded])), 'for=192.0.2.55')
  const other = LINE.replace('203.0.113.9', '203.0.113.10')
  assert.equal(bodyOf(await send(port, [other, forwarded])), 'for=203.0.113.10')
})

test('each of several processes reads the header', async (context) => {
  const upstream = await whoami(context)
  const fleet = await startFleet({ policy: IN_FRONT, upstream, listen: listen(['loopback']), workers: 2 })
  context.after(() => fleet.close({ graceMs: 0 }))
  const port = Number(new URL(fleet.url).port)
  const answers = await Promise.all(Array.from({ length: 16 }, () => send(port, [LINE, GET])))
  assert.deepEqual([...new Set(answers.map(bodyOf))], ['for=203.0.113.9'])
  assert.equal(await send(port, [GET]), '')
})

test('TLS comes after the header; HTTP/1.1 and HTTP/2, curl as the proxy, the log as the witness', async (context) => {
  const file = join(await temporaryFolder(context), 'access.log')
  const running = await behindProxy(context, { policy: HERE, accessLog: { file } })
  const url = `https://sallyport.localhost:${running.port}/v1/who`
  const at = ['--resolve', `sallyport.localhost:${running.port}:127.0.0.1`, '--cacert', running.caFile]
  for (const version of ['--http1.1', '--http2']) {
    const { stdout } = await run('curl', ['-sS', version, '--haproxy-protocol', ...at, url])
    assert.equal(bodyOf(stdout), 'for=127.0.0.1')
    await assert.rejects(run('curl', ['-sS', version, ...at, url]))
  }
  for (const header of [LINE, BINARY]) {
    const raw = connect({ port: running.port, host: '127.0.0.1' })
    await once(raw, 'connect')
    raw.write(header)
    const socket = connectTls({ socket: raw, ca: running.ca, servername: 'sallyport.localhost' })
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.write(GET)
    await once(socket, 'close')
    assert.equal(bodyOf(text), 'for=203.0.113.9')
  }
  assert.equal(await overHttp2(running), 'for=203.0.113.9')
  await running.gateway.close()
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  const seen = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    seen.map((line) => [line['client.address'], line['network.protocol.version']]),
    [
      ['127.0.0.1', '1.1'],
      ['127.0.0.1', '2.0'],
      ['203.0.113.9', '1.1'],
      ['203.0.113.9', '1.1'],
      ['203.0.113.9', '2.0'],
    ],
  )
})

// curl of Debian 12 can't say another address than its own.
async function overHttp2({ port, ca }: Running): Promise<string | undefined> {
  const raw = connect({ port, host: '127.0.0.1' })
  raw.write(BINARY)
  const socket = connectTls({ socket: raw, ca, servername: 'sallyport.localhost', ALPNProtocols: ['h2'] })
  await once(socket, 'secureConnect')
  const session = connectHttp2(`https://sallyport.localhost:${port}`, { createConnection: () => socket })
  const stream = session.request({ ':path': '/v1/who' })
  const text = Buffer.concat(await stream.toArray()).toString('latin1')
  session.close()
  await once(session, 'close')
  return bodyOf(text)
}

const hasHaproxy = spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin command -v haproxy']).status === 0

for (const word of ['send-proxy', 'send-proxy-v2 proxy-v2-options ssl,unique-id,crc32c'])
  test(`behind a real HAProxy: ${word}`, { skip: hasHaproxy ? false : 'needs haproxy' }, async (context) => {
    const { port } = await behindProxy(context)
    const folder = await temporaryFolder(context)
    const socket = join(folder, 'front.sock')
    const file = join(folder, 'haproxy.cfg')
    const config = [
      'defaults',
      '  mode tcp',
      '  timeout connect 5s',
      '  timeout client 5s',
      '  timeout server 5s',
      'frontend front',
      // A front whose clients are at 127.0.0.1 too would prove nothing: it is told another address in the same protocol.
      `  bind unix@${socket} accept-proxy`,
      '  unique-id-format %rt',
      '  default_backend gateway',
      'backend gateway',
      `  server one 127.0.0.1:${port} ${word}`,
      '',
    ]
    await writeFile(file, config.join('\n'))
    const haproxy = spawn('haproxy', ['-db', '-f', file], {
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
      stdio: 'ignore',
    })
    context.after(() => haproxy.kill())
    const text = await asSoonAsItListens(socket, LINE + GET)
    assert.equal(bodyOf(text), 'for=203.0.113.9')
  })

async function asSoonAsItListens(path: string, bytes: string): Promise<string> {
  for (;;) {
    const socket = connect(path)
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    if (!isOpen) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.write(bytes)
    await once(socket, 'close')
    return text
  }
}
