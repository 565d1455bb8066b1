// What commands change or read out is in the log with the account that ran them, beside a gateway and without one; a
// restored store goes on with the log that it had.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { operator } from '../../../sallyport/src/cli/operator.ts'
import { gatewayFor } from '../harness.ts'
import { command, logOf, of, POLICY, world } from './world.ts'

test('H19 backups made, proved, restored and handed on are in the log, and a restored log goes on', async (context) => {
  const recipient = generateKeyPairSync('x25519')
  const signer = generateKeyPairSync('ed25519')
  const { folder, directory, running, keys, withKey } = await world(context)
  const file = (name: string, pem: string | Buffer) => writeFileSync(join(folder, name), pem, { mode: 0o600 })
  file('identity', recipient.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  file('recipient', recipient.publicKey.export({ type: 'spki', format: 'pem' }))
  file('signer', signer.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  file('signer.pub', signer.publicKey.export({ type: 'spki', format: 'pem' }))
  const run = (...words: string[]) => command(folder, ...words)
  await keys('create', '--create-organisation', '--name', 'Till')
  assert.equal(await withKey('/v1/things', '198.51.100.2', 'garbage'), 401)

  // Beside the running gateway.
  const at = ['--store', directory, '--state', folder]
  await run('backup', '--recipient', 'recipient', ...at)
  const [name] = readdirSync(join(folder, 'backups')).filter((each) => each.endsWith('.backup'))
  const opening = ['--identity', 'identity', '--key', 'backup.pub']
  await run('backup', 'verify', `backups/${name}`, ...opening, '--store', directory)
  const exported = await run('audit', 'export', ...at)
  assert.match(exported.out, /"event_code":"audit\.exported"/, 'it is told before anything is handed on')
  await running.gateway.close({ graceMs: 0 })
  await run('store', 'export', '--file', 'all.jsonl', '--key', 'signer', '--store', directory)

  const old = await logOf(directory)
  for (const action of ['backup.made', 'backup.verified', 'audit.exported', 'store.exported']) {
    const [entry, ...more] = of(old, action)
    assert.equal(more.length, 0, action)
    assert.deepEqual([entry?.actor?.user.uid, entry?.status_id], [operator(), 1], action)
  }
  assert.equal(of(old, 'backup.made')[0]?.resource?.uid, name)

  // A new store from the backup: what was told before it, then that it was restored.
  const restored = join(folder, 'other', 'store')
  await run('restore', `backups/${name}`, ...opening, '--store', restored)
  const log = await logOf(restored)
  const last = log.at(-1)!
  assert.deepEqual([last.metadata.event_code, last.actor?.user.uid], ['backup.restored', operator()])
  assert.deepEqual(log.slice(0, -1), old.slice(0, log.length - 1))
  assert.equal(of(log, 'backup.made').length, 0, 'it was made after the moment that is in it')

  // A gateway signs for it where no checkpoint says that there was more, and says so where one does.
  copyFileSync(`${directory}.pepper`, `${restored}.pepper`)
  const state = join(folder, 'state')
  mkdirSync(state)
  cpSync(join(folder, 'secrets'), join(state, 'secrets'), { recursive: true })
  const warningsOf = async (stateFolder: string, store: string) => {
    const next = await gatewayFor(context, {
      policy: POLICY,
      upstream: 'http://127.0.0.1:9',
      stateFolder,
      places: { store: { folder: store } },
    })
    const { warnings } = await next.gateway.plane.readiness()
    await next.gateway.close({ graceMs: 0 })
    return warnings.join()
  }
  assert.doesNotMatch(await warningsOf(state, restored), /audit log/)
  // The old one has signed for all that came after the backup.
  assert.doesNotMatch(await warningsOf(folder, directory), /audit log/)
  copyFileSync(join(folder, 'audit-checkpoint'), join(state, 'audit-checkpoint'))
  assert.match(await warningsOf(state, restored), /rolled back|are not those that were signed for/)
  assert.ok((await logOf(restored)).length > log.length)

  const imported = join(folder, 'imported', 'store')
  mkdirSync(join(folder, 'imported'))
  await run('store', 'import', '--file', 'all.jsonl', '--key', 'signer.pub', '--store', imported)
  const [entry] = of(await logOf(imported), 'store.imported')
  assert.equal(entry?.actor?.user.uid, operator())
})

test('H19 a backup that can’t be made is in the log', async (context) => {
  const recipient = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' })
  const { folder, directory, log } = await world(context)
  writeFileSync(join(folder, 'recipient'), recipient)
  writeFileSync(join(folder, 'file'), '')
  await assert.rejects(
    command(
      folder,
      'backup',
      '--recipient',
      'recipient',
      '--to',
      'file/in',
      '--store',
      directory,
      '--state',
      folder,
    ),
  )
  const [entry] = of(await log(), 'backup.failed')
  assert.deepEqual([entry?.status_id, entry?.unmapped.details?.['because']], [2, 'ENOTDIR'])
})
