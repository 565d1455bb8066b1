// Tenants of two parts, the organisation and the store, and tenants whose names are no texts.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { auditDatabase, type TenantPrincipal, tenancyMigration, withTenant } from '../../src/tenancy/index.ts'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { APP, runAs } from './fixtures.ts'

const TABLE = `create table products (organisation_id uuid not null, store_id text not null, id int8 not null, name text,
  primary key (organisation_id, store_id, id));`
const ONE = '11111111-1111-4111-8111-111111111111'
const TWO = '22222222-2222-4222-8222-222222222222'

describe('an organisation’s stores', { skip: postgresMissing }, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let pool: pg.Pool
  let ownerUrl = ''
  const migration = tenancyMigration({
    tables: ['products'],
    tenantColumn: 'organisation_id',
    tenantType: 'uuid',
    storeColumn: 'store_id',
    keyColumn: 'id',
    appRole: APP,
  }).sql
  before(async () => {
    server = await startPostgres()
    const made = await server.database()
    ownerUrl = made.ownerUrl
    // Twice: it may be run again.
    await runAs(ownerUrl, `${TABLE}${migration}${migration} grant ${APP} to api`)
    await runAs(
      server.url('postgres', made.name),
      [ONE, TWO]
        .flatMap((o) =>
          ['a', 'b'].map((s) => `insert into products values ('${o}', '${s}', 1, '${o}/${s}');`),
        )
        .join(''),
    )
    pool = new pg.Pool({ connectionString: made.url, max: 1 })
  })
  after(async () => {
    await pool.end()
    server.end()
  })
  const seen = (principal: TenantPrincipal | undefined) =>
    withTenant(pool, principal, async (client) =>
      (await client.query('select name from products order by name')).rows.map(
        (row: { name: string }) => row.name,
      ),
    )

  it('H2 a store sees its own rows, not those of its organisation’s other stores', async () => {
    assert.deepEqual(await seen({ organisation: ONE, store: 'a' }), [`${ONE}/a`])
    assert.deepEqual(await seen({ organisation: ONE, store: 'b' }), [`${ONE}/b`])
    assert.deepEqual(await seen({ organisation: TWO, store: 'b' }), [`${TWO}/b`])
  })

  it('H2 without a store, without an organisation, or without both no row is seen, and nothing fails', async () => {
    for (const principal of [{ organisation: ONE }, { organisation: '', store: 'a' }, undefined])
      assert.deepEqual(await seen(principal), [])
  })

  it('H2 a store writes nothing into another', async () => {
    for (const [organisation, store] of [
      [ONE, 'b'],
      [TWO, 'a'],
    ])
      await assert.rejects(
        withTenant(pool, { organisation: ONE, store: 'a' }, (client) =>
          client.query(`insert into products values ('${organisation}', '${store}', 2, 'x')`),
        ),
        { code: '42501' },
      )
  })

  it('H2 the audit finds nothing wrong with it, and a policy for the organisation alone', async () => {
    const settings = { tenantColumn: 'organisation_id', storeColumn: 'store_id', appRoles: [APP] }
    assert.deepEqual((await auditDatabase(ownerUrl, settings)).findings, [])
    await runAs(
      ownerUrl,
      `alter policy products_of_tenant on products using (organisation_id = (select current_setting('app.tenant', true))::uuid)`,
    )
    assert.deepEqual(
      (await auditDatabase(ownerUrl, settings)).findings.map(({ id }) => id),
      ['tenancy.policy-store'],
    )
    assert.deepEqual(await seen({ organisation: ONE, store: 'a' }), [`${ONE}/a`, `${ONE}/b`])
  })
})
