// Access at the gateway: private paths are gated before the upstream is asked, and the upstream can prove who calls.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { PolicyDocument, Principal, TokenSource } from 'sallyport'
import { createIdentityVerifier } from 'sallyport/identity'
import { startFleet } from '../src/index.ts'
import { ask, gatewayFor, type Running, upstreamFor } from './harness.ts'

const AUDIENCE = 'https://orders.internal'
const POLICY: PolicyDocument = {
  extends: 'api',
  transport: { tls: 'in-front' },
  access: {
    authenticated: true,
    catalogue: { scopes: { 'orders:read': 'Read orders.' }, roles: { admin: ['orders:read'], member: [] } },
    tokens: [{ service: true }],
    identity: { audience: AUDIENCE },
  },
  routes: {
    '/v1/admin/*': { access: { roles: ['admin'] } },
    '/v1/orders/*': { access: { scopes: ['orders:read'] } },
  },
}

const principal = (role: string): Principal => ({
  organisation: 'org_1',
  store: 'store_1',
  subject: `person_${role}`,
  credential: { kind: 'token', id: `token_${role}` },
  role,
  plan: 'pro',
  scopes: ['orders:read'],
})
const tokens: TokenSource = {
  find: (token) => (token === 'admin' || token === 'member' ? { principal: principal(token) } : 'unknown'),
}
const as = (token: string, more: readonly string[] = []) => ({
  headers: ['Host', 'api.example.com', 'Authorization', `Bearer ${token}`, ...more],
})

interface Gated {
  readonly running: Running
  /** The header lines of each request that reached the upstream. */
  readonly arrived: string[][]
}

async function gated(context: TestContext, policy = POLICY, services = {}): Promise<Gated> {
  const arrived: string[][] = []
  const upstream = await upstreamFor(context, (request, response) => {
    arrived.push(request.rawHeaders)
    // An upstream that echoes what it is told.
    response.setHeader('Sallyport-Identity', String(request.headers['sallyport-identity']))
    response.end('{}')
  })
  const running = await gatewayFor(context, { upstream, policy, services: { tokens, ...services } })
  return { running, arrived }
}

const linesOf = (raw: readonly string[], name: string) =>
  raw.filter((_, index) => index % 2 === 1 && raw[index - 1]!.toLowerCase() === name)

for (const [claim, path] of [
  ['D6', '/v1/account'],
  ['D7', '/v1/admin/users'],
  ['D8', '/v1/billing/invoices'],
] as const)
  test(`D11 ${claim} ${path} is gated before the upstream is asked`, async (context) => {
    const { running, arrived } = await gated(context)
    for (const method of ['GET', 'POST', 'DELETE', 'HEAD']) {
      const missing = await ask(running, path, { method })
      assert.equal(missing.status, 401)
      assert.equal(missing.header('www-authenticate'), 'Bearer')
      assert.equal(missing.header('cache-control'), 'no-store, private')
      const wrong = await ask(running, path, { method, ...as('guess') })
      assert.equal(wrong.status, 401)
      assert.equal(wrong.header('www-authenticate'), 'Bearer error="invalid_token"')
    }
    assert.equal((await ask(running, '/v1/nowhere')).status, 401)
    assert.deepEqual(arrived, [])
    assert.equal((await ask(running, '/v1/status')).status, 200)
    assert.equal((await ask(running, path, as('admin'))).status, 200)
    assert.equal(arrived.length, 2)
  })

test('D11 H10 a role that is not enough is refused before the upstream is asked', async (context) => {
  const { running, arrived } = await gated(context)
  const refused = await ask(running, '/v1/admin', as('member'))
  assert.equal(refused.status, 403)
  assert.equal(JSON.parse(refused.body).code, 'forbidden')
  const scope = await ask(running, '/v1/orders/1', as('member'))
  assert.equal(scope.status, 403)
  assert.equal(scope.header('www-authenticate'), 'Bearer error="insufficient_scope", scope="orders:read"')
  assert.deepEqual(arrived, [])
})

test('H10 the upstream proves who calls with the published keys', async (context) => {
  const { running, arrived } = await gated(context)
  assert.equal((await ask(running, '/v1/orders/1', as('admin'))).status, 200)
  const [identity] = linesOf(arrived[0]!, 'sallyport-identity')
  const keysUrl = `http://127.0.0.1:${running.port}/.well-known/sallyport-identity-keys.json`
  const verifier = createIdentityVerifier({ keysUrl, audience: AUDIENCE })
  assert.deepEqual(await verifier.verify(identity), principal('admin'))
  const published = await ask(running, '/.well-known/sallyport-identity-keys.json')
  assert.equal(published.header('content-type'), 'application/jwk-set+json')
  assert.equal(published.header('cache-control'), 'public, max-age=300')
  const { keys } = JSON.parse(published.body) as { keys: Record<string, string>[] }
  assert.deepEqual(
    keys.map((key) => Object.keys(key).sort()),
    [['alg', 'crv', 'kid', 'kty', 'use', 'x']],
  )
  // For nobody else, and not after its time.
  assert.equal(await createIdentityVerifier({ keysUrl, audience: 'other' }).verify(identity), undefined)
  const later = createIdentityVerifier({ keysUrl, audience: AUDIENCE, clock: () => Date.now() + 66_000 })
  assert.equal(await later.verify(identity), undefined)
  assert.equal(await verifier.verify(undefined), undefined)
  assert.equal(await verifier.verify(`${identity!.slice(0, -8)}AAAAAAAA`), undefined)
})

test('one identity serves the requests of a caller, and another caller has another', async (context) => {
  const { running, arrived } = await gated(context)
  for (const token of ['admin', 'admin', 'member']) await ask(running, '/v1/account', as(token))
  const [first, again, other] = arrived.map((raw) => linesOf(raw, 'sallyport-identity'))
  assert.equal(first!.length, 1)
  assert.deepEqual(again, first)
  assert.notDeepEqual(other, first)
})

const FORGED = [
  'Sallyport-Identity',
  'sallyport-identity',
  'SALLYPORT-IDENTITY',
  'Sallyport_Identity',
  'sallyport-caller',
  'X-Sallyport-Identity',
]

test('what callers send under the name of the identity never arrives, in no spelling', async (context) => {
  const { running, arrived } = await gated(context)
  const forged = FORGED.flatMap((name) => [name, 'forged'])
  const nominating = ['Connection', 'keep-alive, sallyport-identity']
  assert.equal((await ask(running, '/v1/account', as('admin', forged))).status, 200)
  assert.equal((await ask(running, '/v1/status', { headers: ['Host', 'a', ...forged] })).status, 200)
  for (const raw of arrived) assert.ok(!raw.includes('forged'), raw.join('\n'))
  // RFC 9110, section 7.6.1: nor can a caller have it taken away on the way.
  const nominated = await ask(running, '/v1/account', as('admin', nominating))
  if (nominated.status === 200) assert.equal(linesOf(arrived.at(-1)!, 'sallyport-identity').length, 1)
  else assert.equal(nominated.status, 400)
})

test('an upstream that echoes the identity does not hand it to the caller', async (context) => {
  const { running } = await gated(context)
  const answer = await ask(running, '/v1/account', as('admin'))
  assert.equal(answer.header('sallyport-identity'), undefined)
})

test('a key that is given signs, so that several processes sign alike', async (context) => {
  const { privateKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])
  const jwk = JSON.stringify(await crypto.subtle.exportKey('jwk', privateKey))
  const policy: PolicyDocument = {
    ...POLICY,
    access: { ...POLICY.access, identity: { audience: AUDIENCE, key: 'IDENTITY_KEY' } },
  }
  const secret = (name: string) => (name === 'IDENTITY_KEY' ? jwk : undefined)
  const [one, two] = [await gated(context, policy, { secret }), await gated(context, policy, { secret })]
  await ask(one.running, '/v1/account', as('admin'))
  const keysUrl = `http://127.0.0.1:${two.running.port}/.well-known/sallyport-identity-keys.json`
  const found = await createIdentityVerifier({ keysUrl, audience: AUDIENCE }).verify(
    linesOf(one.arrived[0]!, 'sallyport-identity')[0],
  )
  assert.equal(found?.subject, 'person_admin')
})

test('curl: what an operator tries first', async (context) => {
  const { running } = await gated(context)
  const curl = async (...args: string[]) =>
    (await promisify(execFile)('curl', ['-si', '--max-time', '10', ...args])).stdout
  const url = `http://127.0.0.1:${running.port}/v1/account`
  const refused = await curl(url)
  assert.match(refused, /^HTTP\/1\.1 401 /)
  assert.match(refused, /\r\nWWW-Authenticate: Bearer\r\n/i)
  assert.match(await curl('--oauth2-bearer', 'admin', url), /^HTTP\/1\.1 200 /)
})

test('the workers of one gateway publish the same keys', { timeout: 60_000 }, async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end('{}'))
  const policy: PolicyDocument = {
    extends: 'api',
    transport: { tls: 'in-front' },
    access: {
      authenticated: true,
      tokens: [{ issuer: 'https://id.example', audience: 'api', jwks: 'https://id.example/keys' }],
      identity: { audience: AUDIENCE },
    },
  }
  const fleet = await startFleet({
    workers: 2,
    upstream,
    policy,
    listen: { host: '127.0.0.1', port: 0 },
    admin: false,
    log: () => {},
  })
  context.after(() => fleet.close({ graceMs: 0 }))
  const lists = new Set<string>()
  // Connections go to the workers in turn.
  for (let i = 0; i < 8; i++) {
    const answer = await fetch(`${fleet.url}/.well-known/sallyport-identity-keys.json`, {
      headers: { Connection: 'close' },
    })
    assert.equal(answer.status, 200)
    lists.add(await answer.text())
  }
  assert.equal(lists.size, 1)
})
