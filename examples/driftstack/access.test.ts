// Claims D11, D17 and D23: the private paths are gated before a handler runs, for tokens and for the dashboard's session.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type Api, buildApi } from './app.ts'
import { type Answer, send } from './wire.ts'

const DASHBOARD = 'https://dashboard.driftstack.example'

let api: Api
let port: number
let handled = 0

before(async () => {
  api = buildApi()
  // A handler that forgets to ask who calls.
  for (const path of ['/v1/account/forgotten', '/v1/admin/forgotten', '/v1/billing/forgotten', '/forgotten'])
    api.app.all(path, async () => {
      handled++
      return { secret: true }
    })
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  port = (api.app.server.address() as AddressInfo).port
})
after(() => api.app.close())

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  send(port, { path, headers, method })
const codeOf = (answer: Answer) => (JSON.parse(answer.body) as { code?: string }).code

for (const area of ['account', 'admin', 'billing'])
  test(`D11 /v1/${area}/* is gated at the request layer, also where a handler forgets to`, async () => {
    const path = `/v1/${area}/forgotten`
    const attempts: readonly (readonly [path: string, headers?: Record<string, string>, method?: string])[] =
      [
        [path],
        [path, {}, 'POST'],
        [path, {}, 'DELETE'],
        [`${path}?access_token=x`],
        [path, { Authorization: 'Bearer guess' }],
        [path, { Authorization: 'Basic YWRtaW46YWRtaW4=' }],
        [path, { 'X-Forwarded-User': 'admin', 'X-Original-URL': '/v1/status' }],
        [path, { Cookie: '__Host-driftstack=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
        [path.toUpperCase()],
        [`${path}/`],
        [`//v1/${area}/forgotten`],
        [`/v1/status/../${area}/forgotten`],
        [`/v1/%61${area.slice(1)}/forgotten`],
        [`/v1/${area}%2fforgotten`],
        [`/v1/${area};x/forgotten`],
      ]
    for (const [target, headers, method] of attempts) {
      const answer = await ask(target, headers, method)
      assert.equal(answer.status, 401, target)
      assert.match(answer.get('WWW-Authenticate')!, /^Bearer/)
      assert.equal(answer.get('Cache-Control'), 'no-store, private')
    }
    assert.equal(handled, 0)
  })

test('D11 what no route of the policy covers takes a credential too', async () => {
  assert.equal((await ask('/forgotten')).status, 401)
  assert.equal(handled, 0)
  assert.equal((await ask('/v1/status')).status, 200)
})

test('D11 a member is no admin', async () => {
  const [member, admin] = ['acct_1', 'acct_2'].map((id) => ({
    Authorization: `Bearer ${api.accounts.issueToken(id)}`,
  }))
  const refused = await ask('/v1/admin/accounts', member)
  assert.deepEqual([refused.status, codeOf(refused)], [403, 'forbidden'])
  assert.equal((await ask('/v1/admin/accounts', admin)).status, 200)
})

test('D17 D23 the dashboard acts with the cookie of its session; a page elsewhere does not', async () => {
  const cookie = { Cookie: api.accounts.openSession('acct_1') }
  const dashboard = await ask('/v1/account', { ...cookie, Origin: DASHBOARD })
  assert.equal(dashboard.status, 200)
  assert.equal((JSON.parse(dashboard.body) as { id: string }).id, 'acct_1')
  assert.equal(dashboard.get('Access-Control-Allow-Credentials'), 'true')
  const elsewhere = await ask('/v1/account', { ...cookie, Origin: 'https://evil.example' })
  assert.deepEqual([elsewhere.status, codeOf(elsewhere)], [401, 'unauthenticated'])
  assert.equal(elsewhere.get('Access-Control-Allow-Credentials'), undefined)
})

test('D23 a session beside a token is refused: two programs could take the request for two callers', async () => {
  const both = {
    Cookie: api.accounts.openSession('acct_1'),
    Authorization: `Bearer ${api.accounts.issueToken('acct_2')}`,
  }
  const answer = await ask('/v1/account', both)
  assert.deepEqual([answer.status, codeOf(answer)], [400, 'ambiguous_credentials'])
})
