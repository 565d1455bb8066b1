// Alerts of a gateway: what the policy asks for reaches a webhook and a program, and the operator sees where it does not.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { gatewayFor, temporaryFolder, upstreamFor } from '../harness.ts'

const POLICY: PolicyDocument = {
  transport: { tls: 'in-front' },
  keys: { vendor: 'acme' },
  audit: { record: true, risk: { medium: ['alert'] } },
}
const SECRET = 'a secret of enough characters'

test('H19 a secret key in a URL is told to a webhook and to a program', async (context) => {
  const folder = await temporaryFolder(context)
  const upstream = await upstreamFor(context, (_request, response) => response.end())
  const received = Promise.withResolvers<{ headers: NodeJS.Dict<string | string[]>; body: string }>()
  const hook = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.writeHead(204).end()
    received.resolve({ headers: request.headers, body })
  })
  hook.listen(0, '127.0.0.1')
  await once(hook, 'listening')
  context.after(() => hook.close())
  process.env['ALERTS_TEST_SECRET'] = SECRET
  context.after(() => delete process.env['ALERTS_TEST_SECRET'])
  const file = join(folder, 'alert.json')
  const { gateway } = await gatewayFor(context, {
    policy: POLICY,
    upstream,
    stateFolder: folder,
    admin: { host: '127.0.0.1', port: 0 },
    places: {
      store: { folder: join(folder, 'store') },
      alerts: [
        {
          webhook: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hidden-path`,
          secretFrom: 'ALERTS_TEST_SECRET',
        },
        { command: ['sh', '-c', 'cat > "$0.new" && mv "$0.new" "$0"', file] },
        { command: ['false'] },
      ],
    },
  })
  const answer = await fetch(`${gateway.url}/?key=sk_acme_live_${'a'.repeat(38)}`)
  assert.equal(answer.status, 400)
  const { headers, body } = await received.promise
  const alert = JSON.parse(body)
  assert.deepEqual(
    [alert.subject, alert.level, alert.score, alert.action],
    ['address:127.0.0.1', 'medium', 55, 'key.exposed'],
  )
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  assert.equal(
    headers['webhook-signature'],
    `v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`,
  )
  let told: string | undefined
  while (told === undefined) told = await readFile(file, 'utf8').catch(() => undefined)
  assert.deepEqual(JSON.parse(told), alert)

  let warnings: readonly string[] = []
  while (warnings.length === 0) ({ warnings } = await (await fetch(`${gateway.adminUrl}/readyz`)).json())
  assert.deepEqual(warnings, [
    'alerts: 1 could not be told; the last because the program for alerts ended with 1',
  ])
  const configuration = await (await fetch(`${gateway.adminUrl}/config`)).text()
  assert.ok(configuration.includes('ALERTS_TEST_SECRET') && !configuration.includes('hidden-path'))
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  assert.match(metrics, /^sallyport_alerts_failed_total 1$/m)
})

test('a policy that asks for alerts where nobody would hear them is told to the operator', async (context) => {
  const folder = await temporaryFolder(context)
  const { gateway } = await gatewayFor(context, {
    policy: POLICY,
    upstream: 'http://127.0.0.1:9',
    stateFolder: folder,
    admin: { host: '127.0.0.1', port: 0 },
    places: { store: { folder: join(folder, 'store') } },
  })
  const { warnings } = await (await fetch(`${gateway.adminUrl}/readyz`)).json()
  assert.match(warnings.join(), /names nobody under "alerts"/)
})

test('a webhook whose secret is not there is no reason to send without', async (context) => {
  const folder = await temporaryFolder(context)
  await assert.rejects(
    gatewayFor(context, {
      policy: POLICY,
      upstream: 'http://127.0.0.1:9',
      stateFolder: folder,
      places: {
        store: { folder: join(folder, 'store') },
        alerts: [{ webhook: 'https://alerts.example/', secretFrom: 'NOT_SET_ANYWHERE' }],
      },
    }),
    /the environment has no NOT_SET_ANYWHERE of at least 16 characters/,
  )
})
