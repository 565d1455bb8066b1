// Rotation on a real PostgreSQL: beside writers, cut off in the middle, and with a value that does not open.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { countByKey, openField, ringOf, rotateColumn, sealField } from '../../src/secrets/index.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../fixtures/postgres.ts'

const one = new Map([[1, Buffer.alloc(32, 1)]])
const old = ringOf(one)
const both = ringOf(new Map([...one, [2, Buffer.alloc(32, 2)]]))
const COLUMN = { table: 'public.accounts', column: 'totp', row: 'id' }
const ROWS = 1_300

describe('H3 rotation', { skip: postgresMissing }, () => {
  let server: PostgresServer
  let client: pg.Client
  before(async () => {
    server = await startPostgres()
    client = new pg.Client({ connectionString: server.url('postgres') })
    await client.connect()
    await client.query('create table accounts (id int8 primary key, totp bytea)')
    const ids = Array.from({ length: ROWS }, (_, id) => id)
    await client.query('insert into accounts select * from unnest($1::int8[], $2::bytea[])', [
      ids,
      ids.map((id) => sealField(old, Buffer.from(`secret ${id}`), placeOf(id))),
    ])
    await client.query('insert into accounts values (-1, null)')
  })
  after(async () => {
    await client.end()
    server.end()
  })

  it('cut off and begun again leaves nothing to the old key, and every row opens to what it was', async () => {
    assert.deepEqual([...(await countByKey(client, COLUMN))], [[1, ROWS]])
    const cut = new Error('cut off')
    await assert.rejects(
      rotateColumn(client, COLUMN, both, () => {
        throw cut
      }),
      cut,
    )
    assert.deepEqual(
      [...(await countByKey(client, COLUMN))],
      [
        [1, ROWS - 500],
        [2, 500],
      ],
    )
    // A row that somebody holds is not waited for, and is met later.
    const other = new pg.Client({ connectionString: server.url('postgres') })
    await other.connect()
    await other.query('begin')
    await other.query('select from accounts where id = 900 for update')
    let isHeld = true
    const rotated = await rotateColumn(client, COLUMN, both, () => {
      if (isHeld) void other.query('commit')
      isHeld = false
    })
    await other.end()
    assert.equal(rotated + (await rotateColumn(client, COLUMN, both)), ROWS - 500)
    assert.deepEqual([...(await countByKey(client, COLUMN))], [[2, ROWS]])
    const { rows } = await client.query('select id, totp from accounts where totp is not null')
    for (const { id, totp } of rows)
      assert.equal(openField(both, totp, placeOf(id)).toString(), `secret ${id}`)
  })

  it('stops at a value that does not open, and keeps it', async () => {
    const foreign = sealField(old, Buffer.from('x'), placeOf(5))
    await client.query('update accounts set totp = $1 where id = 3', [foreign])
    await assert.rejects(rotateColumn(client, COLUMN, both), /accounts\.totp: a value was changed, moved/)
    const { rows } = await client.query('select totp from accounts where id = 3')
    assert.deepEqual(rows[0].totp, foreign)
  })

  it('refuses where rows are hidden from it', async () => {
    await client.query(
      'create role reader login; grant select on accounts to reader; alter table accounts enable row level security',
    )
    const reader = new pg.Client({ connectionString: server.url('reader') })
    await reader.connect()
    try {
      await assert.rejects(countByKey(reader, COLUMN), /row-level security hides rows/)
    } finally {
      await reader.end()
    }
  })
})

function placeOf(id: number | string) {
  return { table: 'accounts', column: 'totp', row: String(id) }
}
