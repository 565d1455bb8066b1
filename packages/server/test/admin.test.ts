// The admin listener: what it tells, whom it lets in, and that it keeps to its own policy.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type GatewayOptions, localCertificate } from '../src/index.ts'
import { askAdmin, CHANGE } from './admin-client.ts'
import { ask, gatewayFor, HERE, IN_FRONT, temporaryFolder, upstreamFor } from './harness.ts'

async function gatewayWithAdmin(context: TestContext, options: Partial<GatewayOptions> = {}) {
  const upstream = await upstreamFor(context, (_request, response) => response.end('ok'))
  const running = await gatewayFor(context, {
    upstream,
    admin: { host: '127.0.0.1', port: 0 },
    ...options,
  })
  return { ...running, admin: running.gateway.adminUrl! }
}

test('there is no admin listener unless it is asked for', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end())
  const { gateway } = await gatewayFor(context, { upstream })
  assert.equal(gateway.adminUrl, undefined)
})

test('health and readiness are told, and metrics in the text format of Prometheus', async (context) => {
  const running = await gatewayWithAdmin(context)
  const health = await askAdmin(running.admin, '/healthz')
  assert.equal(health.status, 200)
  const { status, processes, eventLoopDelaySeconds } = JSON.parse(health.body)
  assert.deepEqual([status, processes], ['ok', 1])
  assert.ok(eventLoopDelaySeconds >= 0)
  const ready = await askAdmin(running.admin, '/readyz')
  assert.equal(ready.status, 200)
  assert.match(JSON.parse(ready.body).policyDigest, /^sha256:[0-9a-f]{64}$/)
  await ask(running, '/v1/account?token=hunter2')
  await ask(running, '/v1//twisted')
  const metrics = await askAdmin(running.admin, '/metrics')
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  assert.match(
    metrics.body,
    /^http_server_request_duration_seconds_count\{http_route="\/v1\/account\/\*",http_request_method="GET",http_response_status_code="200"\} 1$/m,
  )
  assert.match(
    metrics.body,
    /^sallyport_decisions_total\{control="SP-REQUEST-01",action="deny",code="path_not_canonical"\} 1$/m,
  )
  assert.match(metrics.body, /^sallyport_policy_info\{digest="sha256:[0-9a-f]{64}"\} 1$/m)
  assert.doesNotMatch(metrics.body, /hunter2|twisted/)
  for (const line of metrics.body.trimEnd().split('\n'))
    assert.match(line, /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})? [-+\w.]+)$/)
})

test('the admin listener is under a policy of its own', async (context) => {
  const { admin } = await gatewayWithAdmin(context)
  for (const path of ['/healthz', '/nothing', '/config']) {
    const { headers } = await askAdmin(admin, path)
    assert.equal(headers['cache-control'], 'no-store, private', path)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', path)
    assert.equal(headers['access-control-allow-origin'], undefined, path)
  }
})

const REFUSED: readonly (readonly [
  why: string,
  method: string,
  headers: Record<string, string>,
  status: number,
])[] = [
  ['a foreign name, as after DNS rebinding', 'GET', { Host: 'evil.example:9901' }, 421],
  ['a name that only begins like ours', 'GET', { Host: 'localhost.evil.example' }, 421],
  ['a page of another origin that reads', 'GET', { Origin: 'https://evil.example' }, 403],
  ['a page without an origin', 'GET', { Origin: 'null' }, 403],
  ['a page of another site, as the browser says', 'GET', { 'Sec-Fetch-Site': 'cross-site' }, 403],
  ['a change without the header', 'POST', {}, 403],
  ['a change for a page of another origin', 'POST', { ...CHANGE, Origin: 'https://evil.example' }, 403],
  [
    'a preflight for the header',
    'OPTIONS',
    { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    403,
  ],
]

for (const [why, method, headers, status] of REFUSED)
  test(`refused: ${why}`, async (context) => {
    const { admin } = await gatewayWithAdmin(context)
    const path = method === 'GET' ? '/config' : '/drain'
    const reply = await askAdmin(admin, path, { method, headers })
    assert.equal(reply.status, status)
    assert.doesNotMatch(reply.body, /policyDigest|draining/)
    assert.equal((await askAdmin(admin, '/readyz')).status, 200, 'it goes on')
  })

test('addresses, localhost and the names of the setting are its own names', async (context) => {
  const { admin } = await gatewayWithAdmin(context, {
    admin: { host: '127.0.0.1', port: 0, hosts: ['gateway.internal'] },
  })
  for (const Host of ['localhost', 'localhost:1', '127.0.0.1:9901', '[::1]:9901', 'gateway.internal:9901'])
    assert.equal((await askAdmin(admin, '/healthz', { headers: { Host } })).status, 200, Host)
})

test('the configuration is shown without a secret, and paths and methods are named', async (context) => {
  const { admin } = await gatewayWithAdmin(context)
  const shown = JSON.parse((await askAdmin(admin, '/config')).body)
  assert.equal(shown.policy.extends, undefined, 'it is the effective policy')
  assert.equal(shown.policy.headers.frameOptions, 'SAMEORIGIN')
  assert.match((await askAdmin(admin, '/nothing')).body, /There is \/healthz, .*\/drain/)
  const wrong = await askAdmin(admin, '/reload')
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'POST'])
  assert.equal((await askAdmin(admin, '/healthz', { method: 'HEAD' })).body, '')
})

test('a certificate that expires soon is a warning, and an expired one is not ready', async (context) => {
  let now = Date.now()
  const folder = await temporaryFolder(context)
  const tls = await localCertificate({ folder })
  const { admin } = await gatewayWithAdmin(context, { policy: HERE, tls, clock: () => now })
  const readiness = async () => {
    const { status, body } = await askAdmin(admin, '/readyz')
    return { status, ...(JSON.parse(body) as { reasons: string[]; warnings: string[] }) }
  }
  const { validToDate } = new X509Certificate(tls.cert)
  now = validToDate.getTime() - 15 * 86_400_000
  assert.deepEqual((await readiness()).warnings, [])
  now = validToDate.getTime() - 13 * 86_400_000
  const soon = await readiness()
  assert.equal(soon.status, 200)
  assert.match(
    soon.warnings[0]!,
    /^the certificate for sallyport\.localhost expires at 2\d{3}-.*; renew it in time$/,
  )
  now = validToDate.getTime() + 1_000
  const expired = await readiness()
  assert.equal(expired.status, 503)
  assert.match(expired.reasons[0]!, /^the certificate for sallyport\.localhost has expired at /)
})

test('a Unix socket is its owner’s alone, and only a dead one is taken over', async (context) => {
  const path = join(await temporaryFolder(context), 'admin.sock')
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listens'))`
  const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(killed.stdout, 'data')
  await assert.rejects(gatewayWithAdmin(context, { admin: { path } }), { code: 'EADDRINUSE' })
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  const { admin } = await gatewayWithAdmin(context, { admin: { path } })
  assert.equal(admin, `unix:${path}`)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await askAdmin(admin, '/healthz', { headers: { Host: 'whatever' } })).status, 200)
})

test('what comes over POST /drain drains: not ready, and then gone', async (context) => {
  const begun = Promise.withResolvers<ServerResponse>()
  const upstream = await upstreamFor(context, (_request, response) => begun.resolve(response))
  const running = await gatewayWithAdmin(context, { upstream })
  const { admin, gateway } = running
  const answered = ask(running, '/v1/slow')
  const held = await begun.promise
  const reply = await askAdmin(admin, '/drain', { method: 'POST', headers: CHANGE })
  assert.deepEqual([reply.status, JSON.parse(reply.body)], [202, { status: 'draining' }])
  const readiness = await askAdmin(admin, '/readyz')
  assert.equal(readiness.status, 503)
  assert.deepEqual(JSON.parse(readiness.body).reasons, ['the gateway is draining'])
  held.end('whole')
  assert.equal((await answered).body, 'whole')
  await gateway.close()
  await assert.rejects(askAdmin(admin, '/readyz'), { code: 'ECONNREFUSED' })
})

test('a gateway that was given its policy by a program has nothing to reload', async (context) => {
  const { admin } = await gatewayWithAdmin(context)
  const reply = await askAdmin(admin, '/reload', { method: 'POST', headers: CHANGE })
  assert.equal(reply.status, 409)
})

test('what would be denied is reported by route, origin and credential, and nothing of a credential is shown', async (context) => {
  const policy = { ...IN_FRONT, request: { mode: 'report' as const } }
  const running = await gatewayWithAdmin(context, { policy })
  const headers = { Origin: 'https://app.example', Authorization: 'Bearer hunter2hunter2' }
  for (let i = 0; i < 3; i++) await ask(running, '/v1//twisted', { headers })
  await ask(running, '/v1//twisted')
  const { body } = await askAdmin(running.admin, '/report')
  assert.doesNotMatch(body, /hunter2/)
  const report = JSON.parse(body)
  assert.deepEqual(
    report.reporting.map(({ name }: { name: string }) => name),
    ['request'],
  )
  assert.equal(report.requests, 4)
  const [row] = report.rows
  assert.deepEqual(
    [row.route, row.control, row.effect, row.what, row.count],
    ['!', 'SP-REQUEST-01', 'deny', 'path_not_canonical', 4],
  )
  assert.deepEqual(
    row.origins.map(({ name, count }: { name: string; count: number }) => [name, count]),
    [
      ['https://app.example', 3],
      ['-', 1],
    ],
  )
  assert.match(row.credentials[0].name, /^bearer:[0-9a-f]{12}$/)
  const { body: metrics } = await askAdmin(running.admin, '/metrics')
  assert.match(
    metrics,
    /^sallyport_would_do_by_origin_total\{origin="https:\/\/app\.example",effect="deny"\} 3$/m,
  )
})

test('250 connections that say nothing keep nobody from asking', async (context) => {
  const { admin } = await gatewayWithAdmin(context)
  const { port } = new URL(admin)
  const silent = await Promise.all(
    Array.from({ length: 250 }, async () => {
      const socket = connect({ port: Number(port), host: '127.0.0.1' }).on('error', () => {})
      context.after(() => socket.destroy())
      await once(socket, 'connect')
      return socket
    }),
  )
  for (let asked = 0; asked < 3; asked += 1) assert.equal((await askAdmin(admin, '/healthz')).status, 200)
  const ended = silent
    .slice(0, 100)
    .map((socket) => (socket.closed ? undefined : once(socket.resume(), 'close')))
  await Promise.all(ended)
})
