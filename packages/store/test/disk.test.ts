// The embedded database on a disk that is full, fails, or goes away: nothing acknowledged is lost, reads go on where they
// can, and nobody has to restart anything.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openStore, organisationById, organisationInsert, revocationHead, type Store } from '../src/index.ts'
import { mountMissing, type SmallDisk, smallDisk } from './fixtures/disk.ts'
import { embeddedStore, storeFolder } from './fixtures/embedded.ts'

const MIB = 2 ** 20
const insert = (store: Store, id: string) =>
  store.query(organisationInsert, [id, 'x'.repeat(6_000), 'free', null])

async function onDisk(test: TestContext, mebibytes: number): Promise<{ disk: SmallDisk; directory: string }> {
  const disk = smallDisk(test, mebibytes)
  cpSync(dirname(await storeFolder(test)), disk.at, { recursive: true })
  return { disk, directory: join(disk.at, 'store') }
}

/** Writes until something is refused. */
async function writeUntilRefused(store: Store): Promise<{ acknowledged: string[]; refusal: unknown }> {
  const acknowledged: string[] = []
  for (;;) {
    const id = `o${acknowledged.length}`
    try {
      await insert(store, id)
      acknowledged.push(id)
    } catch (refusal) {
      return { acknowledged, refusal }
    }
  }
}

/** Asks again until the store serves. */
async function served<T>(ask: () => Promise<T>, codes: readonly string[]): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      assert.ok(codes.includes((error as { code: string }).code), String(error))
      await wait(50)
    }
  }
}

async function lost(store: Store, ids: readonly string[]): Promise<readonly string[]> {
  const missing = []
  for (const id of ids) if ((await store.query(organisationById, [id])).length === 0) missing.push(id)
  return missing
}

describe('a full disk', { skip: mountMissing }, () => {
  it('refuses writes while there is still room for the log, reads on, and writes again once there is room', async (test) => {
    const { disk, directory } = await onDisk(test, 120)
    const events: string[] = []
    const store = await openStore({ directory, waitMs: 60_000, onEvent: (event) => events.push(event) })
    test.after(() => store.close())
    disk.fill(25 * MIB)
    const { acknowledged, refusal } = await writeUntilRefused(store)
    assert.equal((refusal as { code: string }).code, 'full')
    assert.ok(disk.free() > 16 * MIB)
    assert.deepEqual(await lost(store, acknowledged), [])
    assert.equal(store.ready, true)
    disk.empty()
    await served(() => insert(store, 'after'), ['full'])
    assert.deepEqual(await lost(store, [...acknowledged, 'after']), [])
    assert.deepEqual(
      events.filter((event) => event !== 'connection-lost'),
      [],
    )
  })

  it('that someone else fills to the last byte loses nothing, in a checkpoint and in a switch of the log too', async (test) => {
    const { disk, directory } = await onDisk(test, 160)
    const store = await openStore({ directory, waitMs: 60_000, checkpointMs: 50 })
    test.after(() => store.close())
    await insert(store, 'before')
    disk.fill(0)
    // A statement that runs into the end at once, before the room was looked at.
    const refused = ['full', 'unavailable', 'slow']
    const switched = () => store.asOwner((client) => client.query('select pg_switch_wal()'))
    for (let time = 0; time < 3; time += 1)
      await Promise.allSettled([switched(), insert(store, `during-${time}`), wait(100)])
    disk.empty()
    await served(() => insert(store, 'after'), refused)
    assert.deepEqual(await lost(store, ['before', 'after']), [])
    await served(async () => assert.equal(store.ready, true), refused)
  })

  it('is not opened without room for its log, and no new store is begun that would not fit', async (test) => {
    const { disk, directory } = await onDisk(test, 100)
    disk.fill(20 * MIB)
    await assert.rejects(openStore({ directory }), { code: 'full', message: /less than 24 MiB left/ })
    disk.empty()
    disk.fill(40 * MIB)
    await (await openStore({ directory })).close()
    const other = join(disk.at, 'other')
    await assert.rejects(openStore({ directory: other }), { code: 'full', message: /less than 48 MiB left/ })
    assert.ok(!existsSync(other) && !existsSync(`${other}.init`))
    disk.empty()
    await (await openStore({ directory: other })).close()
  })
})

it('ends the database where a sync fails, acknowledges nothing of it, and goes on when the disk does', async (test) => {
  const directory = await storeFolder(test)
  const flag = `${directory}.bad`
  const [stubborn, preload] = ['stubborn.ts', 'failing-sync.ts'].map((name) =>
    fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)),
  )
  const child = spawn(process.execPath, ['--import', preload!, stubborn!, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SALLYPORT_TEST_BAD_DISK: flag },
  })
  const exited = once(child, 'exit')
  const acknowledged: string[] = []
  const seen = new Set<string>()
  for await (const line of createInterface({ input: child.stdout })) {
    const [kind, id] = line.split(' ')
    if (kind !== 'ack') {
      seen.add(line)
      if (line === 'failing') rmSync(flag, { force: true })
      continue
    }
    // What was on its way when the flag was put there may still be heard.
    assert.ok(!existsSync(flag) || !seen.has('worker-died'), 'nothing is acknowledged while syncs fail')
    acknowledged.push(id!)
    if (acknowledged.length === 5) writeFileSync(flag, '')
    if (seen.has('reopened')) child.stdin.end()
  }
  assert.deepEqual(await exited, [0, null])
  for (const line of ['worker-died', 'fault unavailable', 'failing', 'reopened'])
    assert.ok(seen.has(line), line)
  const store = await openStore({ directory })
  test.after(() => store.close())
  assert.deepEqual(await lost(store, acknowledged), [])
})

it('never begins anew where the folder goes away under a running store', async (test) => {
  const directory = await storeFolder(test)
  const failing = Promise.withResolvers<void>()
  const reopened = Promise.withResolvers<void>()
  const store = await embeddedStore(test, {
    directory,
    checkpointMs: 20,
    onEvent: (event) => {
      if (event === 'failing') failing.resolve()
      if (event === 'reopened') reopened.resolve()
    },
  })
  await insert(store, 'kept')
  renameSync(directory, `${directory}.elsewhere`)
  // A checkpoint finds no control file: the database ends, and is not opened again.
  void writeUntilRefused(store)
  await failing.promise
  assert.equal(store.ready, false)
  await assert.rejects(store.query(revocationHead, []), { code: 'unavailable' })
  assert.ok(!existsSync(directory))
  renameSync(`${directory}.elsewhere`, directory)
  await reopened.promise
  assert.deepEqual(await lost(store, ['kept']), [])
  assert.equal(store.ready, true)
})
