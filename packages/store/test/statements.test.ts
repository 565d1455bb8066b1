// Every statement, prepared on both engines: what the database says of its parameters and columns must be what its type
// declares. Then what the statements do, the same on both.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type pg from 'pg'
import { openStore, type Store } from '../src/index.ts'
import { statements } from '../src/statements/all.ts'
import { storeBehaviour } from './fixtures/behaviour.ts'
import { describeStatement } from './fixtures/describe.ts'
import { embeddedStore } from './fixtures/embedded.ts'
import {
  newestPostgresMissing,
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from './fixtures/postgres.ts'

const names = Object.entries(statements)

async function compare(store: Store): Promise<void> {
  await store.asOwner(async (client) => {
    const { rows } = await client.query<{ oid: number; typname: string }>(
      'select oid::int4 as oid, typname::text as typname from pg_type',
    )
    const typeOf = new Map(rows.map(({ oid, typname }) => [oid, typname]))
    for (const [name, { text, parameters, columns }] of names) {
      const found = await describeStatement(client as pg.Client, text)
      const bare = (type: string) => type.replace('?', '')
      assert.deepEqual(
        found.parameters.map((oid) => typeOf.get(oid)),
        parameters.map(bare),
        `parameters of ${name}`,
      )
      assert.deepEqual(
        found.columns.map(({ name, type }) => [name, typeOf.get(type)]),
        Object.entries(columns).map(([column, type]) => [column, bare(type)]),
        `columns of ${name}`,
      )
    }
  })
}

it('gives every statement a name of its own', () => {
  assert.equal(new Set(names.map(([, { name }]) => name)).size, names.length)
})

describe('on the embedded database', () => {
  it('answers what the statements declare', async (test) => compare(await embeddedStore(test)))
  storeBehaviour((test) => embeddedStore(test))
})

for (const [major, skip] of [
  ['15', postgresMissing],
  ['18', newestPostgresMissing],
] as const)
  describe(`on PostgreSQL ${major}`, { skip }, () => {
    let server: PostgresServer
    before(async () => {
      server = await startPostgres(major)
    })
    after(() => server.end())
    const open = async (): Promise<Store> => {
      const { url, ownerUrl } = await server.database()
      return openStore({ url, ownerUrl, waitMs: 60_000 })
    }
    it('answers what the statements declare', async (test) => {
      const store = await open()
      test.after(() => store.close())
      await compare(store)
    })
    storeBehaviour(async (test) => {
      const store = await open()
      test.after(() => store.close())
      return store
    })
  })
