// The embedded database against what happens to processes, disks and folders.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore, organisationById, organisationInsert, revocationHead, StoreFault } from '../src/index.ts'
import { statement } from '../src/statement.ts'
import { embeddedStore, storeFolder, temporaryFolder } from './fixtures/embedded.ts'

const factor = Number(process.env['SALLYPORT_RUNS_FACTOR'] ?? 1)
const writer = fileURLToPath(new URL('fixtures/writer.ts', import.meta.url))

const refusal = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreFault, String(error))
  assert.equal(error.code, 'refused')
  assert.match(error.message, message)
  return true
}

/** What is going on when the process is killed, and after how many acknowledged rows; `opening`: the log is replayed. */
const kills = [
  ...Array.from({ length: factor > 1 ? 30 : 2 }, (_, index) => ({ mode: 'commits', after: 3 + index * 7 })),
  ...Array.from({ length: factor > 1 ? 15 : 2 }, (_, index) => ({
    mode: 'checkpoints',
    after: 2 + index * 5,
  })),
  ...Array.from({ length: factor > 1 ? 15 : 2 }, () => ({
    mode: 'opening',
    after: Number.POSITIVE_INFINITY,
  })),
]

it('loses nothing acknowledged to kill -9, whether in a commit, in a checkpoint or while it recovers', async (test) => {
  const directory = await storeFolder(test)
  const acknowledged: string[] = []
  for (const { mode, after } of kills) {
    const child = spawn(process.execPath, [writer, directory, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    // PostgreSQL writes this file before it replays the log; ours removes the one of the process before.
    const lockFile = join(directory, 'postmaster.pid')
    const before = inode(lockFile)
    const opening = setInterval(() => {
      const now = inode(lockFile)
      if (mode === 'opening' && now !== undefined && now !== before) child.kill('SIGKILL')
    }, 1)
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'open') continue
      acknowledged.push(line)
      if (++lines === after) child.kill('SIGKILL')
    }
    const [, signal] = await exited
    clearInterval(opening)
    assert.equal(signal, 'SIGKILL')
  }
  const store = await openStore({ directory })
  test.after(() => store.close())
  const lost = []
  for (const id of acknowledged) if ((await store.query(organisationById, [id])).length === 0) lost.push(id)
  assert.deepEqual(lost, [])
  test.diagnostic(`${kills.length} kills: ${acknowledged.length} acknowledged, ${lost.length} lost`)
})

function inode(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats && `${stats.ino}-${stats.mtimeMs}`
}

it('is whole or absent after kill -9 while it is made', async (test) => {
  const directory = join(temporaryFolder(test), 'store')
  const child = spawn(process.execPath, [writer, directory, 'plain'], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  const initial = `${directory}.init`
  const timer = setInterval(() => {
    if (existsSync(join(initial, 'PG_VERSION')) || existsSync(directory)) child.kill('SIGKILL')
  }, 5)
  await exited
  clearInterval(timer)
  const store = await openStore({ directory })
  assert.deepEqual(await store.query(revocationHead, []), [{ seq: 0 }])
  await store.close()
  assert.ok(!existsSync(initial))
})

it('refuses a second process and a second store of the same process, and names the holder', async (test) => {
  const directory = await storeFolder(test)
  const store = await openStore({ directory })
  test.after(() => store.close())
  const held = (error: unknown) => {
    assert.ok(error instanceof StoreFault)
    assert.equal(error.code, 'held')
    assert.match(error.message, new RegExp(`process ${process.pid} on `))
    return true
  }
  await assert.rejects(openStore({ directory }), held)
  const child = spawn(process.execPath, [writer, directory], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  const [code] = await once(child, 'close')
  assert.equal(code, 1)
  assert.match(said, new RegExp(`process ${process.pid} on `))
  assert.deepEqual(await store.query(revocationHead, []), [{ seq: 0 }])
})

it('never begins anew where a store was and its folder is gone', async (test) => {
  const directory = await storeFolder(test)
  await (await openStore({ directory })).close()
  renameSync(directory, `${directory}.elsewhere`)
  await assert.rejects(openStore({ directory }), refusal(/gone, though a store was made here.*store import/))
  renameSync(`${directory}.elsewhere`, directory)
  await (await openStore({ directory })).close()
})

const damages: readonly [string, (directory: string) => void, RegExp][] = [
  [
    'an old major version',
    (at) => writeFileSync(join(at, 'PG_VERSION'), '17\n'),
    /PostgreSQL 17, this version reads 18; export/,
  ],
  ['no version', (at) => rmSync(join(at, 'PG_VERSION')), /holds no database/],
  [
    'no control file',
    (at) => rmSync(join(at, 'global/pg_control')),
    /control file is missing or cut; restore/,
  ],
  [
    'a cut control file',
    (at) => truncateSync(join(at, 'global/pg_control'), 100),
    /control file is missing or cut; restore/,
  ],
  [
    'a cut log',
    (at) => {
      for (const name of logOf(at)) truncateSync(join(at, 'pg_wal', name), 0)
    },
    /its log is missing or cut; restore/,
  ],
  [
    'a log without its end',
    (at) => {
      for (const name of logOf(at)) truncateSync(join(at, 'pg_wal', name), 2 ** 23)
    },
    /its log is missing or cut; restore/,
  ],
  ['no log', (at) => rmSync(join(at, 'pg_wal'), { recursive: true }), /its log is missing or cut; restore/],
  [
    'a log that was written over',
    (at) => {
      for (const name of logOf(at)) writeFileSync(join(at, 'pg_wal', name), Buffer.alloc(2 ** 24))
    },
    /damaged and was not opened.*restore/,
  ],
]
const logOf = (directory: string): readonly string[] =>
  readdirSync(join(directory, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name))
for (const [name, damage, message] of damages)
  it(`refuses a folder with ${name}, leaves it alone and says how to restore`, async (test) => {
    const directory = await storeFolder(test)
    damage(directory)
    const before = contentOf(directory)
    await assert.rejects(openStore({ directory }), refusal(message))
    assert.deepEqual(contentOf(directory), before, 'no file of it is changed, made or removed')
  })

/** The digest of every file but the lock file of PostgreSQL, which says nothing. */
function contentOf(directory: string): readonly string[] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== 'postmaster.pid',
  )
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((file) => `${file} ${hash('sha256', readFileSync(file))}`)
    .sort()
}

it('opens a folder whose lock file of PostgreSQL was left empty by a power cut', async (test) => {
  const directory = await storeFolder(test)
  writeFileSync(join(directory, 'postmaster.pid'), '')
  const store = await openStore({ directory })
  assert.deepEqual(await store.query(revocationHead, []), [{ seq: 0 }])
  await store.close()
})

it('says what is wrong with a place where no store can be', async (test) => {
  const folder = temporaryFolder(test)
  await assert.rejects(
    openStore({ directory: join(folder, 'missing', 'store') }),
    refusal(/folder around the store does not exist/),
  )
  const empty = mkdtempSync(join(folder, 'empty-'))
  await assert.rejects(openStore({ directory: empty }), refusal(/holds no database/))
})

it('ends a query that runs too long with its connection only, and is there again', async (test) => {
  const events: string[] = []
  const reopened = Promise.withResolvers<void>()
  const store = await embeddedStore(test, {
    queryMs: 500,
    onEvent: (event) => {
      events.push(event)
      if (event === 'reopened') reopened.resolve()
    },
  })
  await store.query(organisationInsert, ['before', 'Acme', 'free', null])
  const runaway = statement(
    'runaway',
    [],
    { n: 'int8' },
    'select count(*) as n from generate_series(1, 3000000000)',
  )
  const waiting = store.query(revocationHead, [])
  await assert.rejects(store.query(runaway, []), { code: 'slow' })
  await waiting
  await reopened.promise
  assert.deepEqual(events, ['query-ended', 'reopened'])
  assert.equal((await store.query(organisationById, ['before'])).length, 1)
  assert.equal(store.ready, true)
})

it('is not ready after its database ended four times in a minute', async (test) => {
  let reopened = Promise.withResolvers<void>()
  const store = await embeddedStore(test, {
    queryMs: 100,
    onEvent: (event) => {
      if (event === 'reopened') reopened.resolve()
    },
  })
  const runaway = statement(
    'runaway',
    [],
    { n: 'int8' },
    'select count(*) as n from generate_series(1, 3000000000)',
  )
  for (let time = 1; time <= 4; time += 1) {
    reopened = Promise.withResolvers()
    await assert.rejects(store.query(runaway, []), { code: 'slow' })
    await reopened.promise
    assert.equal(store.ready, time < 4)
  }
  assert.deepEqual(await store.query(revocationHead, []), [{ seq: 0 }])
})

it('leaves its log short: checkpoints follow what is written', async (test) => {
  const store = await embeddedStore(test, { checkpointBytes: 2 ** 20, checkpointMs: 3_600_000 })
  const position = statement(
    'since_checkpoint',
    [],
    { bytes: 'int8' },
    `select (pg_current_wal_insert_lsn() - redo_lsn)::int8 as bytes from pg_control_checkpoint()`,
  )
  const start = await store.query(position, [])
  assert.ok(start[0]!.bytes < 2 ** 20)
  for (let round = 0; round < 600; round += 1)
    await store.query(organisationInsert, [`o${round}`, 'x'.repeat(6_000), 'free', null])
  // 600 rows write above 3 MB; what is left after the last checkpoint is less than two of its steps.
  assert.ok((await store.query(position, []))[0]!.bytes < 2.5 * 2 ** 20)
})
