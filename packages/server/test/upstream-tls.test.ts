// TLS behind the gateway: the upstream's certificate is verified whatever the surroundings say, and the gateway shows its
// own where it has one.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { GatewayOptions } from '../src/index.ts'
import { certificate, type Made } from './certificates.ts'
import { ask, gatewayFor, temporaryFolder } from './harness.ts'

type Tls = NonNullable<NonNullable<GatewayOptions['upstreams']>[string]['tls']>

async function secureFor(context: TestContext, options: ServerOptions): Promise<string> {
  const server = createServer(options, (request, response) => {
    const socket = request.socket as TLSSocket & { servername?: string }
    const { subject } = socket.getPeerCertificate()
    response.end(
      JSON.stringify({ client: subject?.CN, name: socket.servername, version: socket.getProtocol() }),
    )
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function asked(context: TestContext, url: string, tls?: Tls) {
  const running = await gatewayFor(context, { upstreams: { api: { urls: [url], ...(tls ? { tls } : {}) } } })
  const { status, body } = await ask(running, '/')
  return { status, seen: status === 200 ? JSON.parse(body) : undefined, reason: running.events[0]?.reason }
}

const here = ({ cert, key }: Made) => ({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') })

/** An authority in a folder of the test's own. */
async function authorityFor(context: TestContext) {
  const folder = await temporaryFolder(context)
  const own = certificate(folder, { as: 'ours', isAuthority: true })
  return {
    caFile: own.cert,
    leaf: (as: string, usage: 'serverAuth' | 'clientAuth', san: string) =>
      certificate(folder, { as, by: own, usage, san }),
  }
}

type Authority = Awaited<ReturnType<typeof authorityFor>>

const SERVER = 'DNS:api.internal,IP:127.0.0.1'

test('a certificate of the named authority is taken, another is not', async (context) => {
  const [ours, theirs] = await Promise.all([authorityFor(context), authorityFor(context)])
  const url = await secureFor(context, here(ours.leaf('api', 'serverAuth', SERVER)))
  assert.equal((await asked(context, url, { ca: ours.caFile })).seen.version, 'TLSv1.3')
  assert.deepEqual(await asked(context, url, { ca: theirs.caFile }), {
    status: 502,
    seen: undefined,
    reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  })
  assert.equal((await asked(context, url)).status, 502)
})

test('no variable of the environment undoes the check', async (context) => {
  const ours = await authorityFor(context)
  const url = await secureFor(context, here(ours.leaf('api', 'serverAuth', SERVER)))
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  context.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
  assert.equal((await asked(context, url)).status, 502)
})

for (const [name, leaf, code] of [
  [
    'for another name',
    (ca: Authority) => ca.leaf('api', 'serverAuth', 'DNS:other.internal'),
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  ['that is for clients', (ca: Authority) => ca.leaf('api', 'clientAuth', SERVER), 'INVALID_PURPOSE'],
] as const)
  test(`a certificate ${name} is not taken`, async (context) => {
    const ours = await authorityFor(context)
    const url = await secureFor(context, here(leaf(ours)))
    const { status, reason } = await asked(context, url, { ca: ours.caFile })
    assert.deepEqual([status, reason], [502, code])
  })

test('the name of the certificate can be said, and is asked for', async (context) => {
  const ours = await authorityFor(context)
  const url = await secureFor(context, here(ours.leaf('api', 'serverAuth', 'DNS:api.internal')))
  assert.equal((await asked(context, url, { ca: ours.caFile })).status, 502)
  const { status, seen } = await asked(context, url, { ca: ours.caFile, serverName: 'api.internal' })
  assert.deepEqual([status, seen.name], [200, 'api.internal'])
  assert.equal((await asked(context, url, { ca: ours.caFile, serverName: 'api.other' })).status, 502)
})

test('an upstream that asks for a certificate gets ours, and refuses without', async (context) => {
  const ours = await authorityFor(context)
  const url = await secureFor(context, {
    ...here(ours.leaf('api', 'serverAuth', SERVER)),
    ca: readFileSync(ours.caFile, 'utf8'),
    requestCert: true,
    rejectUnauthorized: true,
  })
  const { cert, key } = ours.leaf('gateway', 'clientAuth', 'DNS:gateway.internal')
  const { status, seen } = await asked(context, url, { ca: ours.caFile, cert, key })
  assert.deepEqual([status, seen.client], [200, 'gateway'])
  assert.equal((await asked(context, url, { ca: ours.caFile })).status, 502)
})

test('HTTP/2 is not offered, since its streams would share a connection', async (context) => {
  const ours = await authorityFor(context)
  const offered: string[][] = []
  const url = await secureFor(context, {
    ...here(ours.leaf('api', 'serverAuth', SERVER)),
    ALPNCallback: ({ protocols }) => {
      offered.push(protocols)
      return protocols[0]
    },
  })
  assert.equal((await asked(context, url, { ca: ours.caFile })).status, 200)
  assert.deepEqual(offered, [['http/1.1']])
})

test('a file that can not be used is named, and nothing of it is shown', async (context) => {
  const [ours, folder] = await Promise.all([authorityFor(context), temporaryFolder(context)])
  const one = ours.leaf('one', 'clientAuth', 'DNS:one')
  const other = ours.leaf('other', 'clientAuth', 'DNS:other')
  const text = join(folder, 'text')
  writeFileSync(text, 'secret words')
  const half = join(folder, 'half')
  writeFileSync(half, '-----BEGIN PRIVATE KEY-----\nsecret words\n-----END PRIVATE KEY-----\n')
  const start = (tls: Tls) => gatewayFor(context, { upstreams: { api: { urls: ['https://a'], tls } } })
  for (const [tls, message] of [
    [
      { ca: `${folder}/gone` },
      /^TypeError: upstreams\.api\.tls\.ca: \S+gone can't be read \(ENOENT\); name a file/,
    ],
    [{ ca: text }, /^TypeError: upstreams\.api\.tls\.ca: \S+text is not PEM; /],
    [{ ca: one.key }, /^TypeError: upstreams\.api\.tls\.ca: \S+key\.pem holds no certificate/],
    [{ cert: one.cert, key: half }, /^TypeError: upstreams\.api\.tls\.key: \S+half holds no private key/],
    [
      { cert: one.cert, key: other.key },
      /^TypeError: upstreams\.api\.tls\.key: the key in \S+ is not that of the certificate/,
    ],
  ] as const)
    await assert.rejects(
      start(tls),
      (error) => message.test(String(error)) && !String(error).includes('secret'),
    )
})
