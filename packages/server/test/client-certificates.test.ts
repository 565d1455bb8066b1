// Certificates of clients: who has none or a wrong one gets no answer, and who has one is known by it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, readFile, rm } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { SecureContextOptions } from 'node:tls'
import type { TlsSetting } from '../src/tls/setting.ts'
import { certificate, type Made } from './certificates.ts'
import { gatewayFor, HERE, temporaryFolder, upstreamFor } from './harness.ts'

type Clients = NonNullable<TlsSetting['clientCertificates']>

async function world(context: TestContext, clients: Omit<Clients, 'ca'>, clock = Date.now) {
  const folder = await temporaryFolder(context)
  const root = certificate(folder, { as: 'root', isAuthority: true })
  const api = certificate(folder, { as: 'api', by: root, san: 'DNS:api.example.com' })
  const clientRoot = certificate(folder, { as: 'client-root', isAuthority: true })
  const client = certificate(folder, {
    as: 'billing',
    by: clientRoot,
    san: 'DNS:billing.example.com,URI:spiffe://example/billing',
  })
  const seen: (readonly string[])[] = []
  const upstream = await upstreamFor(context, (asked, response) => {
    seen.push(asked.rawHeaders)
    response.end('ok')
  })
  const log = join(folder, 'access.log')
  const running = await gatewayFor(context, {
    upstream,
    policy: HERE,
    clock,
    accessLog: { file: log },
    tls: { certificates: [api], clientCertificates: { ca: clientRoot.cert, ...clients } },
  })
  const ca = await readFile(root.cert, 'utf8')
  return { ...running, ca, folder, root, clientRoot, client, seen, log }
}

const material = async ({ cert, key }: Made): Promise<SecureContextOptions> => ({
  cert: await readFile(cert),
  key: await readFile(key),
})

/** The status, or the error that the client meets. */
function ask(
  port: number,
  ca: string,
  own: SecureContextOptions = {},
  headers = {},
): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(
      {
        ...{ host: '127.0.0.1', port, ca, servername: 'api.example.com', agent: false, ...own },
        headers: { Host: 'api.example.com', ...headers },
      },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode!))
      },
    )
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
    asked.end()
  })
}

const told = (events: readonly { readonly event: string; readonly reason: string }[]) =>
  events.map(({ event, reason }) => `${event} ${reason}`)

test('where a certificate is required, nothing is served without one, or with one of somebody else', async (context) => {
  const { port, ca, client, folder, root, seen, events } = await world(context, {})
  assert.equal(await ask(port, ca), 'ECONNRESET')
  const stranger = certificate(folder, { as: 'stranger', isAuthority: true })
  assert.equal(
    await ask(port, ca, await material(certificate(folder, { as: 'x', by: stranger }))),
    'ECONNRESET',
  )
  // The authority of the server's own certificate is no authority of clients.
  assert.equal(await ask(port, ca, await material(certificate(folder, { as: 'y', by: root }))), 'ECONNRESET')
  assert.equal(seen.length, 0)
  assert.equal(await ask(port, ca, await material(client)), 200)
  assert.deepEqual(told(events), [
    'connection-refused client-certificate: none',
    'connection-refused client-certificate: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    // Node's client sends its own authorities along.
    'connection-refused client-certificate: SELF_SIGNED_CERT_IN_CHAIN',
  ])
})

test('where one is asked for, none is well, and one that does not hold is not', async (context) => {
  const { port, ca, client, folder, root } = await world(context, { mode: 'request' })
  assert.equal(await ask(port, ca), 200)
  assert.equal(await ask(port, ca, await material(client)), 200)
  assert.equal(await ask(port, ca, await material(certificate(folder, { as: 'y', by: root }))), 'ECONNRESET')
})

test('who has shown one is in the log, and the upstream is told only where the setting says so', async (context) => {
  for (const forward of [false, true]) {
    const { gateway, port, ca, client, seen, log } = await world(context, { forward })
    const own = await material(client)
    // What a client writes itself is nothing.
    const headers = {
      'Client-Cert': ':AAAA:',
      'X-Client-Cert': 'x',
      'Client-Cert-Chain': ':AAAA:',
      client_cert: ':AAAA:',
    }
    assert.equal(await ask(port, ca, own, headers), 200)
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername: 'api.example.com', ...own })
    const stream = session.request({ ':authority': 'api.example.com', 'client-cert': ':AAAA:' })
    await once(stream.resume(), 'close')
    session.destroy()
    const sent = seen.map((raw) => raw.filter((_, index) => /client.cert/i.test(raw[index - (index % 2)]!)))
    const pem = await readFile(client.cert, 'latin1')
    const der = `:${pem.replace(/-----[A-Z ]+-----|\n/g, '')}:`
    assert.deepEqual(
      sent,
      forward
        ? [
            ['Client-Cert', der],
            ['Client-Cert', der],
          ]
        : [[], []],
    )
    await gateway.close()
    const lines = (await readFile(log, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(lines.length, 2)
    for (const line of lines) {
      assert.equal(line['tls.protocol.version'], '1.3')
      assert.equal(line['tls.client.subject'], 'O=Example, CN=billing')
      assert.match(line['tls.client.hash.sha256'], /^[0-9a-f]{64}$/)
    }
    await rm(log)
  }
})

test('without the setting nobody is asked, and a header that claims a certificate is dropped', async (context) => {
  const folder = await temporaryFolder(context)
  const api = certificate(folder, { as: 'api', san: 'DNS:api.example.com' })
  const seen: (readonly string[])[] = []
  const upstream = await upstreamFor(context, (asked, response) => {
    seen.push(asked.rawHeaders)
    response.end('ok')
  })
  const { port } = await gatewayFor(context, { upstream, policy: HERE, tls: { certificates: [api] } })
  const own = await material(certificate(folder, { as: 'me' }))
  assert.equal(await ask(port, await readFile(api.cert, 'utf8'), own, { 'Client-Cert': ':AAAA:' }), 200)
  assert.ok(!seen[0]!.some((text) => /client-cert/i.test(text)))
})

test('authorities are replaced by a reload, and no session of the old ones is resumed', async (context) => {
  const { gateway, port, ca, client, clientRoot, folder, events } = await world(context, {})
  const own = await material(client)
  let session: Buffer | undefined
  const first = request({
    ...{ host: '127.0.0.1', port, ca, servername: 'api.example.com', agent: false, ...own },
    headers: { Host: 'api.example.com' },
  })
  first.on('socket', (socket) => socket.on('session', (made: Buffer) => (session = made)))
  first.end()
  const [response] = await once(first, 'response')
  await once(response.resume(), 'end')
  assert.ok(session)
  // Resumed, though no certificate goes over the wire: the session stands for it.
  assert.equal(await ask(port, ca, { session } as object), 200)
  const next = certificate(folder, { as: 'next-root', isAuthority: true })
  await copyFile(next.cert, clientRoot.cert)
  const outcome = await gateway.reload()
  assert.deepEqual(outcome?.ok && outcome.notes, ['the authorities of clients are new'])
  assert.equal(await ask(port, ca, { session } as object), 'ECONNRESET')
  assert.equal(await ask(port, ca, own), 'ECONNRESET')
  assert.equal(await ask(port, ca, await material(certificate(folder, { as: 'z', by: next }))), 200)
  assert.equal(events[0]!.event, 'reloaded')
})

test('a session does not outlive the certificate by which it was let in', async (context) => {
  let now = Date.now()
  const { port, ca, client } = await world(context, {}, () => now)
  assert.equal(await ask(port, ca, await material(client)), 200)
  now += 31 * 86_400_000
  assert.equal(await ask(port, ca, await material(client)), 'ECONNRESET')
})
