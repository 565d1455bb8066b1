// TLS at the gateway: the right certificate for each name, new ones while connections are open, sessions that are resumed
// across gateways, and nothing older or weaker than the policy allows.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { loadPolicy } from 'sallyport/settings'
import { runs } from '../../sallyport/test/runs.ts'
import { type GatewayOptions, startFleet } from '../src/index.ts'
import { askAdmin, CHANGE } from './admin-client.ts'
import { certificate } from './certificates.ts'
import { gatewayFor, HERE, temporaryFolder, upstreamFor } from './harness.ts'

const DAY = 86_400_000

async function world(context: TestContext) {
  const folder = await temporaryFolder(context)
  const root = certificate(folder, { as: 'root', isAuthority: true })
  const api = certificate(folder, { as: 'api', by: root, san: 'DNS:api.example.com' })
  const pay = certificate(folder, { as: 'pay', by: root, san: 'DNS:pay.example.com,DNS:*.pay.example.com' })
  const upstream = await upstreamFor(context, (_request, response) => response.end('ok'))
  const ca = await readFile(root.cert, 'utf8')
  const start = (options: Partial<GatewayOptions>) =>
    gatewayFor(context, { upstream, policy: HERE, ...options })
  return { folder, root, api, pay, ca, upstream, start }
}

/** The subject that a client sees, or the error that it meets. */
async function seen(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', checkServerIdentity: () => undefined, ...options })
  try {
    await once(socket, 'secureConnect')
    return /^CN=(.+)$/m.exec(socket.getPeerX509Certificate()!.subject)![1]!
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!
  } finally {
    socket.destroy()
  }
}

test('each name has its certificate, and the first serves the rest', async (context) => {
  const { api, pay, ca, start } = await world(context)
  const { port } = await start({ tls: { certificates: [api, pay] } })
  for (const [servername, subject] of [
    ['api.example.com', 'api'],
    ['pay.example.com', 'pay'],
    ['X.pay.example.com', 'pay'],
    ['x.y.pay.example.com', 'api'],
    ['other.example', 'api'],
    ['', 'api'],
  ] as const)
    assert.equal(await seen(port, { ca, servername }), subject, servername)
})

test('names of the setting stand in place of those in the certificate', async (context) => {
  const { api, pay, ca, start } = await world(context)
  const { port } = await start({ tls: { certificates: [api, { ...pay, names: ['api.example.com'] }] } })
  assert.equal(await seen(port, { ca, servername: 'pay.example.com' }), 'api')
})

test('a client that asks for an unknown name is refused where the setting says so, and told of', async (context) => {
  const { api, pay, ca, start } = await world(context)
  const { port, events } = await start({ tls: { certificates: [api, pay], unknownNames: 'refuse' } })
  assert.equal(await seen(port, { ca, servername: 'pay.example.com' }), 'pay')
  assert.equal(await seen(port, { ca, servername: 'other.example' }), 'ECONNRESET')
  assert.deepEqual(
    events.map(({ event, reason }) => [event, reason]),
    [['connection-refused', 'tls: no certificate for the name']],
  )
})

test('a bad file keeps the gateway from starting, and all mistakes are said at once', async (context) => {
  const { api, pay, start } = await world(context)
  await assert.rejects(
    start({
      tls: {
        certificates: [
          { ...api, key: pay.key },
          { ...pay, cert: '/none' },
        ],
      },
    }),
    {
      name: 'TlsMaterialFault',
      message:
        /^tls\.certificates\[0\]\.key: \S+ is not the key of \S+; .*\ntls\.certificates\[1\]\.cert: \/none can’t be read \(ENOENT\); /,
    },
  )
})

function get(port: number, agent: Agent): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, agent, servername: 'api.example.com', headers: { Host: 'api.example.com' } },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.socket as TLSSocket))
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

test('a new certificate is served from the next connection on, and a bad one keeps the old and says why', async (context) => {
  const { folder, root, api, pay, ca, upstream, start } = await world(context)
  const { gateway, port, events } = await start({
    tls: { certificates: [api] },
    admin: { host: '127.0.0.1', port: 0 },
    upstream,
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca })
  context.after(() => agent.destroy())
  const socket = await get(port, agent)
  const fresh = async () => {
    const other = new Agent({ ca })
    const found = (await get(port, other)).getPeerX509Certificate()!.fingerprint256
    other.destroy()
    return found
  }
  const before = await fresh()

  await copyFile(pay.key, api.key)
  const reply = await askAdmin(gateway.adminUrl!, '/reload', { method: 'POST', headers: CHANGE })
  assert.equal(reply.status, 422)
  assert.match(
    JSON.parse(reply.body).problems[0],
    /^tls\.certificates\[0\]\.key: \S+ is not the key of \S+api\.pem; /,
  )
  assert.equal(await fresh(), before)
  assert.match(
    JSON.parse((await askAdmin(gateway.adminUrl!, '/readyz')).body).reloadProblems[0],
    /is not the key/,
  )

  certificate(folder, { as: 'api', by: root, san: 'DNS:api.example.com', days: 60 })
  const outcome = await gateway.reload()
  assert.deepEqual(outcome?.ok && outcome.notes.map((note) => note.replace(/\S+Z$/, 'then')), [
    'the certificate for api.example.com is new, and valid until then',
  ])
  assert.notEqual(await fresh(), before)
  assert.equal(await get(port, agent), socket)
  assert.equal(events.at(-1)!.event, 'reloaded')
  // What is the same is nobody's news.
  assert.deepEqual((await gateway.reload()) as object, { ...outcome, notes: [] })
})

const LOAD = 60 * runs(1).numRuns
test('new certificates under load cost no request', { timeout: 60_000 + LOAD * 20 }, async (context) => {
  const { folder, root, api, ca, start } = await world(context)
  const { gateway, port } = await start({ tls: { certificates: [api] } })
  const kept = new Agent({ keepAlive: true, maxSockets: 2, ca })
  context.after(() => kept.destroy())
  let left = LOAD
  let failed = 0
  async function load(agentFor: () => Agent): Promise<void> {
    while (left-- > 0) {
      const agent = agentFor()
      await get(port, agent).catch(() => failed++)
      if (agent !== kept) agent.destroy()
    }
  }
  const loads = [
    load(() => kept),
    load(() => kept),
    load(() => new Agent({ ca })),
    load(() => new Agent({ ca })),
  ]
  let reloads = 0
  while (left > 0) {
    certificate(folder, { as: 'api', by: root, san: 'DNS:api.example.com' })
    const outcome = await gateway.reload()
    assert.ok(outcome?.ok)
    reloads++
  }
  await Promise.all(loads)
  context.diagnostic(`${LOAD} requests: ${failed} failed, over ${reloads} new certificates`)
  assert.equal(failed, 0)
  assert.ok(reloads > 1)
})

test('a certificate that is written anew is found without a word', async (context) => {
  const { folder, root, api, ca, start } = await world(context)
  const told = Promise.withResolvers<string>()
  const { port } = await start({
    tls: { certificates: [api] },
    log: ({ event, reason }) => event === 'reloaded' && told.resolve(reason),
  })
  const made = certificate(await temporaryFolder(context), {
    as: 'new',
    by: root,
    san: 'DNS:api.example.com',
  })
  // The key first: until both are there, they don't belong together, and what was goes on.
  await copyFile(made.key, api.key)
  await copyFile(made.cert, api.cert)
  assert.match(await told.promise, /the certificate for api\.example\.com is new/)
  assert.equal(await seen(port, { ca, servername: 'api.example.com' }), 'new')
  assert.ok(folder)
})

/** What openssl says of a connection; it asks for one answer. */
async function openssl(port: number, ...args: readonly string[]): Promise<string> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...args])
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  child.stdin.on('error', () => {})
  child.stdin.write('GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n')
  await once(child, 'close')
  return text
}

const isResumed = (text: string) => /^Reused, TLSv1\.[23]/m.test(text)

for (const version of ['1_2', '1_3'])
  test(`a session of TLS ${version.replace('_', '.')} is resumed by another gateway with the same file, up to the day after`, async (context) => {
    const { folder, api, start } = await world(context)
    let now = Date.now()
    const options: Partial<GatewayOptions> = {
      tls: { certificates: [api], ticketKeys: { file: join(folder, 'tickets') } },
      policy: { ...HERE, transport: { tls: 'here', minVersion: 'TLSv1.2' } },
      clock: () => now,
    }
    const [first, second] = [await start(options), await start(options)]
    const stranger = await start({ ...options, tls: { certificates: [api] } })
    const file = join(folder, 'session')
    const args = [`-tls${version}`, '-servername', 'api.example.com']
    assert.ok(!isResumed(await openssl(first.port, ...args, '-sess_out', file)))
    assert.ok(isResumed(await openssl(second.port, ...args, '-sess_in', file)))
    assert.ok(!isResumed(await openssl(stranger.port, ...args, '-sess_in', file)))
    now += DAY
    assert.ok(isResumed(await openssl(second.port, ...args, '-sess_in', file)))
    now += DAY
    for (const { port } of [first, second])
      assert.ok(!isResumed(await openssl(port, ...args, '-sess_in', file)))
  })

test('a session outlives a reload of the certificate', async (context) => {
  const { folder, root, api, start } = await world(context)
  const { gateway, port } = await start({ tls: { certificates: [api] } })
  const file = join(folder, 'session')
  await openssl(port, '-servername', 'api.example.com', '-sess_out', file)
  certificate(folder, { as: 'api', by: root, san: 'DNS:api.example.com' })
  assert.equal((await gateway.reload())?.ok, true)
  assert.ok(isResumed(await openssl(port, '-servername', 'api.example.com', '-sess_in', file)))
})

test('every process of a fleet resumes the sessions of the others, and gets the new certificate', async (context) => {
  const { folder, root, api, ca, upstream } = await world(context)
  const fleet = await startFleet({
    workers: 2,
    policy: HERE,
    upstream,
    listen: { host: '127.0.0.1', port: 0 },
    tls: { certificates: [api] },
    watch: false,
  })
  context.after(() => fleet.close({ graceMs: 0 }))
  const port = Number(new URL(fleet.url).port)
  const file = join(folder, 'session')
  await openssl(port, '-servername', 'api.example.com', '-sess_out', file)
  // The system shares connections out by their address, so that each process has some of these.
  for (let i = 0; i < 12; i++)
    assert.ok(isResumed(await openssl(port, '-servername', 'api.example.com', '-sess_in', file)))
  await writeFile(api.key, 'nothing')
  assert.equal((await fleet.reload())?.ok, false)
  certificate(folder, { as: 'new', by: root, san: 'DNS:api.example.com' })
  await copyFile(join(folder, 'new-key.pem'), api.key)
  await copyFile(join(folder, 'new.pem'), api.cert)
  const outcome = await fleet.reload()
  assert.match((outcome?.ok && outcome.notes[0]) || '', /^the certificate for api\.example\.com is new/)
  for (let i = 0; i < 12; i++) assert.equal(await seen(port, { ca, servername: 'api.example.com' }), 'new')
})

test('the local certificate is renewed while the gateway runs', async (context) => {
  const folder = await temporaryFolder(context)
  let now = Date.now()
  const upstream = await upstreamFor(context, (_request, response) => response.end('ok'))
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { gateway, port } = await gatewayFor(context, {
    upstream,
    policy: HERE,
    clock: () => now,
    stateFolder: folder,
    // The harness would give the texts of one.
    tls: {},
  })
  // By a clock of its own, which the client does not know.
  const print = async () => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerX509Certificate()!
    socket.destroy()
    return fingerprint256
  }
  const before = await print()
  now += 61 * DAY
  context.mock.timers.tick(3_600_000)
  context.mock.timers.reset()
  while ((await print()) === before) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(gateway)
})

const REFUSED: readonly (readonly [what: string, options: ConnectionOptions, code: RegExp])[] = [
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }, /ALERT_PROTOCOL_VERSION$/],
  ['finite-field groups', { ecdhCurve: 'ffdhe2048' }, /ALERT_HANDSHAKE_FAILURE$/],
  ['protocols that are not spoken', { ALPNProtocols: ['spdy/3'] }, /ALERT_NO_APPLICATION_PROTOCOL$/],
]

for (const [what, options, code] of REFUSED)
  test(`${what}: an alert, where the policy says nothing of it`, async (context) => {
    const { port, ca } = await (await world(context)).start({})
    const socket = connect({ port, host: '127.0.0.1', ca, servername: 'sallyport.localhost', ...options })
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    assert.match(error.code!, code)
  })

test('with TLS 1.2 in the policy, suites without forward secrecy or AEAD are refused', async (context) => {
  const { port, ca } = await (await world(context)).start({
    policy: { ...HERE, transport: { tls: 'here', minVersion: 'TLSv1.2' } },
  })
  const options = { ca, servername: 'sallyport.localhost', maxVersion: 'TLSv1.2' } as const
  assert.equal(
    await seen(port, { ...options, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
    'sallyport.localhost',
  )
  for (const ciphers of ['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-CCM', 'AES128-GCM-SHA256'])
    assert.match(await seen(port, { ...options, ciphers }), /HANDSHAKE_FAILURE/, ciphers)
})

test('the readiness and the metrics of each certificate', async (context) => {
  const { folder, root, api, start } = await world(context)
  const soon = certificate(folder, { as: 'soon', by: root, san: 'DNS:soon.example.com', days: 5 })
  const { gateway } = await start({
    tls: { certificates: [api, soon] },
    admin: { host: '127.0.0.1', port: 0 },
    source: { name: 'p', files: [], load: () => loadPolicy(undefined, folder) },
  })
  const ready = JSON.parse((await askAdmin(gateway.adminUrl!, '/readyz')).body)
  assert.deepEqual(
    ready.warnings.map((warning: string) => warning.replace(/at \S+Z/, 'then')),
    ['the certificate for soon.example.com expires then; renew it in time'],
  )
  const metrics = (await askAdmin(gateway.adminUrl!, '/metrics')).body
  assert.match(
    metrics,
    /^sallyport_certificate_expiry_timestamp_seconds\{certificate="1",name="soon\.example\.com"\} \d{10}$/m,
  )
})
