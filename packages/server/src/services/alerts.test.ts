// Alerts: once for each subject, level and hour; signed; and a sink that fails costs nothing but a line.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AuditEvent } from 'sallyport'
import { createRiskBook } from 'sallyport/audit'
import { type Alert, commandSink, createAlerts, webhookSink } from './alerts.ts'

const NOW = 1_700_000_000_000
const exposed: AuditEvent = {
  action: 'key.exposed',
  outcome: 'denied',
  credential: 'key_1',
  organisation: 'org_1',
}
const alert: Alert = {
  format: 'sallyport-alert/1',
  at: new Date(NOW).toISOString(),
  subject: 'credential:key_1',
  level: 'high',
  score: 74,
  because: 'the risk of credential:key_1 is 74',
  action: 'key.exposed',
}

test('H19 a level that is crossed is told once in an hour, and a higher one again', () => {
  const told: Alert[] = []
  const alerts = createAlerts([async (one) => void told.push(one)], () => {})
  const book = createRiskBook()
  alerts.at(new Set(['medium', 'critical']))
  const happen = (now: number) => alerts.hear(exposed, book.note(exposed, now), now)
  happen(NOW)
  assert.deepEqual(
    told.map(({ level, score, subject }) => [level, score, subject]),
    [['medium', 55, 'credential:key_1']],
  )
  assert.match(told[0]!.because, /key\.exposed 55/)
  for (let i = 0; i < 20; i++) happen(NOW + i)
  assert.deepEqual(
    told.map(({ level }) => level),
    ['medium', 'critical'],
  )
  happen(NOW + 3_700_000)
  assert.deepEqual(
    told.map(({ level }) => level),
    ['medium', 'critical', 'critical'],
  )
})

test('nobody is told of levels that the policy does not name', () => {
  let told = 0
  const alerts = createAlerts([async () => void told++], () => {})
  alerts.hear(exposed, createRiskBook().note(exposed, NOW), NOW)
  assert.equal(told, 0)
})

test('a webhook gets the alert with a signature over id, time and body', async (context) => {
  const seen: { headers: Record<string, unknown>; body: string }[] = []
  let status = 204
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push({ headers: request.headers, body })
    response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const sink = webhookSink(url, 'a secret of enough characters')
  await sink(alert)
  const { headers, body } = seen[0]!
  assert.deepEqual(JSON.parse(body), alert)
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = createHmac('sha256', 'a secret of enough characters').update(signed).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${expected}`)
  status = 500
  await assert.rejects(sink(alert), /answers 500/)
  status = 307
  await assert.rejects(sink(alert), /does not answer/)
})

test('a program gets the alert on its standard input; one that fails is told of', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-alerts-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'alert.json')
  await commandSink(['sh', '-c', 'cat > "$0"', file])(alert)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), alert)
  await assert.rejects(commandSink(['false'])(alert), /ended with 1/)
  await assert.rejects(commandSink(['/nowhere/at/all'])(alert), /does not start/)
  const reasons: string[] = []
  const alerts = createAlerts([commandSink(['false'])], (reason) => reasons.push(reason))
  alerts.at(new Set(['medium']))
  alerts.hear(exposed, createRiskBook().note(exposed, NOW), NOW)
  while (reasons.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(alerts.failed, 1)
})
