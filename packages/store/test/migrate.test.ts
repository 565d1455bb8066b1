// Migrations go forward once, on either engine, and refuse a history that is not ours.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { StoreFault } from '../src/index.ts'
import { history, migrate, migrationOf, readMigrations } from '../src/migrate.ts'
import { embeddedStore } from './fixtures/embedded.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './fixtures/postgres.ts'

const ours = readMigrations()
const next = migrationOf(
  `${String(ours.length + 1).padStart(4, '0')}-more`,
  'create table more (id int4); insert into more values (1)',
)
const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreFault, String(error))
  assert.equal(error.code, 'refused')
  assert.match(error.message, message)
  return true
}

it('asks for four digits and a name', () => {
  assert.throws(() => migrationOf('1-callers', ''), /0001-callers\.sql, not 1-callers\.sql/)
})

it('applies what is missing on the embedded database, and nothing twice', async (test) => {
  const store = await embeddedStore(test)
  await store.asOwner(async (client) => {
    assert.equal((await history(client)).length, ours.length)
    assert.equal(await migrate(client, [...ours, next]), 1)
    assert.equal(await migrate(client, [...ours, next]), 0)
    await assert.rejects(migrate(client, ours), refused(/newer version of Sallyport/))
    const edited = [{ ...ours[0]!, sha256: '0'.repeat(64) }, ...ours.slice(1), next]
    await assert.rejects(migrate(client, edited), refused(/migration 1 \(callers\).*differs/))
  })
})

it('leaves nothing of a migration that fails', async (test) => {
  const store = await embeddedStore(test)
  const failing = migrationOf(
    next.name.replace(/^/, `${String(ours.length + 1).padStart(4, '0')}-`),
    'create table half (id int4); select 1/0',
  )
  await store.asOwner(async (client) => {
    await assert.rejects(migrate(client, [...ours, failing]), { code: '22012' })
    assert.equal((await client.query("select from pg_class where relname = 'half'")).rowCount, 0)
    assert.equal((await history(client)).length, ours.length)
  })
})

describe('on PostgreSQL 15', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  it('applies each migration once, however many processes start at the same time', async () => {
    const { ownerUrl } = await server.database()
    const clients = Array.from({ length: 8 }, () => new pg.Client({ connectionString: ownerUrl }))
    await Promise.all(clients.map((client) => client.connect()))
    try {
      const applied = await Promise.all(clients.map((client) => migrate(client, [...ours, next])))
      assert.equal(
        applied.reduce((sum, count) => sum + count),
        ours.length + 1,
      )
      assert.deepEqual((await clients[0]!.query('select count(*)::int4 as n from more')).rows, [{ n: 1 }])
    } finally {
      await Promise.all(clients.map((client) => client.end()))
    }
  })

  it('lets eight processes open a new database at once', async (test) => {
    const { url, ownerUrl } = await server.database()
    const opener = fileURLToPath(new URL('fixtures/opener.ts', import.meta.url))
    const exits = Array.from({ length: 8 }, async () => {
      const child = spawn(process.execPath, [opener, url, ownerUrl], { stdio: 'inherit' })
      return (await once(child, 'exit'))[0]
    })
    assert.deepEqual(await Promise.all(exits), Array(8).fill(0))
    const client = new pg.Client({ connectionString: ownerUrl })
    await client.connect()
    test.after(() => client.end())
    assert.deepEqual(
      (await history(client)).map(({ number }) => number),
      ours.map(({ number }) => number),
    )
  })
})
