// A gateway with an embedded store: keys are known, failures are counted, what happens is in the log, and a restart
// forgets none of it.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openStore } from '@sallyport/store'
import { checkLog } from '@sallyport/store/audit'
import type { PolicyDocument } from 'sallyport'
import { auditSearch } from '../../../store/src/statements/audit.ts'
import { removeFolder } from '../../../store/test/fixtures/remove.ts'
import { startGateway } from '../../src/index.ts'

const POLICY: PolicyDocument = {
  extends: 'recommended',
  transport: { tls: 'in-front' },
  keys: { vendor: 'acme' },
  audit: { record: true },
  routes: {
    'POST /sign-in': {
      credentials: 'none',
      lockout: { name: { from: 'json', field: 'email' }, success: [200] },
    },
    '/v1/*': { data: 'private', access: { authenticated: true } },
  },
}

async function upstream(test: TestContext): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const isRight = request.url !== '/sign-in' || JSON.parse(body).password === 'right'
    response.writeHead(isRight ? 200 : 401, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ path: request.url }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  test.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-gateway-'))
  test.after(() => removeFolder(folder))
  return folder
}

test('H12 H19 failures of a sign-in are counted, logged with their risk, and outlive the gateway', async (context) => {
  const folder = folderOf(context)
  const start = async () =>
    startGateway({
      policy: POLICY,
      upstream: await upstream(context),
      listen: { host: '127.0.0.1', port: 0 },
      stateFolder: folder,
      places: { store: { folder: join(folder, 'store') } },
    })
  const guess = (url: string, password: string) =>
    fetch(`${url}/sign-in`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'ada@example.com', password }),
    })
  const first = await start()
  const statuses: number[] = []
  for (let i = 0; i < 6; i++) statuses.push((await guess(first.url, 'wrong')).status)
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429])
  await first.close()

  const second = await start()
  const refused = await guess(second.url, 'right')
  assert.equal(refused.status, 429)
  assert.equal((await refused.json()).code, 'locked_out')
  assert.ok(Number(refused.headers.get('retry-after')) >= 30)
  await second.close()

  const store = await openStore({ directory: join(folder, 'store') })
  context.after(() => store.close())
  const rows = await store.query(auditSearch, [
    1_000,
    '',
    'session.failed',
    '',
    new Date(0),
    new Date(4e12),
    0,
    100,
  ])
  assert.equal(rows.length, 5)
  const entry = JSON.parse(rows[0]!.entry)
  assert.ok(entry.risk_score > 10)
  assert.match(entry.risk_details, /session\.failed/)
  assert.doesNotMatch(rows[0]!.entry, /ada@example/)
  assert.deepEqual((await checkLog(store)).faults, [])
})

test('H5 a made-up key is refused without the records being asked; the log proves itself with the key of the folder', async (context) => {
  const folder = folderOf(context)
  const gateway = await startGateway({
    policy: POLICY,
    upstream: await upstream(context),
    listen: { host: '127.0.0.1', port: 0 },
    stateFolder: folder,
    places: { store: { folder: join(folder, 'store') } },
    admin: { host: '127.0.0.1', port: 0 },
  })
  const open = await fetch(`${gateway.url}/v1/things`)
  assert.equal(open.status, 401)
  assert.match(open.headers.get('www-authenticate')!, /^Bearer/)
  const garbage = await fetch(`${gateway.url}/v1/things`, {
    headers: { Authorization: `Bearer sk_acme_live_${'x'.repeat(38)}` },
  })
  assert.equal(garbage.status, 401)
  const ready = await (await fetch(`${gateway.adminUrl}/readyz`)).json()
  assert.deepEqual(ready.warnings, [])
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  assert.match(metrics, /sallyport_audit_entries \d+/)
  const configuration = await (await fetch(`${gateway.adminUrl}/config`)).text()
  assert.doesNotMatch(configuration, /secret"/)
  await gateway.close()
  assert.equal(statSync(join(folder, 'secrets', 'audit')).mode & 0o077, 0)
})

test('operators see a surge of failed sign-ins, and the log has its beginning', async (context) => {
  const folder = folderOf(context)
  const client = { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' } as const
  const gateway = await startGateway({
    policy: { ...POLICY, client, lockout: { networkFailures: 20, surge: { failures: 25, difficulty: 8 } } },
    upstream: await upstream(context),
    listen: { host: '127.0.0.1', port: 0 },
    stateFolder: folder,
    places: { store: { folder: join(folder, 'store') } },
    admin: { host: '127.0.0.1', port: 0 },
  })
  context.after(() => gateway.close({ graceMs: 0 }))
  const seen = async () => {
    const ready = await (await fetch(`${gateway.adminUrl}/readyz`)).json()
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
    return [ready.ready, ready.warnings, /sallyport_lockout_surge (\d)/.exec(metrics)?.[1]]
  }
  const statuses: number[] = []
  for (let at = 0; at < 26; at++) {
    if (at === 25) assert.deepEqual(await seen(), [true, [SURGES], '1'])
    if (at === 24) assert.deepEqual(await seen(), [true, [], '0'])
    const answer = await fetch(`${gateway.url}/sign-in`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': `198.51.100.${at}` },
      body: JSON.stringify({ email: `n${at}@example.com`, password: 'wrong' }),
    })
    statuses.push(answer.status)
  }
  assert.deepEqual(statuses, [...Array(25).fill(401), 403])
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  assert.match(metrics, /sallyport_decisions_total\{[^}]*code="challenge_required"[^}]*\} 1/)
  await gateway.close()
  const store = await openStore({ directory: join(folder, 'store') })
  context.after(() => store.close())
  const began = ['lockout.surge_began', '', new Date(0), new Date(4e12), 0, 100] as const
  assert.equal((await store.query(auditSearch, [1_000, '', ...began])).length, 1)
})

const SURGES = 'lockout: failed sign-ins surge, so strangers are challenged before they may guess'

test('two gateways of one store with secrets of their own are not let run side by side', async (context) => {
  const folder = folderOf(context)
  const start = async (stateFolder: string) =>
    startGateway({
      policy: POLICY,
      upstream: await upstream(context),
      listen: { host: '127.0.0.1', port: 0 },
      stateFolder,
      places: { store: { folder: join(folder, 'store') } },
    })
  await (await start(folder)).close()
  await (await start(folder)).close()
  await assert.rejects(
    start(join(folder, 'another')),
    /secrets\.lockout: the gateways of this store work with another secret/,
  )
})

test('a key that stood in the path is not in the access log', async (context) => {
  const folder = folderOf(context)
  const log = join(folder, 'access.jsonl')
  const gateway = await startGateway({
    policy: POLICY,
    upstream: await upstream(context),
    listen: { host: '127.0.0.1', port: 0 },
    stateFolder: folder,
    places: { store: { folder: join(folder, 'store') } },
    accessLog: { file: log },
  })
  for (const spelt of ['sk_acme_live_', 'sk%5Facme%5flive%5F', 'sk%255Facme%255Flive%255F'])
    await fetch(`${gateway.url}/v1/x/${spelt}${'Q7'.repeat(19)}`)
  await gateway.close()
  const lines = readFileSync(log, 'utf8')
  assert.equal(lines.trim().split('\n').length, 3)
  assert.doesNotMatch(lines, /Q7Q7/)
  assert.match(lines, /sk_acme_live_…/)
})
