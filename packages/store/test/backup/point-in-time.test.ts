// A real PostgreSQL whose log is archived: a wrong delete is undone to the moment before it, and what would have made that
// impossible is found before.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { checkServer } from '../../src/backup/index.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../fixtures/postgres.ts'

const BIN = '/usr/lib/postgresql/15/bin'
const DAY = 86_400

describe('a server whose log is archived', { skip: postgresMissing }, () => {
  let server: PostgresServer
  let client: pg.Client
  let archive: string
  let base: string
  const now = { at: Date.now() }

  const as = (command: string, ...args: string[]): void => {
    const user =
      process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : []
    const [program, ...rest] = [...user, command, ...args]
    execFileSync(program!, rest, { cwd: server.folder, stdio: 'pipe', env: { ...process.env, LC_ALL: 'C' } })
  }
  const check = async (more: { baseBackup?: string; archive?: string } = {}) =>
    (
      await checkServer(server.url('postgres'), {
        maxBaseSeconds: 8 * DAY,
        now: () => now.at,
        ...more,
      })
    ).map(({ id }) => id)
  const connect = async (): Promise<pg.Client> => {
    const made = new pg.Client({ connectionString: server.url('postgres') })
    made.on('error', () => {})
    await made.connect()
    return made
  }
  // Until a segment is in the archive: the server says so itself.
  const archived = async (): Promise<void> => {
    const { rows } = await client.query('select pg_walfile_name(pg_switch_wal()) as name')
    for (let tries = 0; tries < 400 && !existsSync(join(archive, rows[0].name)); tries += 1) await wait(25)
    assert.ok(existsSync(join(archive, rows[0].name)), 'archived')
    for (let tries = 0; tries < 400; tries += 1) {
      const seen = await client.query('select last_archived_wal as name from pg_stat_archiver')
      if (seen.rows[0].name >= rows[0].name) return
      await wait(25)
    }
  }

  before(async () => {
    server = await startPostgres()
    client = await connect()
  })
  after(async () => {
    await client.end().catch(() => {})
    server.end()
  })

  it('H3 a server as it is installed is told what it lacks', async () => {
    assert.deepEqual(await check(), [
      // The fixture runs without fsync.
      'backup.not-durable',
      'backup.checksums-off',
      'backup.archive-off',
      'backup.base-unseen',
    ])
  })

  it('H3 an archive that fails is found', async () => {
    archive = join(server.folder, 'archive')
    appendFileSync(
      join(server.folder, 'cluster/postgresql.conf'),
      `archive_mode = on\narchive_timeout = '60s'\narchive_command = 'test -d ${archive} && cp %p ${archive}/%f'\n`,
    )
    await client.end()
    server.stop('fast')
    server.start()
    client = await connect()
    assert.ok((await check()).includes('backup.archive-failing'))
    await client.query('create table orders (id int primary key, note text)')
    await client.query('select pg_switch_wal()')
    for (let tries = 0; tries < 400; tries += 1) {
      const { rows } = await client.query('select failed_count::int as n from pg_stat_archiver')
      if (rows[0].n > 0) break
      await wait(25)
    }
    const failing = (
      await checkServer(server.url('postgres'), { maxBaseSeconds: DAY, now: () => now.at })
    ).find(({ id }) => id === 'backup.archive-failing')
    assert.match(failing!.detail, /archiving fails since .* at [0-9A-F]{24}/)
  })

  it('H3 with the archive mended and a base backup, nothing is missing but what the server was built without', async () => {
    mkdirSync(archive)
    chmodSync(archive, 0o777)
    await client.query(`select pg_reload_conf()`)
    base = join(server.folder, 'base')
    as(
      `${BIN}/pg_basebackup`,
      '-D',
      base,
      '-h',
      server.folder,
      '-U',
      'postgres',
      '--checkpoint=fast',
      '-X',
      'none',
    )
    await archived()
    const rest = ['backup.not-durable', 'backup.checksums-off']
    assert.deepEqual(await check({ baseBackup: base, archive }), rest)
    now.at += 9 * DAY * 1_000
    assert.deepEqual(await check({ baseBackup: base, archive }), [...rest, 'backup.base-old'])
    now.at -= 9 * DAY * 1_000
    assert.deepEqual(await check({ baseBackup: archive }), [...rest, 'backup.base-damaged'])
  })

  it('H3 a delete is undone: the rows are back as of the moment before it', async () => {
    await client.query(`insert into orders select i, 'order ' || i from generate_series(1, 500) i`)
    const { rows } = await client.query('select now()::text as moment')
    // The target is a time, and a commit in the same microsecond would be ambiguous.
    await client.query('select pg_sleep(0.05)')
    await client.query('delete from orders')
    await client.query(`insert into orders values (1001, 'after')`)
    await archived()
    assert.deepEqual((await client.query('select count(*)::int as n from orders')).rows, [{ n: 1 }])
    await client.end()
    server.stop('immediate')

    const cluster = join(server.folder, 'cluster')
    rmSync(cluster, { recursive: true })
    as('cp', '-a', base, cluster)
    appendFileSync(
      join(cluster, 'postgresql.conf'),
      `restore_command = 'cp ${archive}/%f %p'\nrecovery_target_time = '${rows[0].moment}'\nrecovery_target_action = 'promote'\n`,
    )
    writeFileSync(join(cluster, 'recovery.signal'), '')
    server.start()
    client = await connect()
    for (let tries = 0; tries < 400; tries += 1) {
      const state = await client.query('select pg_is_in_recovery() as recovering')
      if (!state.rows[0].recovering) break
      await wait(25)
    }
    const found = await client.query(
      'select count(*)::int as n, min(note) as first, max(id) as last from orders',
    )
    assert.deepEqual(found.rows, [{ n: 500, first: 'order 1', last: 500 }])
  })

  it('H3 a gap in the archive and a changed file of the base backup are found', async () => {
    await archived()
    await client.query('create table more (id int)')
    await archived()
    const segments = readdirSync(archive)
      .filter((name) => /^[0-9A-F]{24}$/.test(name))
      .sort()
    const before = await check({ baseBackup: base, archive })
    assert.ok(
      !before.includes('backup.archive-gap') && !before.includes('backup.base-damaged'),
      before.join(),
    )
    rmSync(join(archive, segments.at(-2)!))
    appendFileSync(join(base, 'PG_VERSION'), ' ')
    const after = await check({ baseBackup: base, archive })
    assert.ok(after.includes('backup.archive-gap'), after.join())
    assert.ok(after.includes('backup.base-damaged'), after.join())
  })

  it('H3 a connection in clear is found, and one that is encrypted is not', async () => {
    await client.end()
    server.stop('immediate')
    const port = await freePort()
    const cluster = join(server.folder, 'cluster')
    const [key, certificate] = [join(server.folder, 'server.key'), join(server.folder, 'server.crt')]
    as(
      'openssl',
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2'.split(
        ' ',
      ),
      '-keyout',
      key,
      '-out',
      certificate,
    )
    const start = (more: string) =>
      as(
        `${BIN}/pg_ctl`,
        '-D',
        cluster,
        '-l',
        join(server.folder, 'log'),
        '-w',
        '-s',
        '-o',
        `-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=${server.folder} ${more}`,
        'start',
      )
    const found = async (query = '') =>
      (
        await checkServer(`postgres://postgres@127.0.0.1:${port}/postgres${query}`, {
          maxBaseSeconds: DAY,
          now: () => now.at,
        })
      ).find(({ id }) => id === 'backup.transit')?.detail
    start('')
    assert.match((await found()) ?? '', /the server offers no TLS/)
    server.stop('immediate')
    start(`-c ssl=on -c ssl_key_file=${key} -c ssl_cert_file=${certificate}`)
    assert.match((await found()) ?? '', /not encrypted, though the server offers TLS/)
    assert.equal(await found('?sslmode=no-verify'), undefined)
  })

  it('an URL that is none, or nobody there, is an error', async () => {
    await assert.rejects(
      checkServer('postgres://nobody@127.0.0.1:1/none', { maxBaseSeconds: 1, now: () => 0 }),
      { code: 'ECONNREFUSED' },
    )
  })
})

async function freePort(): Promise<number> {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  await new Promise((resolve) => taken.close(resolve))
  return port
}
