// Places where an embedded store must not be opened, as real ones: another container on the same volume, a file system that
// is read-only, a folder of another user. And a migration that is killed on the way.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { openEmbedded } from '../src/embedded/engine.ts'
import { history, readMigrations } from '../src/migrate.ts'
import { mountMissing } from './fixtures/disk.ts'
import { storeFolder } from './fixtures/embedded.ts'

const [writer, migrator, fileSystem] = ['writer.ts', 'migrator.ts', 'file-system.ts'].map((name) =>
  fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)),
) as [string, string, string]

async function outcome(child: ChildProcess): Promise<{ code: number | null; said: string }> {
  let said = ''
  child.stderr!.on('data', (chunk) => {
    said += String(chunk)
  })
  const [code] = await once(child, 'close')
  return { code, said }
}

/** A writer that must be refused goes on for ever where it is not. */
function endedWhenOpen(child: ChildProcess): ChildProcess {
  child.stdout!.once('data', () => child.kill('SIGKILL'))
  return child
}

const namespaces =
  spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status !== 0 &&
  'this machine lets nobody make PID namespaces'

describe('two containers on one volume', { skip: namespaces }, () => {
  it('never have it at once, though both are process 1', async (test) => {
    const directory = await storeFolder(test)
    const contained = (stdio: 'pipe' | 'ignore') =>
      spawn(
        'unshare',
        ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, writer, directory],
        { stdio: ['ignore', stdio, 'pipe'] },
      )
    const first = contained('pipe')
    const ended = once(first, 'close')
    for await (const line of createInterface({ input: first.stdout! })) if (line !== 'open') break
    const second = await outcome(contained('ignore'))
    assert.equal(second.code, 1)
    assert.match(second.said, /the store's folder is in use by process 1 on /)
    first.kill('SIGKILL')
    await ended
  })
})

describe('a volume that is the store’s folder itself', { skip: mountMissing }, () => {
  it('is refused: the lock beside it would be another one in each container', async (test) => {
    const directory = await storeFolder(test)
    const script = `cp -a "$0" "$0.copy" && mount -t tmpfs -o size=200m tmpfs "$0" && cp -a "$0.copy/." "$0" && exec "$@"`
    const words = ['--mount', 'sh', '-c', script, directory, process.execPath, writer, directory]
    const child = endedWhenOpen(spawn('unshare', words, { stdio: ['ignore', 'pipe', 'pipe'] }))
    const { code, said } = await outcome(child)
    assert.equal(code, 1)
    assert.match(said, /the store’s folder is a volume of its own.*mount the volume at the folder around it/)
  })
})

for (const [system, type] of [
  ['NFS', 0x6969],
  ['CIFS', 0xff534d42],
  ['SMB 2', 0xfe534d42],
] as const)
  for (const place of ['the folder around the store', 'the folder'])
    it(`${system} is refused where ${place} is on it`, async (test) => {
      const directory = await storeFolder(test)
      const at = place === 'the folder' ? directory : dirname(directory)
      const child = endedWhenOpen(
        spawn(process.execPath, ['--import', fileSystem, writer, directory], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, SALLYPORT_TEST_FILE_SYSTEM: `${type} ${at}` },
        }),
      )
      const { code, said } = await outcome(child)
      assert.equal(code, 1)
      assert.match(said, /the store’s folder is on a network file system.*use a local disk, or a PostgreSQL/)
    })

describe('a folder that can’t be written', { skip: mountMissing }, () => {
  const refused = async (child: ChildProcess, directory: string, message: RegExp) => {
    const { code, said } = await outcome(child)
    assert.equal(code, 1)
    assert.match(said, message)
    const [sentence = ''] = said.match(/StoreFault: .*/) ?? []
    assert.ok(!sentence.includes(dirname(directory)), 'the message names no path')
  }

  it('is refused on a read-only file system', async (test) => {
    const directory = await storeFolder(test)
    const at = dirname(directory)
    const script = `mount --bind "${at}" "${at}" && mount -o remount,bind,ro "${at}" && exec "$@"`
    const words = ['--mount', 'sh', '-c', script, 'sh', process.execPath, writer, directory]
    const child = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    await refused(
      child,
      directory,
      /the folder around the store is on a read-only file system \(EROFS\); give it/,
    )
  })

  it('is refused to another user', async (test) => {
    const directory = await storeFolder(test)
    chmodSync(dirname(directory), 0o755)
    const words = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, writer, directory]
    const child = spawn('setpriv', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    await refused(
      child,
      directory,
      /the folder around the store can’t be written by this user \(EACCES\); give it/,
    )
  })
})

it('leaves all of a migration or nothing, whenever it is killed, and completes it later', async (test) => {
  const directory = await storeFolder(test)
  const ours = readMigrations().length
  const states = new Set<string>()
  for (const delay of [0, 60, 200, 400]) {
    const child = spawn(process.execPath, [migrator, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    for await (const line of createInterface({ input: child.stdout })) {
      if (line !== 'begun') break
      await wait(delay)
      child.kill('SIGKILL')
    }
    await exited
    const engine = await openEmbedded({ directory })
    const client = new pg.Client({
      stream: () => engine.connect(undefined),
      user: 'postgres',
      database: 'postgres',
    })
    await client.connect()
    const applied = (await history(client)).length
    const rows =
      applied > ours
        ? (await client.query('select count(*)::int4 as n, sum(m)::int4 as m from long')).rows
        : (await client.query(`select 1 from pg_class where relname = 'long'`)).rows
    await client.end()
    await engine.close()
    assert.deepEqual([applied, rows], applied > ours ? [ours + 1, [{ n: 30_000, m: 30_000 }]] : [ours, []])
    states.add(applied > ours ? 'whole' : 'nothing')
  }
  assert.ok(states.has('nothing'), 'a kill met the migration')
  const last = spawn(process.execPath, [migrator, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  last.stdout.on('data', (chunk) => {
    said += String(chunk)
  })
  await once(last, 'close')
  assert.match(said, /^begun\ndone [01] 30000\n$/)
  assert.ok(existsSync(directory))
})
