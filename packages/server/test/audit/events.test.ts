// Every kind of event of H19, made over the network at a gateway with an embedded store, and found in its log.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '@sallyport/store'
import { checkLog, readLog } from '@sallyport/store/audit'
import type { PolicyDocument } from 'sallyport'
import { gatewayFor, type Running, temporaryFolder, upstreamFor } from '../harness.ts'

const MAIN = fileURLToPath(new URL('../../../sallyport/src/cli/main.ts', import.meta.url))
const NAME = { from: 'json', field: 'email' } as const

const POLICY: PolicyDocument = {
  transport: { tls: 'in-front' },
  client: { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' },
  keys: { vendor: 'acme' },
  access: { authenticated: false, catalogue: { scopes: { 'orders:write': 'Orders may be changed.' } } },
  audit: {
    record: true,
    risk: { signals: { 'session.failed': { weight: 30 } }, high: ['lock'], lockSeconds: 60 },
  },
  routes: {
    'POST /sign-in': {
      credentials: 'none',
      lockout: { name: NAME, addressFailures: 1_000 },
    },
    'POST /code': { credentials: 'none', lockout: { name: NAME, authenticator: 'totp' } },
    'POST /sign-out': { credentials: 'none', audit: { event: { action: 'session.ended' } } },
    'PUT /factor': { credentials: 'none', audit: { event: { action: 'session.mfa_changed' } } },
    '/v1/*': {
      data: 'private',
      access: { authenticated: true },
      limits: { addresses: { buckets: { anonymous: { limit: 40, windowSeconds: 60 } } } },
    },
    '/v1/orders': { access: { scopes: ['orders:write'] } },
  },
}

interface Entry {
  readonly metadata: { readonly event_code: string }
  readonly risk_score?: number
  readonly risk_level_id?: number
  readonly risk_details?: string
  readonly actor?: { readonly user: { readonly uid?: string; readonly credential_uid?: string } }
  readonly src_endpoint?: { readonly ip: string }
  readonly unmapped: { readonly details?: Readonly<Record<string, unknown>> }
}

/** A gateway with a store of its own, and hands to do something at it. */
async function world(context: TestContext) {
  const folder = await temporaryFolder(context)
  const directory = join(folder, 'store')
  const upstream = await upstreamFor(context, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const isWrong = body !== '' && JSON.parse(body).secret !== 'right'
    response.writeHead(isWrong ? 401 : 200, { 'Audit-Actor': 'acc_7' }).end()
  })
  let next: PolicyDocument = POLICY
  const start = (): Promise<Running> =>
    gatewayFor(context, {
      policy: POLICY,
      upstream,
      stateFolder: folder,
      places: { store: { folder: directory } },
      source: { name: 'policy', files: [], load: async () => ({ policy: next }) },
    })
  let running = await start()
  const send = (method: string, path: string, from: string, headers: object = {}, body?: object) =>
    fetch(`${running.gateway.url}${path}`, {
      method,
      headers: { 'x-forwarded-for': from, 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).then(async (answer) => {
      await answer.arrayBuffer()
      return answer.status
    })
  return {
    send,
    guess: (path: string, from: string, secret: string, email = 'ada@example.com') =>
      send('POST', path, from, {}, { email, secret }),
    withKey: (path: string, from: string, key: string) =>
      send('GET', path, from, { authorization: `Bearer ${key}` }),
    /** Whether an answer says that its key was rotated (RFC 9745). */
    endsSoon: async (path: string, from: string, key: string): Promise<boolean> => {
      const headers = { 'x-forwarded-for': from, authorization: `Bearer ${key}` }
      const answer = await fetch(`${running.gateway.url}${path}`, { headers })
      await answer.arrayBuffer()
      return answer.headers.has('deprecation')
    },
    async reload(policy: PolicyDocument) {
      next = policy
      return await running.gateway.reload()
    },
    /** Changes the records while no gateway has them. */
    async between(sql: string): Promise<void> {
      await running.gateway.close({ graceMs: 0 })
      const store = await openStore({ directory })
      await store.asOwner((client) => client.query(sql))
      await store.close()
      running = await start()
    },
    /** The command, beside the running gateway. */
    keys: (...words: string[]): Promise<{ readonly out: string; readonly err: string }> =>
      new Promise((resolve, reject) =>
        execFile(
          process.execPath,
          [MAIN, 'keys', ...words, '--vendor', 'acme', '--organisation', 'Acme', '--store', directory],
          { cwd: folder },
          (error, out, err) => (error ? reject(new Error(err)) : resolve({ out, err })),
        ),
      ),
    /** Ends the gateway and gives the whole log, which must hold. */
    async log(): Promise<readonly Entry[]> {
      await running.gateway.close({ graceMs: 0 })
      const store = await openStore({ directory })
      try {
        assert.deepEqual((await checkLog(store)).faults, [])
        return (await readLog(store, 0, 10_000)).map(({ entry }) => JSON.parse(entry))
      } finally {
        await store.close()
      }
    },
  }
}

const of = (log: readonly Entry[], action: string): readonly Entry[] =>
  log.filter(({ metadata }) => metadata.event_code === action)

test('H19 sign-ins, sign-outs, second factors, failures, locks and brute force are in the log with their risk', async (context) => {
  const { send, guess, between, log } = await world(context)
  assert.equal(await guess('/sign-in', '198.51.100.1', 'right'), 200)
  assert.equal(await guess('/code', '198.51.100.1', 'wrong'), 401)
  assert.equal(await guess('/code', '198.51.100.1', 'right'), 200)
  assert.equal(await send('PUT', '/factor', '198.51.100.1'), 200)
  assert.equal(await send('POST', '/sign-out', '198.51.100.1'), 200)

  const eve = (from: string, secret = 'wrong') => guess('/sign-in', from, secret, 'eve@example.com')
  for (let n = 0; n < 5; n++) assert.equal(await eve(`198.51.100.${10 + n}`), 401)
  assert.equal(await eve('198.51.100.20', 'right'), 429)
  // As if others had guessed for days.
  await between('update lockouts set failures = 9, hard = 99, wait_until = null where failures = 5')
  assert.equal(await eve('198.51.100.21'), 401)
  assert.equal(await eve('198.51.100.22', 'right'), 429)

  // One address, many names: its risk grows until it is refused whatever it asks for.
  const brute: number[] = []
  for (let n = 0; n < 60 && brute.at(-1) !== 429; n++)
    brute.push(await guess('/sign-in', '203.0.113.66', 'wrong', `user${n}@example.com`))
  assert.equal(brute.at(-1), 429)
  assert.equal(await send('GET', '/elsewhere', '203.0.113.66'), 429)
  assert.equal(await send('GET', '/elsewhere', '203.0.113.67'), 200)

  const entries = await log()
  assert.equal(of(entries, 'session.started').length, 1)
  assert.equal(of(entries, 'session.mfa_passed').length, 1)
  const [ended] = of(entries, 'session.ended')
  assert.deepEqual([ended?.actor?.user.uid, ended?.src_endpoint?.ip], ['acc_7', '198.51.100.1'])
  const scored = (action: string, at = 0) => of(entries, action).at(at)?.risk_score
  assert.equal(scored('session.mfa_failed'), 10)
  assert.equal(scored('session.mfa_changed'), 39, '35, and of the 10 before it a part')
  assert.ok(scored('session.failed')! >= 30)
  assert.equal(of(entries, 'lockout.locked').length, 1)
  assert.ok(scored('lockout.locked')! >= 25)
  assert.deepEqual(
    of(entries, 'lockout.refused').map(({ unmapped }) => unmapped.details?.['because']),
    ['waiting', 'disabled'],
  )
  assert.equal(of(entries, 'lockout.disabled').length, 1)
  assert.ok(scored('lockout.disabled')! >= 45)
  const last = of(entries, 'session.failed').findLast(
    ({ src_endpoint }) => src_endpoint?.ip === '203.0.113.66',
  )
  assert.equal(last?.risk_level_id, 3, 'high, so the address is locked')
  assert.match(last!.risk_details!, /session\.failed 30 /)
  assert.ok(!JSON.stringify(entries).includes('@example.com'))
})

test('H19 keys made, rotated, revoked, refused, exposed and outdated, scopes, limits and policies are in the log', async (context) => {
  const { send, withKey, endsSoon, keys, reload, log } = await world(context)
  const made = await keys('create', '--create-organisation', '--name', 'Till')
  const first = made.out.trim()
  const id = /id is ([0-9a-f-]{36})/.exec(made.err)![1]!
  assert.equal(await withKey('/v1/things', '198.51.100.1', first), 200)
  assert.equal(await withKey('/v1/orders', '198.51.100.1', first), 403)
  assert.equal(await withKey('/v1/things', '198.51.100.2', 'garbage'), 401)
  assert.equal(await withKey('/v1/things', '198.51.100.2', `sk_acme_live_${'x'.repeat(38)}`), 401)
  const second = (await keys('rotate', id, '--overlap', '1h')).out.trim()
  // What a gateway knew of a key it knows for a second or two more.
  let known = 401
  while (known === 401) known = await withKey('/v1/things', '198.51.100.1', second)
  assert.equal(known, 200)
  while (!(await endsSoon('/v1/things', '198.51.100.1', first)));
  assert.equal(await send('GET', `/v1/things?key=${second}`, '198.51.100.3'), 400)
  await keys('revoke', id, '--reason', 'lost')
  while ((await withKey('/v1/things', '198.51.100.4', second)) === 200);

  let status = 0
  for (let n = 0; n < 45; n++) status = await send('GET', '/v1/things', '198.51.100.9')
  assert.equal(status, 429)

  assert.equal((await reload({ ...POLICY, disclosure: { mode: 'off' } }))?.ok, true)
  assert.equal((await reload({ colour: 'red' } as never))?.ok, false)

  const entries = await log()
  for (const action of ['key.created', 'key.rotated', 'key.revoked']) {
    const [entry, ...more] = of(entries, action)
    assert.equal(entry?.actor?.user.uid, 'command', action)
    assert.equal(more.length, 0)
  }
  assert.equal(of(entries, 'key.created')[0]?.risk_score, undefined, 'a command knows of no risk')
  const [scope] = of(entries, 'access.scope_missing')
  assert.deepEqual([scope?.risk_score, scope?.actor?.user.credential_uid], [12, id])
  for (const [action, least] of [
    ['access.denied', 8],
    ['key.refused', 8],
    ['key.exposed', 55],
    ['key.used_after_rotation', 15],
    ['limit.exceeded', 6],
  ] as const)
    assert.ok((of(entries, action)[0]?.risk_score ?? 0) >= least, action)
  assert.equal(of(entries, 'policy.reloaded').length, 1)
  assert.equal(of(entries, 'policy.refused').length, 1)
  assert.ok(!JSON.stringify(entries).includes(first.slice(13)))
})
