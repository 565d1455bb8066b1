// The access log: a line for each request, whatever it was, with nothing secret in it and nothing that breaks out of it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, rename, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { GatewayOptions } from '../src/index.ts'
import { quoted } from '../src/log/line.ts'
import { askAdmin } from './admin-client.ts'
import { ask, gatewayFor, HERE, IN_FRONT, rawExchange, temporaryFolder, upstreamFor } from './harness.ts'

async function logged(context: TestContext, options: Partial<GatewayOptions> = {}) {
  const file = join(await temporaryFolder(context), 'access.log')
  const upstream =
    options.upstream ??
    (await upstreamFor(context, (request, response) => {
      if (request.url === '/broken') request.socket.destroy()
      else response.end('0123456789')
    }))
  const running = await gatewayFor(context, { ...options, upstream, accessLog: { file } })
  // Closing writes what is left.
  const lines = async () => {
    await running.gateway.close({ graceMs: 0 })
    const text = await readFile(file, 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  return { ...running, file, lines }
}

test('each request is one line by the names of OpenTelemetry, with its route and its decision', async (context) => {
  const running = await logged(context)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await ask(running, '/v1/account/7?token=hunter2', {
    headers: { Authorization: 'Bearer hunter2', Cookie: 'session=hunter2', traceparent },
  })
  await ask(running, '/v1//twisted')
  await ask(running, '/broken')
  const [passed, refused, failed] = await running.lines()
  assert.ok(passed && refused && failed)
  assert.match(String(passed['timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.ok(Math.abs(Date.parse(String(passed['timestamp'])) - Date.now()) < 60_000)
  assert.equal(passed['http.request.method'], 'GET')
  assert.equal(passed['url.path'], '/v1/account/7')
  assert.equal(passed['http.route'], '/v1/account/*')
  assert.equal(passed['http.response.status_code'], 200)
  assert.equal(passed['client.address'], '127.0.0.1')
  assert.equal(passed['network.protocol.version'], '1.1')
  assert.equal(passed['sallyport.decision'], 'pass')
  assert.match(String(passed['http.request.id']), /^[0-9a-f]{32}$/)
  assert.match(String(passed['trace_id']), /^[0-9a-f]{32}$/)
  assert.ok(Number(passed['http.response.size']) > 10)
  assert.ok(Number(passed['http.request.size']) > 100)
  assert.ok(Number(passed['http.server.request.duration']) > 0)
  assert.deepEqual(
    [
      refused['sallyport.decision'],
      refused['sallyport.rule'],
      refused['sallyport.code'],
      refused['http.route'],
    ],
    ['deny', 'SP-REQUEST-01', 'path_not_canonical', '!'],
  )
  assert.deepEqual([failed['http.response.status_code'], failed['error.type']], [502, 'UND_ERR_SOCKET'])
  assert.doesNotMatch(await readFile(running.file, 'utf8'), /hunter2/)
})

test('answers that Node gives by itself, and requests whose client left, have their line too', async (context) => {
  const arrived = Promise.withResolvers<IncomingMessage>()
  const upstream = await upstreamFor(context, (request) => arrived.resolve(request))
  const running = await logged(context, { upstream })
  assert.match((await rawExchange(running.port, 'GET / HTTP/1.1\r\n\r\n')).text, /^HTTP\/1\.1 400 /)
  const socket = connect(running.port, '127.0.0.1')
  socket.write('GET /left HTTP/1.1\r\nHost: a.example\r\n\r\n')
  const held = await arrived.promise
  socket.destroy()
  await once(held.socket, 'close')
  assert.match((await rawExchange(running.port, 'GET  / HTTP/9.9\r\n\r\n')).text, /^HTTP\/1\.1 400 /)
  const [withoutHost, left, unread] = await running.lines()
  assert.deepEqual(
    [withoutHost?.['http.response.status_code'], withoutHost?.['sallyport.code']],
    [400, 'host_invalid'],
  )
  assert.deepEqual([left?.['url.path'], left?.['http.response.status_code']], ['/left', undefined])
  assert.deepEqual(
    [unread?.['http.request.method'], unread?.['sallyport.code'], unread?.['client.address']],
    ['_OTHER', 'unreadable', '127.0.0.1'],
  )
})

for (const [where, policy] of [
  ['plain', IN_FRONT],
  ['encrypted', HERE],
] as const)
  test(`requests that a drain breaks off have their line, on a connection that is ${where}`, async (context) => {
    const [begun, silent] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const upstream = await upstreamFor(context, (request, response) => {
      if (request.url === '/begun') response.write('begun', () => begun.resolve())
      else silent.resolve()
    })
    const running = await logged(context, { upstream, policy })
    const asked = ['/begun', '/silent'].map((path) => ask(running, path).catch(() => {}))
    await Promise.all([begun.promise, silent.promise])
    const lines = await running.lines()
    await Promise.all(asked)
    const seen = lines.map((line) => [line['url.path'], line['error.type']])
    assert.deepEqual(seen.sort(), [
      ['/begun', 'ERR_GATEWAY_CLOSING'],
      ['/silent', 'ERR_GATEWAY_CLOSING'],
    ])
  })

test('the bytes of requests on one connection are each their own', async (context) => {
  const running = await logged(context)
  const get = 'GET /a HTTP/1.1\r\nHost: a.example\r\n'
  const text = `${get}\r\n${get}Connection: close\r\n\r\n`
  await rawExchange(running.port, text)
  const lines = await running.lines()
  assert.equal(lines.length, 2)
  const sum = lines.reduce((total, line) => total + Number(line['http.request.size']), 0)
  assert.equal(sum, text.length)
})

test('where TLS ends here its version is in the line', async (context) => {
  const running = await logged(context, { policy: HERE })
  await ask(running, '/')
  assert.equal((await running.lines())[0]?.['tls.protocol.version'], '1.3')
})

test('a path that holds anything stays in its field and its line', async (context) => {
  const running = await logged(context, { policy: { ...IN_FRONT, request: { mode: 'off' } } })
  const path = '/a"b\\c\u00ff","http.route":"x'
  await rawExchange(running.port, `GET ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`)
  const lines = await running.lines()
  assert.equal(lines.length, 1)
  assert.notEqual(lines[0]?.['http.route'], 'x')
})

test('any text is quoted as JSON in one line that no reader splits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const line = quoted(text)
      assert.equal(JSON.parse(line), text)
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
    }),
  )
  assert.equal(JSON.parse(quoted('\ud800')), '\ud800')
  assert.ok(quoted('x'.repeat(1e6)).length < 1_100)
})

test('a log that was moved away is opened anew under its name, and only its owner and group read it', async (context) => {
  const running = await logged(context)
  await ask(running, '/first')
  await rename(running.file, `${running.file}.1`)
  await running.gateway.reopenLog()
  const old = await readFile(`${running.file}.1`, 'utf8')
  await ask(running, '/last')
  const lines = await running.lines()
  assert.equal(lines.at(-1)?.['url.path'], '/last')
  assert.equal(await readFile(`${running.file}.1`, 'utf8'), old)
  assert.equal(old.split('\n').length - 1 + lines.length, 2)
  assert.equal((await stat(running.file)).mode & 0o007, 0)
})

test('a log that can’t be written costs lines, which are counted, and no request', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end('ok'))
  const running = await gatewayFor(context, {
    upstream,
    accessLog: { file: '/dev/full' },
    admin: { host: '127.0.0.1', port: 0 },
  })
  assert.equal((await ask(running, '/')).body, 'ok')
  for (;;) {
    const { body } = await askAdmin(running.gateway.adminUrl!, '/metrics')
    const dropped = Number(/^sallyport_access_log_dropped_lines_total (\d+)$/m.exec(body)?.[1])
    if (dropped > 0) break
  }
  assert.equal((await ask(running, '/')).body, 'ok')
})
