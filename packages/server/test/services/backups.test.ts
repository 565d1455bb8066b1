// A gateway backs up its records on the schedule of its policy, and says where that is not kept.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openStore } from '@sallyport/store'
import { provedBackups } from '@sallyport/store/backup'
import type { AuditEvent, PolicyDocument } from 'sallyport'
import { removeFolder } from '../../../store/test/fixtures/remove.ts'
import { startGateway } from '../../src/index.ts'
import { openBackups } from '../../src/services/backups.ts'

const recipient = generateKeyPairSync('x25519')

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-backups-'))
  context.after(() => removeFolder(folder))
  writeFileSync(join(folder, 'backup.recipient'), recipient.publicKey.export({ type: 'spki', format: 'pem' }))
  return folder
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    if (await holds()) return
    await wait(50)
  }
  assert.fail(what)
}

test('H3 a gateway makes a proved backup, serves meanwhile, and tells its age in metrics and on the page', async (context) => {
  const folder = folderOf(context)
  const upstream = createServer((_request, response) => void response.end('{}'))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  context.after(() => upstream.close())
  let later = 0
  const gateway = await startGateway({
    clock: () => Date.now() + later,
    policy: {
      transport: { tls: 'in-front' },
      disclosure: { posture: 'public' },
      backup: { everySeconds: 3_600, keep: 2 },
    },
    upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    listen: { host: '127.0.0.1', port: 0 },
    stateFolder: folder,
    postureFolder: folder,
    places: {
      store: { folder: join(folder, 'store') },
      backups: { folder: join(folder, 'backups'), recipient: join(folder, 'backup.recipient') },
    },
  })
  context.after(() => gateway.close())
  let served = 0
  await until('a proved backup', async () => {
    assert.equal((await fetch(`${gateway.url}/v1/x`)).status, 200)
    served += 1
    return provedBackups(join(folder, 'backups')).length === 1
  })
  assert.ok(served > 1)
  const age = async () =>
    (await gateway.plane.metrics()).find(({ name }) => name === 'sallyport_backup_age_seconds')
  await until('its age', async () => (await age()) !== undefined)
  const { value } = (await age())!.samples[0]!
  assert.ok(value >= 0 && value < 120, String(value))
  const { lastBackup } = await gateway.plane.readiness()
  assert.equal(lastBackup?.at, provedBackups(join(folder, 'backups'))[0]!.at)
  assert.ok(lastBackup!.ageSeconds >= 0 && lastBackup!.ageSeconds < 120)
  assert.deepEqual(
    (await gateway.plane.readiness()).warnings.filter((each) => each.startsWith('backups')),
    [],
  )
  // The page was made before the backup; it is made anew when it is asked for a minute later.
  later = 61_000
  await until('it on the page', async () =>
    /Last proved backup[\s\S]*restored into an empty store and compared/.test(
      await (await fetch(`${gateway.url}/.well-known/posture`)).text(),
    ),
  )
  // Nothing in clear is left beside the store.
  await until('no scratch', () => readdirSync(folder).every((name) => !name.startsWith('backup-scratch-')))
})

test('H3 /readyz warns where backups fail or the last proved one is older than twice the schedule', async (context) => {
  const folder = folderOf(context)
  const store = await openStore({ directory: join(folder, 'store'), waitMs: 60_000 })
  context.after(() => store.close())
  const now = { at: Date.UTC(2026, 0, 1) }
  const places = { folder: join(folder, 'backups'), recipient: join(folder, 'backup.recipient') }
  const told: AuditEvent[] = []
  const audit = { record: (event: AuditEvent) => void told.push(event) }
  const open = () =>
    openBackups(places, store, { folder: join(folder, 'store') }, folder, audit, () => now.at)

  const first = await open()
  assert.deepEqual(first.warnings(), [])
  assert.equal(first.age(), null)
  first.use({ everySeconds: 3_600, keep: 2 })
  await until('a backup', () => first.last() !== undefined)
  await first.close()
  assert.deepEqual(first.warnings(), [])

  // Nobody can write there any more, not even root: the place of the lock is a folder.
  rmSync(join(places.folder, 'sallyport.lock'))
  rmSync(join(places.folder, 'sallyport.holder'))
  writeFileSync(join(folder, 'file'), '')
  const second = await openBackups(
    { ...places, folder: join(folder, 'file', 'backups') },
    store,
    { folder: join(folder, 'store') },
    folder,
    audit,
    () => now.at,
  )
  second.use({ everySeconds: 3_600, keep: 2 })
  await until('a failure', () => second.warnings().length > 0)
  assert.match(second.warnings()[0]!, /^backups: the last try failed: an error of the system \(ENOTDIR\)/)
  now.at += 7_201_000
  assert.match(second.warnings()[1]!, /^backups: none was proved yet/)
  await second.close()

  const third = await open()
  context.after(() => third.close())
  third.use(undefined)
  assert.deepEqual(third.warnings(), [])
  assert.equal(third.last()?.at, '2026-01-01T00:00:00.000Z')
  // Two days without a turn, as after a machine stood still.
  now.at += 48 * 3_600_000
  third.use({ everySeconds: 3_600, keep: 2 })
  assert.match(third.warnings()[0]!, /^backups: the last proved one is 50 h old, twice as old/)
  await until('another backup', () => third.last()?.at !== '2026-01-01T00:00:00.000Z')
  assert.deepEqual(third.warnings(), [])
  assert.equal(provedBackups(places.folder).length, 2)
  assert.deepEqual(
    told.map(({ action, outcome }) => [action, outcome]),
    [
      ['backup.made', 'success'],
      ['backup.failed', 'failure'],
      ['backup.made', 'success'],
    ],
  )
  const [made, failed] = told
  const [, oldest] = provedBackups(places.folder)
  assert.deepEqual([made?.target, made?.details?.['sha256']], [oldest!.file, oldest!.sha256])
  assert.match(String(failed?.details?.['because']), /ENOTDIR/)
})

test('H3 a private key in the place of the recipient’s is refused when the gateway starts', async (context) => {
  const folder = folderOf(context)
  const name = join(folder, 'backup.recipient')
  const pem = recipient.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  writeFileSync(name, pem)
  chmodSync(name, 0o600)
  const open = () => openBackups({ folder, recipient: name }, {} as never, {}, folder, { record() {} })
  await assert.rejects(open(), (error: Error) => {
    assert.match(error.message, /^backups: backups\.recipient holds a private key/)
    return !error.message.includes(pem.split('\n')[1]!)
  })
  rmSync(name)
  await assert.rejects(open(), /the recipient’s key can’t be read \(ENOENT\)/)
  assert.throws(() => readFileSync(name))
})

test('H3 a schedule for which no folder is configured is told in /readyz and on the page', async (context) => {
  const folder = folderOf(context)
  const start = (policy: PolicyDocument) =>
    startGateway({
      policy: { ...policy, transport: { tls: 'in-front' }, disclosure: { posture: 'public' } },
      upstream: 'http://127.0.0.1:9',
      listen: { host: '127.0.0.1', port: 0 },
      stateFolder: folder,
      postureFolder: folder,
      places: { store: { folder: join(folder, 'store') } },
    })
  const warningsOf = async (policy: PolicyDocument, page: RegExp) => {
    const gateway = await start(policy)
    try {
      assert.match(await (await fetch(`${gateway.url}/.well-known/posture`)).text(), page)
      return (await gateway.plane.readiness()).warnings.filter((each) => each.startsWith('backups'))
    } finally {
      await gateway.close({ graceMs: 0 })
    }
  }
  const isDeclared = /declared: every day, the last 14 are kept; this gateway makes none/
  const [warning, ...more] = await warningsOf({ extends: 'commerce' }, isDeclared)
  assert.match(warning!, /^backups: the policy declares one every 86400 s, and none is made: name a folder/)
  assert.deepEqual(more, [])
  assert.deepEqual(await warningsOf({ extends: 'commerce', backup: { mode: 'off' } }, /Not set/), [])
  assert.deepEqual(await warningsOf({ extends: 'api' }, /Not set/), [])
})
