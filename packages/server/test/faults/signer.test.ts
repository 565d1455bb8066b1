// A gateway whose key of the log is missing or another: events are kept, nothing is signed, an operator is told, and with
// the key of before it goes on where it stopped.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openStore } from '@sallyport/store'
import { checkLog } from '@sallyport/store/audit'
import { logSigner, openCheckpoint, verifierOf } from 'sallyport/audit'
import { storeFolder } from '../../../store/test/fixtures/embedded.ts'
import type { GatewayOptions } from '../../src/index.ts'
import { until, worldOf } from './world.ts'

const SECRET = 'the secret of the log of before'
const verifier = verifierOf(logSigner(SECRET))

test('H19 without the key of the log events are kept, nothing is signed, and the key of before signs for all of them', async (context) => {
  const directory = await storeFolder(context)
  const folder = dirname(directory)
  const [key, anchor] = [join(folder, 'audit-key'), join(folder, 'audit-checkpoint')]
  const keep = (secret: string) => writeFileSync(key, `${secret}\n`, { mode: 0o600 })
  const events = 5
  // Beside them a gateway tells that it has opened the log.
  const told = events + 1
  let entries = 0
  const run = async (secrets: NonNullable<GatewayOptions['places']>['secrets']) => {
    const places = { store: { folder: directory }, secrets: secrets! }
    const node = await worldOf(context, places, { stateFolder: folder })
    for (let count = 0; count < events; count += 1) assert.equal((await node.exposing()).status, 400)
    entries += told
    await until(
      'all in the log',
      () => node.metric('sallyport_audit_entries'),
      (size) => size === entries,
    )
    const { status, warnings } = await node.ready()
    await node.gateway.close({ graceMs: 0 })
    return { status, warnings }
  }
  const signedFor = () => openCheckpoint(readFileSync(anchor, 'utf8'), verifier)?.size

  keep(SECRET)
  assert.deepEqual(await run({ audit: { file: key } }), { status: 200, warnings: [] })
  assert.equal(signedFor(), told)

  const unsigned = [
    [
      'another',
      () => keep('the secret of another log'),
      { audit: { file: key } },
      /with another secret; give all/,
    ],
    ['missing', () => rmSync(key), { audit: { file: key } }, /the file can't be read \(ENOENT\)/],
    [
      'nowhere',
      () => {},
      { audit: { from: 'FAULTS_TEST_NOWHERE' } },
      /the environment has no FAULTS_TEST_NOWHERE/,
    ],
    ['a fresh one of its own', () => {}, {}, /with another secret, and this one was made here/],
  ] as const
  for (const [what, change, secrets, reason] of unsigned) {
    change()
    const { status, warnings } = await run(secrets)
    assert.equal(status, 200, what)
    assert.equal(warnings.length, 1, what)
    assert.match(warnings[0]!, /^audit log: events are kept, and nothing is signed: secrets\.audit: /)
    assert.match(warnings[0]!, reason, what)
    assert.equal(signedFor(), told, what)
  }

  keep(SECRET)
  assert.deepEqual(await run({ audit: { file: key } }), { status: 200, warnings: [] })
  assert.equal(signedFor(), entries)
  assert.ok(existsSync(anchor))
  const store = await openStore({ directory })
  context.after(() => store.close())
  const check = await checkLog(store, { verifier, notes: [readFileSync(anchor, 'utf8')] })
  assert.deepEqual([check.entries, check.faults], [entries, []])
})
