// A backup holds everything, nobody but its recipient can read it, nothing of it can be changed unseen, and a new store
// made from it is the old one.

import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { makeBackup, provedBackups, prune, restoreBackup, verifyBackup } from '../../src/backup/index.ts'
import {
  openStore,
  organisationInsert,
  revocationHead,
  revocationsSince,
  type Store,
  storeInsert,
} from '../../src/index.ts'
import { embeddedStore, storeFolder, temporaryFolder } from '../fixtures/embedded.ts'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'

const recipient = generateKeyPairSync('x25519')
const signer = generateKeyPairSync('ed25519')
const opener = { identity: recipient.privateKey }
const { publicKey } = signer

async function filled(store: Store): Promise<void> {
  for (const id of ['a', 'b']) {
    await store.query(organisationInsert, [id, `“${id}”\n\u2028`, 'free', { requests: 100 }])
    for (let index = 0; index < 3; index += 1) await store.queryAs(id, storeInsert, [id, `s${index}`, 'Shop'])
  }
  await store.asOwner((client) =>
    client.query(
      `insert into audit_entries (index, uid, at, action, entry)
       select i, 'u' || i, '2026-01-01T00:00:00.123456Z'::timestamptz + i * interval '1 s', 'a', repeat('e', 300)
       from generate_series(0, 1999) i`,
    ),
  )
}

function settingsOf(test: TestContext, folder = temporaryFolder(test)) {
  let second = 0
  return {
    folder,
    recipient: recipient.publicKey,
    signer: signer.privateKey,
    scratch: temporaryFolder(test),
    now: () => new Date(Date.UTC(2026, 0, 2, 3, 4, second++)),
  }
}

it('H3 a backup is proved when it is made, and a store made from it holds the same with all sessions ended', async (test) => {
  const store = await embeddedStore(test)
  await filled(store)
  const settings = settingsOf(test)
  const record = await makeBackup(store, settings)
  assert.deepEqual([record.file, record.rows], ['sallyport-2026-01-02T03-04-00-000Z.backup', 2010])
  assert.deepEqual(provedBackups(settings.folder), [record])
  // Nothing in clear is left anywhere.
  assert.deepEqual(readdirSync(settings.scratch), [])
  const file = join(settings.folder, record.file)
  assert.equal(readFileSync(file).includes('Shop'), false)

  const scratch = settings.scratch
  const { tables, rows, sha256 } = await verifyBackup({ file, opener, publicKey, scratch })
  assert.deepEqual([rows, sha256, tables['stores']?.rows], [2010, record.sha256, 6])

  const target = await openStore({ directory: join(temporaryFolder(test), 'new'), waitMs: 60_000 })
  test.after(() => target.close())
  const before = await store.query(revocationHead, [])
  assert.deepEqual(await restoreBackup(target, { file, opener, publicKey }), { at: record.at, rows })
  const [head] = await target.query(revocationHead, [])
  assert.equal(head!.seq, before[0]!.seq + 2 ** 32 + 3)
  const ended = await target.query(revocationsSince, [before[0]!.seq, 10])
  assert.deepEqual(
    ended.map(({ subject_kind, subject_id }) => [subject_kind, subject_id]),
    [
      ['session', '*'],
      ['organisation', 'a'],
      ['organisation', 'b'],
    ],
  )
  assert.equal(ended.at(-1)!.seq, head!.seq)
  await assert.rejects(restoreBackup(target, { file, opener, publicKey }), /holds records already/)
})

describe('H3 a backup that is not what it was', () => {
  it('is refused: another key, another signer, any byte changed, the end cut off, nothing at all', async (test) => {
    const store = await embeddedStore(test)
    await filled(store)
    const settings = settingsOf(test)
    const { file: name } = await makeBackup(store, settings)
    const file = join(settings.folder, name)
    const target = await openStore({ directory: await storeFolder(test), waitMs: 60_000 })
    test.after(() => target.close())
    const restore = (path: string, how: { opener?: typeof opener; publicKey?: typeof publicKey } = {}) =>
      restoreBackup(target, { file: path, opener, publicKey, ...how })
    const other = { identity: generateKeyPairSync('x25519').privateKey }
    await assert.rejects(restore(file, { opener: other }), /not the one that it was encrypted to/)
    const stranger = generateKeyPairSync('ed25519').publicKey
    await assert.rejects(restore(file, { publicKey: stranger }), /signature is not of the given key/)

    const bytes = readFileSync(file)
    const changed = join(temporaryFolder(test), 'changed.backup')
    for (const [what, given] of Object.entries({
      empty: Buffer.alloc(0),
      'first line': Buffer.concat([Buffer.from('x'), bytes.subarray(1)]),
      header: flipped(bytes, 60),
      middle: flipped(bytes, bytes.length >> 1),
      end: flipped(bytes, bytes.length - 1),
      cut: bytes.subarray(0, -1),
      'cut header': bytes.subarray(0, 40),
      longer: Buffer.concat([bytes, Buffer.from([0])]),
      text: Buffer.from('-- PostgreSQL database dump\n'.repeat(400)),
    })) {
      writeFileSync(changed, given)
      await assert.rejects(restore(changed), { code: 'refused', message: /backup can’t be read/ }, what)
    }
    // Nothing of any of them was written.
    await restore(file)
  })

  it('is not made: what the store held and the file does not hold is found', async (test) => {
    const store = await embeddedStore(test)
    await filled(store)
    const settings = settingsOf(test)
    const { file } = await makeBackup(store, settings)
    const path = join(settings.folder, file)
    const { tables } = await verifyBackup({ file: path, opener, publicKey, scratch: settings.scratch })
    const missing = { ...tables, stores: { ...tables['stores']!, rows: 7 } }
    await assert.rejects(
      verifyBackup({ file: path, opener, publicKey, scratch: settings.scratch, expected: missing }),
      /does not hold what the store held: table stores has 6 rows instead of 7/,
    )
  })
})

it('H3 the gateway goes on while an embedded store is backed up', async (test) => {
  const store = await embeddedStore(test)
  await filled(store)
  const settings = settingsOf(test)
  let longest = 0
  let isDone = false
  const asking = (async () => {
    while (!isDone) {
      const began = performance.now()
      await store.query(revocationHead, [])
      longest = Math.max(longest, performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  // What is written after the moment of the copy is not in it, and does no harm.
  const backup = makeBackup(store, settings)
  for (let n = 0; n < 20; n += 1) await store.query(organisationInsert, [`later${n}`, 'Later', 'free', null])
  const { rows } = await backup
  isDone = true
  await asking
  assert.ok(rows >= 2010 && rows <= 2030, String(rows))
  test.diagnostic(`longest question meanwhile: ${longest.toFixed(0)} ms`)
})

it('H3 of proved backups the newest are kept, the last one always, and what was not proved is left alone', async (test) => {
  const store = await embeddedStore(test)
  const settings = settingsOf(test)
  const made = [await makeBackup(store, settings), await makeBackup(store, settings)].map(({ file }) => file)
  const unproved = join(settings.folder, 'sallyport-2020-01-01T00-00-00-000Z.backup')
  writeFileSync(unproved, '')
  assert.deepEqual(prune(settings.folder, 2), [])
  assert.deepEqual(prune(settings.folder, 0), [made[0]])
  assert.deepEqual(
    provedBackups(settings.folder).map(({ file }) => file),
    [made[1]],
  )
  assert.ok(existsSync(unproved))
  assert.deepEqual(prune(settings.folder, 1), [])
})

it('H3 a server is backed up as of one moment, by the role of the application, whatever its time zone', {
  skip: postgresMissing,
}, async (test) => {
  const server = await startPostgres()
  test.after(() => server.end())
  const { url, ownerUrl, name } = await server.database()
  const owned = await openStore({ url, ownerUrl })
  test.after(() => owned.close())
  await filled(owned)
  await owned.asOwner((client) =>
    client.query(
      `alter database ${name} set timezone = 'Asia/Kolkata'; alter database ${name} set bytea_output = 'escape'`,
    ),
  )
  await owned.asOwner((client) =>
    client.query(
      `insert into lockouts (name_digest, authenticator, last_failure_at) values (sha256('x'), 'p', now())`,
    ),
  )
  const store = await openStore({ url })
  test.after(() => store.close())
  const settings = settingsOf(test)
  const record = await makeBackup(store, settings)
  assert.equal(record.rows, 2011)
  const again = await verifyBackup({
    file: join(settings.folder, record.file),
    opener,
    publicKey: createPublicKey(signer.privateKey),
    scratch: settings.scratch,
  })
  assert.equal(again.sha256, record.sha256)
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}
