// The audit on a real PostgreSQL: every planted fault is found and named, and where nothing is wrong nothing is said.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import {
  AuditImpossible,
  type AuditSettings,
  auditTenancy,
  judgeCatalogue,
  type TenancyReport,
} from '../../src/tenancy/audit/audit.ts'
import type { Catalogue } from '../../src/tenancy/audit/catalogue.ts'
import { embeddedStore } from '../fixtures/embedded.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { BASE, CLEAN, OWN, type Sample } from './samples-clean.ts'
import { FAULTY } from './samples-faulty.ts'

const settingsOf = (sample: Pick<Sample, 'tenantColumn' | 'storeColumn'>, app: string): AuditSettings => ({
  tenantColumn: sample.tenantColumn ?? 'organisation_id',
  schemas: ['shop'],
  appRoles: [app],
  ...(sample.storeColumn === undefined ? {} : { storeColumn: sample.storeColumn }),
})
// A role's name, a column's content, an operator: what SQL alone can't know.
const NEEDS_A_PERSON = /a_role_that|a_bound_role|to app;|fill it|…/

const words = ({ findings }: TenancyReport) =>
  [...new Set(findings.map(({ id }) => id.replace('tenancy.', '')))].sort()

describe('the audit of tenancy on a PostgreSQL server', { skip: postgresMissing }, () => {
  let server: PostgresServer
  let number = 0
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  // Roles are the whole server's, so each sample has its own.
  async function inDatabase<T>(
    sql: string,
    look: (client: pg.Client, app: string, url: (role: string) => string) => Promise<T>,
  ): Promise<T> {
    const n = ++number
    const [app, owner, other, superuser, database] = [
      `app${n}`,
      `owner${n}`,
      `other${n}`,
      `super${n}`,
      `sample${n}`,
    ]
    const admin = new pg.Client({ connectionString: server.url('postgres') })
    await admin.connect()
    await admin.query(
      `create role ${app} login; create role ${owner} login; create role ${other}; create role ${superuser} superuser`,
    )
    await admin.query(`create database ${database} owner ${owner}`)
    await admin.end()
    const client = new pg.Client({ connectionString: server.url('postgres', database) })
    await client.connect()
    try {
      const named = (text: string) =>
        text
          .replaceAll('$app', app)
          .replaceAll('$owner', owner)
          .replaceAll('$other', other)
          .replaceAll('$super', superuser)
          .replaceAll('$database', database)
      await client.query(
        named(
          `create schema shop authorization $owner; grant usage on schema shop to $app; set search_path = shop;`,
        ),
      )
      await client.query(named(sql))
      await client.query(named(OWNED))
      return await look(client, app, (role) => server.url(role, database))
    } finally {
      // What it may do on the whole server must not make it a caller of the next database.
      await client.query(`reset session authorization; reset role; alter role ${app} nologin nosuperuser`)
      await client.end()
    }
  }

  for (const sample of CLEAN)
    it(`says nothing of ${sample.name}`, () =>
      inDatabase(sample.sql, async (client, app) => {
        const report = await auditTenancy(client, settingsOf(sample, app))
        assert.deepEqual(report.findings, [])
        assert.ok(report.tables.length > 0)
        // Nor where nobody says who the application is.
        const { appRoles: _, ...rest } = settingsOf(sample, app)
        const found = await auditTenancy(client, rest)
        assert.deepEqual(found.findings, [])
        assert.deepEqual(found.roles, [app])
      }))

  it('H2 there are at least forty faults and ten clean databases', () => {
    assert.ok(FAULTY.length >= 40 && CLEAN.length >= 10, `${FAULTY.length} ${CLEAN.length}`)
  })
  it('mends are in one line and keep what they mend', () =>
    inDatabase(
      `${BASE}create unique index by_email on customers (lower(email));
create table codes (organisation_id char(8) not null, id bigint, primary key (organisation_id, id)); grant select on codes to $app;
create policy seen on orders for update using (${OWN} and exists (select from organisations o where o.id = organisation_id))`,
      async (client, app) => {
        const mends = (await auditTenancy(client, settingsOf({}, app))).findings.map(({ mend }) => mend)
        assert.ok(mends.every((mend) => !mend.includes('\n')))
        const [index] = mends.filter((mend) => mend.includes('by_email'))
        assert.match(index ?? '', /create unique index on shop\.customers \(organisation_id, …\)/)
        assert.ok(mends.some((mend) => mend.includes("''))::bpchar") || mend.includes("'')::bpchar")))
        assert.ok(mends.some((mend) => mend.includes('on shop.orders with check (')))
      },
    ))

  it('H2 a view’s owner is exempt by the tables that the view reads, not by others', () =>
    inDatabase(
      `${BASE}create table things (organisation_id text not null, id bigint, primary key (organisation_id, id)); alter table things enable row level security;
create view v as select * from orders; grant select on v to $app`,
      async (client, app) => {
        const { findings } = await auditTenancy(client, settingsOf({}, app))
        const [view] = findings.filter(({ id }) => id === 'tenancy.view-definer')
        assert.equal(view?.severity, 'low')
        assert.match(view.detail, /by the policies for that role, not for the caller$/)
      },
    ))

  for (const sample of FAULTY)
    it(`H2 finds ${sample.name}: ${sample.ids.join(', ')}`, () =>
      inDatabase(sample.sql, async (client, app) => {
        const { appRoles, ...rest } = settingsOf(sample, app)
        const report = await auditTenancy(client, {
          ...rest,
          ...(sample.auto ? {} : { appRoles: appRoles! }),
        })
        assert.deepEqual(words(report), [...sample.ids].sort(), JSON.stringify(report.findings, null, 1))
        for (const { detail, mend, object } of report.findings) assert.ok(detail && mend && object)
        const own = report.findings.filter(({ mend }) => !NEEDS_A_PERSON.test(mend))
        await client.query('reset search_path')
        for (const { mend } of own) await client.query(mend)
        const left = words(
          await auditTenancy(client, { ...rest, ...(sample.auto ? {} : { appRoles: appRoles! }) }),
        )
        if (own.length === report.findings.length) assert.deepEqual(left, [])
      }))
})

describe('the audit of tenancy on the embedded store', () => {
  it('H2 says nothing of the clean databases, and nothing of Sallyport’s own tables', async (test) => {
    const store = await embeddedStore(test)
    await store.asOwner(async (client) => {
      for (const [index, sample] of CLEAN.entries()) {
        const [app, owner] = [`app${index}`, `owner${index}`]
        const named = (text: string) => text.replaceAll('$app', app).replaceAll('$owner', owner)
        await client.query(
          named(`create role $app login; create role $owner login; create schema shop authorization $owner;
grant usage on schema shop to $app; set search_path = shop;`),
        )
        await client.query(named(sample.sql))
        await client.query(named(OWNED))
        assert.deepEqual((await auditTenancy(client, settingsOf(sample, app))).findings, [], sample.name)
        await client.query('drop schema shop cascade; reset search_path')
      }
      // From 16 on whoever makes a role may grant it on; that alone does not make it the application.
      await client.query('create role maker login createrole; set role maker')
      await client.query('create role made; set role postgres')
      const made = { tenantColumn: 'tenant_id', appRoles: ['made'] }
      assert.deepEqual((await auditTenancy(client, made)).roles, ['made'])
      await client.query('grant made to maker with set true')
      assert.deepEqual((await auditTenancy(client, made)).roles, ['made', 'maker'])
      const own = await auditTenancy(client, { tenantColumn: 'tenant_id', appRoles: ['sallyport_app'] })
      // The one function that may do what the application may not: it removes what the log's time is over for, and nothing
      // of a tenant's tables.
      // And the keys of callers: whose they are is known only when one was found.
      const others = own.findings.filter(
        ({ object }) => !object.startsWith('public.audit_prune(') && object !== 'public.api_keys',
      )
      assert.deepEqual(others, [])
      assert.ok(own.tables.length >= 3)
    })
  })
})

describe('what can’t be audited', () => {
  const catalogue: Catalogue = {
    version: 150_000,
    database: 'shop',
    relations: [],
    policies: [],
    roles: [],
    keys: [],
    foreignKeys: [],
    routines: [],
    triggers: [],
    defaultGrants: [],
    schemaGrants: [],
    publications: [],
    settings: [],
  }
  const refused = (of: Catalogue, settings: AuditSettings, words: RegExp) =>
    assert.throws(
      () => judgeCatalogue(of, settings),
      (error) => error instanceof AuditImpossible && words.test(error.message),
    )
  it('is said in one sentence that tells how to mend it', () => {
    refused({ ...catalogue, version: 140_010 }, {}, /PostgreSQL 14; .* upgrade first$/)
    refused(catalogue, {}, /no table has a column named tenant_id.*--tenant-column$/)
    refused(catalogue, { tenantColumn: 'org' }, /has a column "org"; name another/)
    refused(catalogue, { tenantColumn: 'org', appRoles: ['nobody'] }, /no role "nobody"/)
  })
})

// Whoever makes the objects owns them, but for those that a sample gave away.
const OWNED = `do $$ declare r record; begin
  for r in select c.oid::regclass as name, c.relkind from pg_class c
    where c.relnamespace = 'shop'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and pg_get_userbyid(c.relowner) = current_user
  loop execute format('alter %s %s owner to $owner', case r.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end, r.name); end loop;
  for r in select p.oid::regprocedure as name from pg_proc p
    where p.pronamespace = 'shop'::regnamespace and pg_get_userbyid(p.proowner) = current_user
  loop execute format('alter function %s owner to $owner', r.name); end loop;
end $$`
