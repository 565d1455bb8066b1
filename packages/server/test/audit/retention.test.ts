// Entries whose time is over go: by the gateway as the policy says, and by the command beside a running gateway.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '@sallyport/store'
import { fileAnchor, openAuditLog, pruneLog, readLog } from '@sallyport/store/audit'
import { logSigner } from 'sallyport/audit'
import { logRetention } from '../../src/services/retention.ts'
import { gatewayFor, temporaryFolder } from '../harness.ts'

const MAIN = fileURLToPath(new URL('../../../sallyport/src/cli/main.ts', import.meta.url))
const SECRET = 'the secret of a log for tests'
const DAY_MS = 86_400_000
const signer = logSigner(SECRET)

/** A state folder whose log has an event a day for 600 days, up to today. */
async function oldLog(context: TestContext) {
  const folder = await temporaryFolder(context)
  const directory = join(folder, 'store')
  mkdirSync(join(folder, 'secrets'))
  writeFileSync(join(folder, 'secrets', 'audit'), SECRET, { mode: 0o600 })
  const store = await openStore({ directory })
  const audit = await openAuditLog({
    database: store,
    origin: signer.name,
    signer,
    anchor: fileAnchor(join(folder, 'audit-checkpoint')),
  })
  for (let days = 599; days >= 0; days--)
    audit.record({ action: 'key.refused', outcome: 'denied', at: Date.now() - days * DAY_MS })
  await audit.close()
  return { folder, directory, store }
}

test('H19 the command lets old entries go beside a running gateway, and says so in the log', async (context) => {
  const { folder, directory, store } = await oldLog(context)
  await store.close()
  await gatewayFor(context, {
    policy: { transport: { tls: 'in-front' }, audit: { record: true } },
    upstream: 'http://127.0.0.1:9',
    stateFolder: folder,
    places: { store: { folder: directory } },
  })
  const audit = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) =>
      execFile(
        process.execPath,
        [MAIN, 'audit', ...words, '--store', directory, '--state', folder],
        { cwd: folder },
        (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
      ),
    )
  const pruned = await audit('prune', '--older-than', '200d')
  assert.deepEqual([pruned.code, pruned.out.split(' ')[0]], [0, '256'], pruned.err)
  assert.match((await audit('prune', '--older-than', '200d')).out, /nothing went/)
  const whole = await audit('verify')
  // The start of the gateway and the pruning are two more.
  assert.match(whole.out, /^✓ 602 entries, .*; of the first 256, whose time was over, the hashes$/m)
  const told = await audit('search', '--action', 'audit.pruned', '--json')
  assert.deepEqual(JSON.parse(told.out).unmapped.details, { entries: 256, olderThanDays: 200 })
  for (const words of [['prune'], ['prune', '--older-than', '12h']]) {
    const { code, err } = await audit(...words)
    assert.deepEqual([code, /at least a day/.test(err)], [2, true], err)
  }
})

test('H19 a gateway lets go what its policy keeps no longer, and nothing where nothing is said', async (context) => {
  const { store } = await oldLog(context)
  context.after(() => store.close())
  const told: unknown[] = []
  const retention = logRetention(
    store,
    signer,
    { record: (event) => void told.push(event.details) },
    pruneLog,
  )
  context.after(() => retention.close())
  const first = async () => (await readLog(store, 0, 1))[0]?.index
  await retention.prune(Date.now())
  assert.equal(await first(), 0)
  retention.keep(30)
  await retention.prune(Date.now())
  assert.equal(await first(), 512)
  assert.deepEqual(told, [{ entries: 512, olderThanDays: 30 }])
})
