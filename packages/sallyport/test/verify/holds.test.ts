// What runs under a policy is found to hold it: the gateway with TLS before a careless API, the example of Driftstack,
// and every framework with a hostile handler.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { buildApi } from '../../../../examples/driftstack/app.ts'
import driftstack from '../../../../examples/driftstack/sallyport.config.ts'
import { localCertificate, startGateway, startSampleUpstream } from '../../../server/src/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { send, type Wire } from '../../src/posture/wire/send.ts'
import { ORIGIN } from '../kinds/kinds.ts'
import { guardedApps } from '../kinds/servers.ts'

function seen({ classes }: Verification): readonly string[] {
  return classes.filter(({ answers }) => answers > 0).map(({ id }) => id)
}

function holds(result: Verification): void {
  assert.deepEqual(result.findings, [])
  assert.equal(result.passed, result.of)
}

/** The gateway of the demo: TLS here, before an API that leaks and sets headers of its own. */
async function demo(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-verify-'))
  const local = await localCertificate({ folder })
  const upstream = await startSampleUpstream({ port: 0 })
  const policy: PolicyDocument = {
    extends: 'api',
    transport: { tls: 'here' },
    request: { maxBodyBytes: 100_000 },
    errors: { replaceBodies: 'unshaped' },
    cors: { origins: [ORIGIN] },
    routes: { '/v1/events': { data: 'stream', credentials: 'none' } },
  }
  const gateway = await startGateway({
    policy,
    upstream: upstream.url,
    listen: { host: '127.0.0.1', port: 0 },
    tls: local,
    status: true,
  })
  context.after(async () => {
    await gateway.close({ graceMs: 0 })
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const target = { scheme: 'https', host: '127.0.0.1', port: gateway.address.port, ca: local.ca } as const
  return { policy, target }
}

describe('verify finds that everything holds on', () => {
  it('D1 D2 D3 D4 D5 D6 D7 D8 D9 D10 the gateway, in every class that its API can be brought to', async (context) => {
    const { policy, target } = await demo(context)
    const result = await verify(policy, target, {
      samples: [
        { class: '200', path: '/v1/account' },
        { class: 'error', path: '/v1/orders' },
        { class: 'redirect', path: '/old' },
        { class: 'download', path: '/download' },
      ],
    })
    holds(result)
    for (const id of ['200', 'head', 'redirect', '404', 'error', 'download', 'sse', 'http2', 'tls-versions'])
      assert.ok(seen(result).includes(id), id)
    for (const id of ['plain-http', 'preflight-allowed', 'oversize', 'trace', 'connect', 'bad-percent'])
      assert.ok(seen(result).includes(id), id)
    assert.ok(result.requests < 400 && result.of > 500, `${result.requests} requests, ${result.of} probes`)
  })

  it('C8 D11 D21 the Driftstack API, for each role', async (context) => {
    const { app, accounts } = buildApi()
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    context.after(() => app.close())
    const result = await verify(driftstack, url, {
      credentials: [
        { role: 'member', header: 'Authorization', value: `Bearer ${accounts.issueToken('acct_1')}` },
      ],
      samples: [
        { class: '200', path: '/v1/billing/invoices' },
        { class: '403', path: '/v1/admin/accounts' },
      ],
    })
    holds(result)
    for (const id of ['200', '401', '403', '404', 'sse', 'head']) assert.ok(seen(result).includes(id), id)
  })

  for (const preset of ['recommended', 'api', 'payments', 'commerce'] as const)
    it(`the preset ${preset} with a handler that sets weaker headers`, async (context) => {
      const policy: PolicyDocument = {
        extends: preset,
        routes: {
          '/ok': { data: 'public', credentials: 'none' },
          'GET /items/:id': { data: 'asset', credentials: 'none' },
          'POST /echo': { data: 'private', cache: { owner: 'handler', floor: 'private' } },
          '/events': { data: 'stream' },
        },
      }
      const app = await guardedApps['fastify']!(policy)
      context.after(() => app.close())
      const options = { profile: 'full', samples: [{ class: '200', path: '/items/1' }] } as const
      const quickly: Wire = (target, request, given) =>
        send(target, request, { ...given, limits: { ...given?.limits, headMs: 1_500 } })
      holds(
        await verify(policy, `http://127.0.0.1:${app.port}`, {
          ...options,
          wire: quickly,
          allowWrites: true,
        }),
      )
    })

  for (const name of Object.keys(guardedApps))
    it(`${name} with a handler that sets weaker headers`, async (context) => {
      const policy: PolicyDocument = {
        extends: 'api',
        cors: { origins: [ORIGIN], bearer: 'listed' },
        request: { maxBodyBytes: 1_000, nonCanonical: 'refuse' },
        errors: { replaceBodies: 'unshaped' },
      }
      const app = await guardedApps[name]!(policy)
      context.after(() => app.close())
      const result = await verify(policy, `http://127.0.0.1:${app.port}`, {
        place: 'node',
        allowWrites: true,
        samples: [
          { class: '200', path: '/ok' },
          { class: '304', path: '/same' },
          { class: 'redirect', path: '/moved' },
          { class: 'error', path: '/throws' },
          { class: '401', path: '/unauthorized' },
          { class: '403', path: '/forbidden' },
          { class: 'sse', path: '/events' },
          { class: 'bad-json', path: '/echo' },
        ],
      })
      holds(result)
      for (const id of ['304', 'redirect', 'error', '401', '403', 'sse', 'bad-json'])
        assert.ok(seen(result).includes(id), id)
    })
})
