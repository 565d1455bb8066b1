// Who may call from a browser: the dashboard with its cookies, everybody else with a bearer token.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type Api, buildApi } from './app.ts'
import { type Answer, send } from './wire.ts'

const DASHBOARD = 'https://dashboard.driftstack.example'
const ELSEWHERE = 'https://customer-site.example'

let api: Api
let port: number
let member: string

before(async () => {
  api = buildApi()
  api.app.get('/v1/account/cookies', async (request) => ({ cookie: request.headers.cookie ?? null }))
  api.app.get('/v1/account/languages', (_request, reply) => reply.header('Vary', 'Accept-Language').send({}))
  api.app.get('/v1/account/permissive', (_request, reply) =>
    reply
      .headers({ 'Access-Control-Allow-Origin': ELSEWHERE, 'Access-Control-Allow-Credentials': 'true' })
      .send({}),
  )
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  port = (api.app.server.address() as AddressInfo).port
  member = `Bearer ${api.accounts.issueToken('acct_1')}`
})

after(() => api.app.close())

function call(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return send(port, { path, headers })
}

function preflight(
  origin: string,
  method = 'PATCH',
  headers = 'authorization, content-type',
): Promise<Answer> {
  return send(port, {
    method: 'OPTIONS',
    path: '/v1/account',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': headers,
    },
  })
}

/** Allow-Origin, Allow-Credentials. */
function grant(answer: Answer): readonly (string | undefined)[] {
  return [answer.get('Access-Control-Allow-Origin'), answer.get('Access-Control-Allow-Credentials')]
}

test('D12 the dashboard is reflected, with credentials', async () => {
  const answer = await call('/v1/account', { Origin: DASHBOARD, Authorization: member })
  assert.equal(answer.status, 200)
  assert.deepEqual(grant(answer), [DASHBOARD, 'true'])
})

test('D12 every other origin may call with a bearer token, without credentials', async () => {
  const answer = await call('/v1/account', { Origin: ELSEWHERE, Authorization: member })
  assert.equal(answer.status, 200)
  assert.deepEqual(grant(answer), ['*', undefined])
})

test('D12 refusals carry the grant of their origin too, so that a page can read why', async () => {
  const cases: readonly (readonly [path: string, status: number, headers: Record<string, string>])[] = [
    ['/v1/account', 401, {}],
    ['/v1/admin/accounts', 403, { Authorization: member }],
    ['/v1/account/nothing', 404, { Authorization: member }],
  ]
  for (const [path, status, headers] of cases) {
    const elsewhere = await call(path, { ...headers, Origin: ELSEWHERE })
    assert.deepEqual([elsewhere.status, ...grant(elsewhere)], [status, '*', undefined])
    const dashboard = await call(path, { ...headers, Origin: DASHBOARD })
    assert.deepEqual([dashboard.status, ...grant(dashboard)], [status, DASHBOARD, 'true'])
  }
})

test('D12 an origin that is not listed never acts with cookies', async () => {
  const cookie = 'session=s3cr3t'
  const headers = { Authorization: member, Cookie: cookie }
  const elsewhere = await call('/v1/account/cookies', { Origin: ELSEWHERE, ...headers })
  assert.deepEqual(JSON.parse(elsewhere.body), { cookie: null })
  const dashboard = await call('/v1/account/cookies', { Origin: DASHBOARD, ...headers })
  assert.deepEqual(JSON.parse(dashboard.body), { cookie })
})

test('D12 look-alikes of the dashboard are other origins', async () => {
  for (const origin of [
    'https://dashboard.driftstack.example.evil.example',
    'https://evil-dashboard.driftstack.example',
    'http://dashboard.driftstack.example',
    'https://dashboard.driftstack.example:8443',
    'https://DASHBOARD.driftstack.example',
    'https://dashboard.driftstack.example/',
    'null',
  ])
    assert.deepEqual(grant(await call('/v1/account', { Origin: origin })), ['*', undefined], origin)
})

test('D12 what a handler grants by itself is not sent', async () => {
  assert.deepEqual(
    grant(await call('/v1/account/permissive', { Origin: ELSEWHERE, Authorization: member })),
    ['*', undefined],
  )
})

test('D12 caches keep the answers of different origins apart', async () => {
  for (const headers of [{}, { Origin: DASHBOARD }, { Origin: ELSEWHERE }])
    assert.equal((await call('/v1/account', headers)).get('Vary'), 'Origin')
  assert.equal(
    (await call('/v1/account/languages', { Authorization: member })).get('Vary'),
    'Accept-Language, Origin',
  )
})

for (const origin of [DASHBOARD, ELSEWHERE]) {
  test(`D13 a preflight of ${origin} is kept for 600 seconds`, async () => {
    const answer = await preflight(origin)
    assert.equal(answer.status, 204)
    assert.equal(answer.get('Access-Control-Max-Age'), '600')
  })

  test(`D14 a preflight of ${origin} names the methods`, async () => {
    assert.equal(
      (await preflight(origin)).get('Access-Control-Allow-Methods'),
      'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    )
  })

  test(`D15 a preflight of ${origin} names the headers`, async () => {
    assert.equal(
      (await preflight(origin)).get('Access-Control-Allow-Headers'),
      'authorization, content-type, x-request-id, stripe-signature, x-nowpayments-sig',
    )
  })
}
