// Two gateways in processes of their own on one PostgreSQL, and curl before them: a key that is rotated or revoked over HTTP
// at the one is refused at once there, and within two seconds by the other, with pushes and with every push lost.

import assert from 'node:assert/strict'
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { keyAdministration, openPeppers, openStore } from '@sallyport/store'
import { keyFormat } from 'sallyport/keys'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
  once as tellDatabase,
} from '../../store/test/fixtures/postgres.ts'
import { temporaryFolder, upstreamFor } from './harness.ts'

const PEPPER = Buffer.alloc(32, 9).toString('base64url')
const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)
/** What the posture page says. */
const BOUND_MS = 2_000

describe('H7 a key rotated over HTTP, on every node', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  async function nodeOf(context: TestContext, upstream: string, url: string): Promise<string> {
    const child = fork(
      fileURLToPath(new URL('keys-process.ts', import.meta.url)),
      [upstream, await temporaryFolder(context)],
      {
        env: {
          ...process.env,
          KEYS_TEST_URL: url,
          KEYS_TEST_SECRET: 'a secret that both gateways have',
          SALLYPORT_PEPPER_1: PEPPER,
        },
      },
    )
    context.after(() => void child.disconnect())
    const [told] = (await once(child, 'message')) as [{ readonly url: string }]
    return told.url
  }

  async function curl(key: string, method: string, address: string): Promise<Record<string, string>> {
    const args = ['-s', '-X', method, '--oauth2-bearer', key]
    if (method === 'POST') args.push('-H', 'Content-Type: application/json')
    return JSON.parse(execFileSync('curl', [...args, address], { encoding: 'utf8' }))
  }

  const status = async (node: string, key: string) =>
    (await fetch(`${node}/v1/orders`, { headers: { Authorization: `Bearer ${key}` } })).status

  /** How long the node goes on to take the key; milliseconds. */
  async function untilRefused(node: string, key: string, since: number): Promise<number> {
    while ((await status(node, key)) !== 401) {
      assert.ok(performance.now() - since < 3 * BOUND_MS, 'the other node never refuses it')
      await wait(5)
    }
    return performance.now() - since
  }

  for (const pushed of [true, false])
    it(`H7 is refused at once here and within the bound there, ${pushed ? 'with pushes' : 'with every push lost'}`, async (context) => {
      const { url, ownerUrl } = await server.database()
      const store = await openStore({ url, ownerUrl, waitMs: 60_000 })
      context.after(() => store.close())
      if (!pushed) await tellDatabase(ownerUrl, 'drop trigger revocations_told on revocations')
      const peppers = await openPeppers(store, { environment: { SALLYPORT_PEPPER_1: PEPPER } }, random)
      const administration = keyAdministration(store, {
        format: keyFormat('acme'),
        peppers,
        random,
        clock: Date.now,
      })
      const organisation = await administration.createOrganisation('Acme', 'free', 'test')
      const { key, id } = await administration.create({
        organisation,
        name: 'Till',
        kind: 'secret',
        environment: 'live',
        scopes: ['orders:read', 'settings:write'],
        createdBy: 'test',
      })
      const upstream = await upstreamFor(context, (_request, response) => response.end())
      const [here, there] = await Promise.all([
        nodeOf(context, upstream, url),
        nodeOf(context, upstream, url),
      ])
      // Both know it well.
      for (const node of [here, there])
        assert.deepEqual([await status(node, key), await status(node, key)], [200, 200])

      const rotated = await curl(key, 'POST', `${here}/v1/keys/${id}/rotate`)
      const since = performance.now()
      assert.equal(await status(here, key), 401)
      const took = await untilRefused(there, key, since)
      assert.ok(took <= BOUND_MS, `the other node took it for ${took} ms`)
      for (const node of [here, there]) assert.equal(await status(node, rotated['key']!), 200)

      await curl(rotated['key']!, 'DELETE', `${there}/v1/keys/self`)
      const again = performance.now()
      assert.equal(await status(there, rotated['key']!), 401)
      assert.ok((await untilRefused(here, rotated['key']!, again)) <= BOUND_MS)
    })
})
