// What may be kept by caches, and what the stream of events sends.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type Api, buildApi } from './app.ts'
import { openStream, send } from './wire.ts'

let api: Api
let port: number
let member: string
let admin: string

before(async () => {
  api = buildApi()
  for (const area of ['account', 'admin', 'billing']) {
    api.app.get(`/v1/${area}/careless/deep/:id`, (_request, reply) =>
      reply
        .headers({
          'Cache-Control': 'public, max-age=31536000',
          Expires: 'Thu, 01 Jan 2032 00:00:00 GMT',
          'X-Accel-Expires': '600',
        })
        .send({}),
    )
    api.app.get(`/v1/${area}/crash`, () => {
      throw new Error('boom')
    })
  }
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  port = (api.app.server.address() as AddressInfo).port
  member = `Bearer ${api.accounts.issueToken('acct_1')}`
  admin = `Bearer ${api.accounts.issueToken('acct_2')}`
})

after(() => api.app.close())

const AREAS = [
  ['D6', 'account', '/v1/account'],
  ['D7', 'admin', '/v1/admin/accounts'],
  ['D8', 'billing', '/v1/billing/invoices'],
] as const

for (const [claim, area, path] of AREAS) {
  const cases: readonly (readonly [what: string, path: string, status: number, authorization?: 'none'])[] = [
    ['an answer', path, 200],
    ['the bare path', `/v1/${area}`, area === 'account' ? 200 : 404],
    ['a handler that says public', `/v1/${area}/careless/deep/7`, 200],
    ['a handler that throws', `/v1/${area}/crash`, 500],
    ['a route that is not there', `/v1/${area}/a/b/c`, 404],
    ['no token', path, 401, 'none'],
    ['a query', `${path}?cache=please.css`, 200],
    ['another letter case', `/V1/${area.toUpperCase()}`, 404],
    ['a trailing slash', `/v1/${area}/`, 404],
    ['an empty segment', `/v1//${area}/x`, 404],
    ['a dot segment', `/v1/status/../${area}/x`, 404],
    ['an escaped letter', `/v1/%61${area.slice(1)}/x`, 404],
  ]
  for (const [what, target, status, authorization] of cases)
    test(`${claim} /v1/${area}/* is no-store, private for ${what}`, async () => {
      const answer = await send(port, {
        path: target,
        headers: authorization === 'none' ? {} : { Authorization: admin },
      })
      assert.equal(answer.status, status)
      assert.equal(answer.get('Cache-Control'), 'no-store, private')
      assert.deepEqual([...answer.all('Expires'), ...answer.all('X-Accel-Expires')], [])
    })
}

test('D9 /v1/status is public for 30 seconds, without credentials', async () => {
  const answer = await send(port, { path: '/v1/status' })
  assert.equal(answer.status, 200)
  assert.equal(answer.get('Cache-Control'), 'public, max-age=30')
  assert.equal((JSON.parse(answer.body) as { status: string }).status, 'ok')
})

test('D10 /v1/status/stream sends events as they happen, uncached and untransformed', async () => {
  const stream = await openStream(port, { path: '/v1/status/stream' })
  assert.equal(stream.head.status, 200)
  assert.equal(stream.head.get('Cache-Control'), 'no-cache, no-transform')
  assert.match(stream.head.get('Content-Type')!, /^text\/event-stream/)
  await stream.until('"component":"api"')
  // The answer is still open: what happens now arrives now.
  api.feed.publish('webhooks', 'degraded')
  assert.match(await stream.until('"component":"webhooks"'), /id: \d+\r?\nevent: status\r?\ndata: \{/)
  stream.close()
})

test('D10 a client that comes back is sent what it missed, by Last-Event-ID', async () => {
  const first = await openStream(port, { path: '/v1/status/stream' })
  api.feed.publish('search', 'degraded')
  const seen = await first.until('"component":"search"')
  first.close()
  const lastId = seen
    .match(/id: (\d+)/g)!
    .at(-1)!
    .slice(4)
  api.feed.publish('mail', 'degraded')
  api.feed.publish('search', 'operational')
  const second = await openStream(port, { path: '/v1/status/stream', headers: { 'Last-Event-ID': lastId } })
  const missed = await second.until('"search","state":"operational"')
  second.close()
  assert.match(missed, /"component":"mail"/)
  assert.doesNotMatch(missed, /"search","state":"degraded"/)
})

test('a member sees its own invoices only, and no account but by an admin', async () => {
  const invoices = await send(port, { path: '/v1/billing/invoices', headers: { Authorization: member } })
  assert.equal((JSON.parse(invoices.body) as unknown[]).length, 2)
  const others = await send(port, { path: '/v1/billing/invoices/inv_1', headers: { Authorization: admin } })
  assert.equal(others.status, 404)
  const accounts = await send(port, { path: '/v1/admin/accounts', headers: { Authorization: member } })
  assert.equal(accounts.status, 403)
})
