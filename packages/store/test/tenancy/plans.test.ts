// How PostgreSQL plans a tenant's queries: the setting is read once for a statement, and the index that the tenant leads
// is used. The same on either engine.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import { withTenant } from '../../src/tenancy/index.ts'
import { embeddedStore } from '../fixtures/embedded.ts'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { APP, SHOP, SHOP_TENANCY } from './fixtures.ts'

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Cond'?: string
  readonly 'Actual Loops'?: number
  readonly 'Subplan Name'?: string
  readonly Plans?: readonly Plan[]
}

const ROWS = `
insert into customers select 'org-' || t, i, i || '@example.com', 'n' from generate_series(1, 40) t, generate_series(1, 100) i;
insert into orders select 'org-' || t, i, 1 + i % 100, i, '' from generate_series(1, 40) t, generate_series(1, 250) i;
analyze customers; analyze orders;
`
const QUERIES: readonly string[] = [
  'select * from orders where id = 7',
  "select * from orders where organisation_id = 'org-2' and id = 7",
  'select * from orders order by id limit 20',
  'select * from orders where id > 100 order by id limit 20',
  'select count(*) from orders',
  'select customer_id, sum(total) from orders group by customer_id',
  'select * from orders where customer_id = 3',
  "select * from orders where note like 'x%'",
  'select o.id, c.email from orders o join customers c on c.id = o.customer_id where o.id = 9',
  'select * from customers where id in (select customer_id from orders where total > 200)',
  'update orders set total = total + 1 where id = 7',
  'update orders set total = total + 1',
  'delete from orders where id = 8',
  "insert into orders select organisation_id, id + 1000, customer_id, 1, '' from orders where id = 7",
]

async function judgePlans(ask: (text: string) => Promise<readonly Record<string, unknown>[]>): Promise<void> {
  for (const query of QUERIES) {
    const [row] = await ask(`explain (analyze, costs off, timing off, format json) ${query}`)
    const nodes = flatten((row!['QUERY PLAN'] as readonly { readonly Plan: Plan }[])[0]!.Plan)
    const settings = nodes.filter((node) => node['Subplan Name']?.startsWith('InitPlan'))
    assert.ok(settings.length > 0, `${query}: no InitPlan`)
    for (const { 'Actual Loops': loops } of settings)
      assert.ok(loops! <= 1, `${query}: the setting was read ${loops} times`)
    const reads = nodes.filter(
      (node) => node['Relation Name'] !== undefined && node['Node Type'] !== 'ModifyTable',
    )
    assert.ok(reads.length > 0)
    for (const read of reads) {
      const type = read['Node Type']
      const condition =
        type === 'Bitmap Heap Scan'
          ? (read.Plans ?? []).map((each) => each['Index Cond']).join()
          : read['Index Cond']
      assert.match(condition ?? '', /organisation_id = /, `${query}: ${type} of ${read['Relation Name']}`)
    }
  }
}

function flatten(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(flatten)]
}

describe('plans of a tenant’s queries', () => {
  it('H2 on a server: the setting once, the tenant’s index always', {
    skip: postgresMissing,
  }, async (test) => {
    const server = await startPostgres()
    test.after(() => server.end())
    const { url, ownerUrl, name } = await server.database()
    for (const [as, sql] of [
      [ownerUrl, `${SHOP}${SHOP_TENANCY} grant ${APP} to api;`],
      [server.url('postgres', name), ROWS],
    ] as const) {
      const client = new pg.Client({ connectionString: as })
      await client.connect()
      await client.query(sql).finally(() => client.end())
    }
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    try {
      await judgePlans((text) =>
        withTenant(pool, { organisation: 'org-3' }, async (client) => (await client.query(text)).rows),
      )
    } finally {
      await pool.end()
    }
  })

  it('H2 on the embedded store: the same policies, the same plans, the same rows', async (test) => {
    const store = await embeddedStore(test)
    await store.asOwner(async (client) => {
      await client.query(SHOP + SHOP_TENANCY)
      await client.query(ROWS)
      const as = (organisation: string | undefined, text: string) =>
        withTenant(
          client,
          organisation === undefined ? undefined : { organisation },
          async (one) => (await one.query<Record<string, unknown>>(text)).rows,
          { role: APP },
        )
      await judgePlans((text) => as('org-3', text))
      const seen = 'select distinct organisation_id from orders'
      assert.deepEqual(await as('org-3', seen), [{ organisation_id: 'org-3' }])
      assert.deepEqual(await as('org-4', seen), [{ organisation_id: 'org-4' }])
      assert.deepEqual(await as(undefined, seen), [])
      await assert.rejects(as('org-3', "insert into customers values ('org-4', 999, 'x', 'x')"), {
        code: '42501',
      })
      await assert.rejects(as('org-3', "update orders set organisation_id = 'org-4'"), { code: '42501' })
      assert.deepEqual(
        await as('org-3', "delete from orders where organisation_id = 'org-4' returning id"),
        [],
      )
      // A superuser’s session without the role would see everything, so it is refused.
      await assert.rejects(
        withTenant(client, { organisation: 'org-3' }, async () => {}),
        { code: 'exempt' },
      )
    })
  })
})
