// The raw client against real sockets: plain, TLS, IPv6, endless, silent, broken.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createServer as createTls } from 'node:tls'
import { localCertificate } from '../../../server/src/tls/local.ts'
import { sendHttp2 } from '../../src/posture/wire/http2.ts'
import { curlLine } from '../../src/posture/wire/request.ts'
import { send, type WireAnswer, type WireResult } from '../../src/posture/wire/send.ts'
import {
  originOf,
  parseTarget,
  replicaAt,
  replicasOf,
  type WireTarget,
} from '../../src/posture/wire/target.ts'

const GET = { method: 'GET', path: '/a?b', headers: [['X-One', '1']] } as const

async function listen(context: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A server that answers each connection's first bytes with a text. */
async function answering(context: TestContext, text: string, host?: string) {
  const heard: string[] = []
  const server = createServer((socket) => {
    socket.once('data', (chunk) => {
      heard.push(chunk.toString('latin1'))
      socket.write(text, 'latin1')
    })
  })
  const port = await listen(context, server, host)
  const target: WireTarget = { scheme: 'http', host: host ?? '127.0.0.1', port }
  return { target, heard }
}

function answered(result: WireResult): WireAnswer {
  assert.equal(result.kind, 'answer', JSON.stringify(result))
  return result as WireAnswer
}

async function certificate(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-wire-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return localCertificate({ folder })
}

describe('the raw client', () => {
  it('sends parts with what an HTTP client adds, and says every line', async (context) => {
    const { target, heard } = await answering(
      context,
      'HTTP/1.1 404 Nope\r\nA: 1\r\na: 2\r\nContent-Length: 2\r\n\r\nhi',
    )
    const found = answered(await send(target, GET))
    assert.equal(
      heard[0],
      `GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nX-One: 1\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    )
    assert.deepEqual(
      [found.status, found.reason, found.body, found.ended, found.encrypted],
      [404, 'Nope', 'hi', 'kept', false],
    )
    assert.deepEqual(found.headers.slice(0, 2), [
      ['A', '1'],
      ['a', '2'],
    ])
  })

  it('sends raw bytes as they are, with the host filled in', async (context) => {
    const { target, heard } = await answering(context, 'HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n')
    await send(target, { raw: 'G\0 /\xff\n{host}\r\n\r\n' })
    assert.equal(heard[0], `G\0 /\xff\n127.0.0.1:${target.port}\r\n\r\n`)
  })

  it('sends a body with its length', async (context) => {
    const { target, heard } = await answering(context, 'HTTP/1.1 204 x\r\n\r\n')
    await send(target, { method: 'POST', path: '/', headers: [], body: 'é' })
    assert.match(heard[0]!, /\r\nContent-Length: 2\r\n.*\r\n\r\n\xc3\xa9$/s)
  })

  it('stops at the first event of a stream, and cuts what has no end', async (context) => {
    const events = await answering(
      context,
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n',
    )
    assert.deepEqual([answered(await send(events.target, GET)).bodyState], ['stream'])
    const endless = await answering(context, 'HTTP/1.1 200 OK\r\n\r\nsome')
    const found = answered(await send(endless.target, GET, { limits: { bodyMs: 50 } }))
    assert.deepEqual([found.bodyState, found.body, found.ended], ['stream', 'some', 'by-us'])
  })

  it('says which phase failed', async (context) => {
    const silent = await answering(context, '')
    const late = await send(silent.target, GET, { limits: { headMs: 50 } })
    assert.deepEqual(
      [late.kind, 'code' in late && late.code, 'phase' in late && late.phase],
      ['failure', 'timeout', 'head'],
    )
    const other = await answering(context, 'SSH-2.0\r\n')
    const strange = await send(other.target, GET)
    assert.deepEqual(
      ['code' in strange && strange.code, 'strange' in strange && strange.strange],
      ['not-http', 'SSH-2.0\r\n'],
    )
    const closing = createServer((socket) => socket.end())
    const port = await listen(context, closing)
    const closed = await send({ ...other.target, port }, GET)
    assert.equal('code' in closed && closed.code, 'closed')
    closing.close()
    const gone = await send({ ...other.target, port: 1 }, GET)
    assert.deepEqual(
      ['phase' in gone && gone.phase, 'code' in gone && gone.code],
      ['connect', 'ECONNREFUSED'],
    )
    const nowhere = await send({ ...other.target, host: 'no-such-name.invalid' }, GET)
    assert.equal(nowhere.kind, 'failure')
  })

  it('can be called off', async (context) => {
    const silent = await answering(context, '')
    const controller = new AbortController()
    const pending = send(silent.target, GET, { signal: controller.signal })
    controller.abort()
    const result = await pending
    assert.equal('code' in result && result.code, 'aborted')
  })

  it('speaks to IPv6 addresses', async (context) => {
    const { target, heard } = await answering(context, 'HTTP/1.1 204 x\r\n\r\n', '::1')
    assert.equal(answered(await send(target, GET)).status, 204)
    assert.match(heard[0]!, new RegExp(`Host: \\[::1\\]:${target.port}\r\n`))
  })

  it('sends nothing where the certificate is not trusted, and says why', async (context) => {
    const local = await certificate(context)
    let heard = ''
    const server = createTls({ cert: local.cert, key: local.key }, (socket) => {
      socket.on('error', () => {})
      socket.once('data', (chunk) => {
        heard += chunk.toString()
        socket.end('HTTP/1.1 204 x\r\n\r\n')
      })
    })
    const port = await listen(context, server)
    const target: WireTarget = { scheme: 'https', host: 'sallyport.localhost', address: '127.0.0.1', port }
    const refused = await send(target, GET)
    assert.deepEqual([refused.kind, 'phase' in refused && refused.phase, heard], ['failure', 'tls', ''])
    assert.equal(refused.tls?.authorized, false)
    const seen = answered(await send({ ...target, insecure: true }, GET))
    assert.equal(seen.tls?.authorized, false)
    const trusted = answered(await send({ ...target, ca: local.ca }, GET))
    assert.deepEqual(
      [trusted.tls?.authorized, trusted.tls?.version, trusted.encrypted],
      [true, 'TLSv1.3', true],
    )
    assert.match(trusted.tls!.certificate!.names, /localhost/)
    assert.ok(trusted.tls!.certificate!.validTo > Date.now())
    const elsewhere = await send({ ...target, ca: local.ca, host: 'other.example' }, GET)
    assert.equal('code' in elsewhere && elsewhere.code, 'ERR_TLS_CERT_ALTNAME_INVALID')
    const old = await send({ ...target, insecure: true }, GET, {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    })
    assert.deepEqual([old.kind, 'phase' in old && old.phase], ['failure', 'tls'])
  })

  it('asks the same over HTTP/2', async (context) => {
    const local = await certificate(context)
    const server = createSecureServer({ cert: local.cert, key: local.key })
    server.on('stream', (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => {
      stream.respond({ ':status': 404, 'x-path': headers[':path'] as string })
      stream.end('no')
    })
    const port = await listen(context, server as unknown as Server)
    const target: WireTarget = {
      scheme: 'https',
      host: 'sallyport.localhost',
      address: '127.0.0.1',
      port,
      ca: local.ca,
    }
    const found = answered(await sendHttp2(target, GET))
    assert.deepEqual([found.status, found.body, found.httpVersion], [404, 'no', '2.0'])
    assert.ok(found.headers.some(([name, value]) => name === 'x-path' && value === '/a?b'))
    const untrusted = await sendHttp2(
      { scheme: 'https', host: 'sallyport.localhost', address: '127.0.0.1', port },
      GET,
    )
    assert.equal('phase' in untrusted && untrusted.phase, 'tls')
  })
})

describe('a target', () => {
  it('is read from a URL', () => {
    assert.deepEqual(parseTarget('api.example.com').target, {
      scheme: 'https',
      host: 'api.example.com',
      port: 443,
    })
    assert.deepEqual(parseTarget('http://[::1]:8080/v1?x=1'), {
      target: { scheme: 'http', host: '::1', port: 8080 },
      path: '/v1?x=1',
    })
    assert.equal(originOf(parseTarget('http://[::1]:8080').target), 'http://[::1]:8080')
    for (const wrong of ['ftp://x', 'https://a:b@c', 'https://', ''])
      assert.throws(() => parseTarget(wrong), TypeError, wrong)
  })

  it('may be one replica of several', async () => {
    const { target } = parseTarget('https://api.example.com')
    assert.deepEqual(replicaAt(target, '10.0.0.1:8443'), {
      ...target,
      address: '10.0.0.1',
      addressPort: 8443,
    })
    assert.deepEqual(replicaAt(target, '[::1]'), { ...target, address: '::1', addressPort: 443 })
    for (const wrong of ['', 'a:b', 'a:99999', '::1'])
      assert.throws(() => replicaAt(target, wrong), TypeError, wrong)
    const local = await replicasOf({ scheme: 'http', host: 'localhost', port: 1 })
    assert.ok(local.some(({ address }) => address === '127.0.0.1' || address === '::1'))
  })
})

describe('a curl line', () => {
  const { target } = parseTarget('https://api.example.com')

  it('sends the same, and holds no secret', () => {
    assert.equal(
      curlLine(
        target,
        {
          method: 'GET',
          path: "/a'b",
          headers: [
            ['Authorization', 'Bearer s3cret'],
            ['Origin', 'https://x'],
          ],
        },
        { authorization: '$USER_CREDENTIAL' },
      ),
      `curl -s -i --path-as-is -H 'Authorization: $USER_CREDENTIAL' -H 'Origin: https://x' 'https://api.example.com/a'\\''b'`,
    )
  })

  it('writes raw bytes by printf', () => {
    assert.equal(
      curlLine({ ...target, scheme: 'http', port: 80 }, { raw: 'GET /%41 HTTP/1.1\r\nHost: {host}\r\n\r\n' }),
      `printf 'GET /%%41 HTTP/1.1\\r\\nHost: api.example.com\\r\\n\\r\\n' | nc api.example.com 80`,
    )
  })
})
