// The audit against PostgreSQL itself: random policies are put on a table, and where the audit says nothing of them, a
// tenant is shown to see and change none of another's rows.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { runs } from '../../../sallyport/test/runs.ts'
import { auditTenancy } from '../../src/tenancy/audit/audit.ts'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'

const SET = `current_setting('app.tenant', true)`

const atom = fc.constantFrom(
  `organisation_id = (select ${SET})`,
  `organisation_id = ${SET}`,
  `(select nullif(${SET}, '')) = organisation_id`,
  `organisation_id::text = ${SET}::text`,
  `organisation_id = current_setting('app.other', true)`,
  `organisation_id = coalesce(${SET}, 'b')`,
  `organisation_id <> ${SET}`,
  `organisation_id in (${SET}, 'b')`,
  `organisation_id::varchar(1) = ${SET}`,
  `note = ${SET}`,
  `organisation_id is not distinct from ${SET}`,
  'organisation_id is not null',
  'organisation_id = organisation_id',
  'true',
  'false',
  'id = 1',
  `'a' = ${SET}`,
)
const expression: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: atom },
    { weight: 2, arbitrary: fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a} and ${b})`) },
    { weight: 2, arbitrary: fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a} or ${b})`) },
    { weight: 1, arbitrary: tie('any').map((a) => `(not ${a})`) },
    { weight: 1, arbitrary: tie('any').map((a) => `(case when id > 0 then ${a} else false end)`) },
  ),
})).any
const policy = fc
  .record({
    permissive: fc.constantFrom('permissive', 'permissive', 'restrictive'),
    command: fc.constantFrom('all', 'all', 'select', 'insert', 'update', 'delete'),
    to: fc.constantFrom('public', 'public', 'app', 'other'),
    using: expression,
    check: fc.option(expression),
  })
  .map(({ permissive, command, to, using, check }) =>
    [
      `as ${permissive} for ${command} to ${to}`,
      command === 'insert' ? '' : `using (${using})`,
      command === 'insert' || (check !== null && command !== 'select' && command !== 'delete')
        ? `with check (${check ?? using})`
        : '',
    ].join(' '),
  )

describe('random policies', { skip: postgresMissing }, () => {
  it('H2 of which the audit says nothing let a tenant at none of another’s rows', {
    timeout: 1_800_000,
  }, async () => {
    const server = await startPostgres()
    const owner = new pg.Client({ connectionString: server.url('postgres') })
    const app = new pg.Client({ connectionString: server.url('app', 'postgres') })
    let clean = 0
    let leaks = 0
    try {
      await owner.connect()
      await owner.query(`create role other; create role app login;
create table rows (organisation_id text not null, id int not null, note text, primary key (organisation_id, id));
alter table rows enable row level security; alter table rows force row level security;
grant select, insert, update, delete on rows to app; insert into rows values ('a', 1, 'a'), ('b', 1, 'a'), ('b', 2, 'b');`)
      await app.connect()
      const attempt = async (text: string): Promise<number> => {
        await app.query(
          'begin; ' + `select set_config('app.tenant', 'a', true), set_config('app.other', 'b', true)`,
        )
        try {
          return (await app.query(text)).rowCount ?? 0
        } catch (error) {
          assert.equal((error as { code: string }).code, '42501')
          return 0
        } finally {
          await app.query('rollback')
        }
      }
      await fc.assert(
        fc.asyncProperty(fc.array(policy, { minLength: 1, maxLength: 3 }), async (policies) => {
          await owner.query(
            `begin; do $$ declare p record; begin for p in select polname from pg_policy loop execute format('drop policy %I on rows', p.polname); end loop; end $$;
${policies.map((text, index) => `create policy p${index} on rows ${text};`).join('\n')} commit`,
          )
          const { findings } = await auditTenancy(owner, {
            tenantColumn: 'organisation_id',
            appRoles: ['app'],
          })
          const foreign =
            (await attempt("select from rows where organisation_id <> 'a'")) +
            (await attempt("insert into rows values ('b', 9, 'x')")) +
            (await attempt("update rows set organisation_id = 'b', id = 8 where organisation_id = 'a'")) +
            (await attempt("update rows set note = 'x' where organisation_id = 'b'")) +
            (await attempt("delete from rows where organisation_id = 'b'")) +
            // Without a condition only the policies of the command itself hold.
            Math.max(0, (await attempt("update rows set note = 'x'")) - 1) +
            Math.max(0, (await attempt('delete from rows')) - 1)
          const said = findings.filter(
            ({ severity, id }) => severity !== 'info' && id !== 'tenancy.check-implicit',
          )
          if (foreign > 0) leaks += 1
          if (said.length === 0) {
            clean += 1
            assert.equal(foreign, 0, policies.join('\n'))
          }
        }),
        runs(150),
      )
      // Both kinds came, or nothing was shown.
      assert.ok(clean > 10 && leaks > 10, `${clean} clean, ${leaks} leaking`)
    } finally {
      await app.end()
      await owner.end()
      server.end()
    }
  })
})
