// Two gateways on one PostgreSQL: one log, one key, and an anchor for each.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { openStore } from '@sallyport/store'
import { checkLog, readLog } from '@sallyport/store/audit'
import { logSigner, openCheckpoint, verifierOf } from 'sallyport/audit'
import { type PostgresServer, postgresMissing, startPostgres } from '../../../store/test/fixtures/postgres.ts'
import { gatewayFor, type Running, temporaryFolder, upstreamFor } from '../harness.ts'

const SECRET = 'a secret that both gateways have'
const verifier = verifierOf(logSigner(SECRET))

describe('two gateways with one log', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
    process.env['GATEWAYS_TEST_AUDIT'] = SECRET
    process.env['GATEWAYS_TEST_LOCKOUT'] = SECRET
    process.env['SALLYPORT_PEPPER_1'] = Buffer.alloc(32, 7).toString('base64url')
  })
  after(() => {
    server.end()
    for (const name of Object.keys(process.env).filter((one) => one.startsWith('GATEWAYS_TEST_')))
      delete process.env[name]
  })

  async function nodeOf(context: TestContext, upstream: string): Promise<Running & { anchor(): string }> {
    const folder = await temporaryFolder(context)
    const node = await gatewayFor(context, {
      policy: { transport: { tls: 'in-front' }, keys: { vendor: 'acme' }, audit: { record: true } },
      upstream,
      stateFolder: folder,
      admin: { host: '127.0.0.1', port: 0 },
      places: {
        store: { urlFrom: 'GATEWAYS_TEST_URL' },
        secrets: { audit: { from: 'GATEWAYS_TEST_AUDIT' }, lockout: { from: 'GATEWAYS_TEST_LOCKOUT' } },
      },
    })
    return { ...node, anchor: () => readFileSync(join(folder, 'audit-checkpoint'), 'utf8') }
  }

  it('H19 write one log, and a checkpoint of one holds under the log of the other', async (context) => {
    const { url, ownerUrl } = await server.database()
    process.env['GATEWAYS_TEST_URL'] = url
    const store = await openStore({ url, ownerUrl, waitMs: 60_000 })
    context.after(() => store.close())
    const upstream = await upstreamFor(context, (_request, response) => response.end())
    const nodes = [await nodeOf(context, upstream), await nodeOf(context, upstream)]
    const each = 40
    await Promise.all(
      Array.from({ length: 2 * each }, (_, n) =>
        fetch(`${nodes[n % 2]!.gateway.url}/${n}?key=sk_acme_live_${'a'.repeat(38)}`),
      ),
    )
    for (const { gateway } of nodes) {
      const { warnings } = await (await fetch(`${gateway.adminUrl}/readyz`)).json()
      assert.deepEqual(warnings, [])
    }
    await Promise.all(nodes.map(({ gateway }) => gateway.close({ graceMs: 0 })))

    const notes = nodes.map(({ anchor }) => anchor())
    const sizes = notes.map((note) => openCheckpoint(note, verifier)?.size)
    assert.ok(
      sizes.every((size) => size !== undefined && size > 0),
      String(sizes),
    )
    const check = await checkLog(store, { verifier, notes })
    // And the start of each.
    const all = 2 * each + nodes.length
    assert.deepEqual([check.entries, check.faults], [all, []])
    assert.ok(check.checkpoints >= 2)
    const read = (await readLog(store, 0, 1_000)).map(({ entry }) => JSON.parse(entry))
    assert.equal(new Set(read.map(({ metadata }) => metadata.uid)).size, all)

    // Each goes on from its own anchor, whatever the other wrote since.
    const again = await nodeOf(context, upstream)
    const { warnings } = await (await fetch(`${again.gateway.adminUrl}/readyz`)).json()
    assert.deepEqual(warnings, [])
  })
})
