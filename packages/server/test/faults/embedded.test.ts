// A gateway whose embedded store meets a full disk, a damaged page, or a database that ends: what needs a write is refused,
// what can be read is read, and nobody restarts anything.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '@sallyport/store'
import { checkLog, readLog } from '@sallyport/store/audit'
import { mountMissing, smallDisk } from '../../../store/test/fixtures/disk.ts'
import { storeFolder } from '../../../store/test/fixtures/embedded.ts'
import { temporaryFolder } from '../harness.ts'
import { keysIn, until, worldOf } from './world.ts'

const MAIN = fileURLToPath(new URL('../../../sallyport/src/cli/main.ts', import.meta.url))
const MIB = 2 ** 20

describe('a gateway on a full disk', { skip: mountMissing }, () => {
  it('refuses what must be written with 503, lets known and new keys read, and goes on once there is room', async (context) => {
    const disk = smallDisk(context, 160)
    cpSync(dirname(await storeFolder(context)), disk.at, { recursive: true })
    const directory = join(disk.at, 'store')
    const [known, fresh] = await keysIn({ directory }, 2)
    const node = await worldOf(context, { store: { folder: directory } })
    assert.equal((await node.guess('wrong', 'eve@example.com')).status, 401)
    await until(
      'a key',
      () => node.withKey(known!),
      ({ status }) => status === 200,
    )

    disk.fill(16 * MIB)
    const passed = node.passed()
    const refused = await until(
      'a guess refused',
      () => node.guess(),
      ({ status }) => status !== 200,
    )
    assert.equal(refused.status, 503)
    assert.equal(JSON.parse(refused.body).code, 'credentials_unavailable')
    const before = node.passed()
    assert.equal((await node.guess('wrong')).status, 503)
    assert.equal(node.passed(), before, 'no guess that is not counted reaches the API')
    assert.ok(before >= passed)
    for (const key of [known!, fresh!]) {
      const taken = await until(
        'a key on a full disk',
        () => node.withKey(key),
        ({ status }) => status !== 503,
      )
      assert.equal(taken.status, 200)
    }
    const command = await new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const words = ['create', '--vendor', 'acme', '--organisation', 'Acme', '--name', 'Till']
      execFile(
        process.execPath,
        [MAIN, 'keys', ...words, '--store', directory],
        { cwd: node.folder },
        (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }),
      )
    })
    assert.deepEqual([command.code, command.out], [2, ''], command.err)
    assert.match(command.err, /the disk of the store is full/)
    const exposed = 20
    for (let count = 0; count < exposed; count += 1) assert.equal((await node.exposing()).status, 400)
    const warned = await until(
      'warned of',
      () => node.ready(),
      ({ warnings }) => warnings.includes('audit log: events wait for the store (full)'),
    )
    assert.equal(warned.status, 200, 'reads go on, so requests may come')

    disk.empty()
    await until(
      'a guess again',
      () => node.guess(),
      ({ status }) => status === 200,
    )
    await until(
      'the log again',
      () => node.ready(),
      ({ warnings }) => warnings.length === 0,
    )
    await node.gateway.close({ graceMs: 0 })
    const store = await openStore({ directory })
    context.after(() => store.close())
    const read = (await readLog(store, 0, 1_000)).map(({ entry }) => JSON.parse(entry))
    assert.equal(read.filter(({ metadata }) => metadata.event_code === 'key.exposed').length, exposed)
    assert.deepEqual((await checkLog(store)).faults, [])
  })
})

it('a damaged page is that question’s 503, a gateway that is not ready, and a sentence that says to restore', async (context) => {
  const directory = await storeFolder(context)
  const folder = dirname(directory)
  const [key] = await keysIn({ directory })
  const path = await (async () => {
    const store = await openStore({ directory })
    try {
      return await store.asOwner(
        async (client) =>
          (await client.query(`select pg_relation_filepath('api_key_generations')::text as path`)).rows[0]
            .path as string,
      )
    } finally {
      await store.close()
    }
  })()
  flip(join(directory, path), 8_000)
  const node = await worldOf(context, { store: { folder: directory } }, { stateFolder: folder })
  const refused = await node.withKey(key!)
  assert.deepEqual([refused.status, refused.header('retry-after')], [503, '1'])
  assert.doesNotMatch(refused.body, /page|checksum|damaged/)
  assert.equal((await node.guess()).status, 200, 'others go on')
  const ready = await until(
    'not ready',
    () => node.ready(),
    ({ status }) => status === 503,
  )
  assert.match(ready.reasons.join(), /^store: .*sallyport doctor, and restore the store from a backup/)
  assert.ok(node.events.some(({ event }) => event === 'store-damaged'))
})

it('a volume that is gone with the store and its marker is not taken for one that never had a store', async (context) => {
  const directory = await storeFolder(context)
  const [volume, state] = [dirname(directory), await temporaryFolder(context)]
  const start = () => worldOf(context, { store: { folder: directory } }, { stateFolder: state })
  await (await start()).gateway.close({ graceMs: 0 })
  renameSync(volume, `${volume}.elsewhere`)
  await assert.rejects(
    start(),
    /store: a store was made in this place, and nothing of it is there; mount its vol/,
  )
  assert.ok(!existsSync(volume), 'nothing was made in its place')
  renameSync(`${volume}.elsewhere`, volume)
  await (await start()).gateway.close({ graceMs: 0 })
  // Who says that it may go begins anew.
  rmSync(volume, { recursive: true })
  rmSync(join(state, 'store-made'))
  rmSync(join(state, 'audit-checkpoint'), { force: true })
  await start()
})

/** Changes one bit. */
function flip(file: string, at: number): void {
  const descriptor = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, at)
  writeSync(descriptor, Buffer.of(byte[0]! ^ 0x40), 0, 1, at)
  closeSync(descriptor)
}

it('a database that dies is opened again; the fourth time within a minute the gateway is not ready and says so', async (context) => {
  const directory = await storeFolder(context)
  const folder = dirname(directory)
  const [key] = await keysIn({ directory })
  const [dying, preload] = ['dying-store.ts', 'dying-worker.ts'].map((name) =>
    fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)),
  )
  const flag = join(folder, 'die')
  const child = spawn(process.execPath, ['--import', preload!, dying!, folder, key!], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, SALLYPORT_TEST_DIE: flag },
  })
  context.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const seen: { event?: string; open?: number; key?: number; ready?: number; reasons?: string[] }[] = []
  const next = async () => {
    const { value, done } = await lines.next()
    assert.ok(!done, 'the gateway has ended')
    const line = JSON.parse(value) as (typeof seen)[number]
    seen.push(line)
    return line
  }
  const eventually = async (holds: (line: (typeof seen)[number]) => boolean) => {
    for (let lines = 0; lines < 2_000; lines += 1) {
      const line = await next()
      if (holds(line)) return line
    }
    assert.fail(`never: ${holds}`)
  }
  for (let death = 1; death <= 4; death += 1) {
    await eventually((line) => line.key === 200)
    writeFileSync(flag, '')
    await eventually(({ event }) => event === 'store-worker-died')
    await eventually(({ event }) => event === 'store-reopened')
    // Who has just opened it may find for a moment that it does not answer yet.
    const often = /^store: the embedded database ended 4 times within a minute/
    const after = await eventually((line) =>
      death < 4 ? line.key === 200 && line.ready === 200 : often.test(line.reasons?.join() ?? ''),
    )
    assert.equal(after.ready, death < 4 ? 200 : 503)
  }
  assert.ok(
    seen.every(({ open = 200 }) => open === 200),
    'what needs no record is served all the time',
  )
  const answers = new Set(seen.map(({ key: status }) => status))
  answers.delete(undefined)
  answers.delete(503)
  assert.deepEqual([...answers], [200], 'a key is taken or nobody can say, never unknown')
})
