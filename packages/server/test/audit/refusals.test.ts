// Refusals of the controls that look at a request before anybody is known, and what several events together say: done over
// the network, found in the log.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { ask, rawExchange } from '../harness.ts'
import { of, POLICY, world } from './world.ts'

const GUARDED: PolicyDocument = {
  ...POLICY,
  cors: { origins: ['https://app.example'] },
  request: { nonCanonical: 'refuse', maxBodyBytes: 1_000 },
  audit: { record: true },
}

test('H19 refused origins, malformed and oversized requests and credentials in clear are in the log, a flood of them once', async (context) => {
  const { running, log } = await world(context, GUARDED)
  const from = (address: string, more = {}) => ({ headers: { 'x-forwarded-for': address, ...more } })
  const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
  for (let n = 0; n < 50; n++) {
    const { status } = await ask(running, '/v1/x', { method: 'OPTIONS', ...from('198.51.100.1', preflight) })
    assert.equal(status, 403)
  }
  assert.equal((await ask(running, '/v1/%2e%2e/x', from('198.51.100.2'))).status, 400)
  const body = { method: 'POST', body: 'x'.repeat(2_000) }
  assert.equal((await ask(running, '/declared', { ...from('198.51.100.3'), ...body })).status, 413)
  const chunked = from('198.51.100.4', { 'transfer-encoding': 'chunked' })
  assert.equal((await ask(running, '/chunked', { ...chunked, ...body })).status, 413)

  const status = async (bytes: string) => (await rawExchange(running.port, bytes)).text.slice(9, 12)
  assert.equal(await status('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'), '400')
  for (let n = 0; n < 5; n++) assert.equal(await status('GARBAGE\r\n\r\n'), '400')
  assert.equal(await status(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`), '431')
  assert.equal(await status('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'), '405')

  const clear = { 'x-forwarded-proto': 'http', authorization: 'Bearer never-in-a-log' }
  assert.equal((await ask(running, '/v1/x', from('198.51.100.5', clear))).status, 403)
  for (let n = 0; n < 45; n++) await ask(running, `/missing/${n}`, from('198.51.100.6'))

  const entries = await log()
  const [first, rest, ...more] = of(entries, 'cors.denied')
  assert.deepEqual(
    [first?.status_code, first?.src_endpoint?.ip, first?.unmapped.details, more.length],
    ['origin_not_allowed', '198.51.100.1', undefined, 0],
  )
  assert.deepEqual(rest?.unmapped.details, { more: 49, seconds: 300 })
  const refused = of(entries, 'request.refused')
  const codes = (address: string | undefined) =>
    refused
      .filter(({ src_endpoint, unmapped }) => src_endpoint?.ip === address && !unmapped.details)
      .map(({ status_code }) => status_code)
      .sort()
  assert.deepEqual(codes('198.51.100.2'), ['path_not_canonical'])
  assert.deepEqual([codes('198.51.100.3'), codes('198.51.100.4')], [['body_too_large'], ['body_too_large']])
  // The peer is a declared proxy: of what could not be read nobody knows for whom it came.
  assert.deepEqual(codes(undefined), ['headers_too_large', 'malformed_request', 'method_not_allowed'])
  assert.deepEqual(
    refused.flatMap(({ unmapped }) => unmapped.details?.['more'] ?? []),
    [4],
  )
  assert.equal(refused.find(({ status_code }) => status_code === 'path_not_canonical')?.risk_score, 6)
  const [exposed] = of(entries, 'credential.exposed')
  assert.deepEqual(
    [exposed?.risk_score, exposed?.unmapped.details],
    [55, { header: 'authorization', where: 'plain HTTP' }],
  )
  assert.equal(of(entries, 'transport.refused')[0]?.status_code, 'https_required')
  const bursts = of(entries, 'request.not_found_burst')
  assert.deepEqual(
    bursts.map(({ risk_score, src_endpoint }) => [risk_score, src_endpoint?.ip]),
    [[15, '198.51.100.6']],
  )
  assert.ok(!JSON.stringify(entries).includes('never-in-a-log'))
})

test('H19 stuffing of thirty accounts from one address stands at 55, and a sign-in after failures is told', async (context) => {
  const { guess, log } = await world(context, GUARDED)
  for (let n = 0; n < 30; n++)
    assert.equal(await guess('/sign-in', '203.0.113.66', 'wrong', `user${n}@example.com`), 401)
  for (let n = 0; n < 3; n++)
    assert.equal(await guess('/sign-in', `198.51.100.${n}`, 'wrong', 'ada@example.com'), 401)
  assert.equal(await guess('/sign-in', '198.51.100.9', 'right', 'ada@example.com'), 200)
  const entries = await log()
  const last = of(entries, 'session.failed').findLast(
    ({ src_endpoint }) => src_endpoint?.ip === '203.0.113.66',
  )
  assert.deepEqual([last?.risk_score, last?.risk_level_id], [55, 2])
  assert.match(last!.risk_details!, /^session\.many_accounts 45 /)
  const [started] = of(entries, 'session.started')
  assert.match(started!.risk_details!, /session\.started_after_failures 15 /)
  assert.ok(started!.risk_score! >= 15)
})
