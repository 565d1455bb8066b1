// What isolation costs, measured: a policy against a condition written by hand, and the transaction around a query
// against the bare query.

import pg from 'pg'
import postgres from 'postgres'
import { queryAsTenant, withTenant } from '../../src/tenancy/index.ts'
import { tenancyMigration } from '../../src/tenancy/migration.ts'
import { startPostgres } from '../fixtures/postgres.ts'

/** Medians of the rounds, microseconds for one call. */
export interface TenancyCost {
  readonly policy: readonly { readonly query: string; readonly byHand: number; readonly byPolicy: number }[]
  readonly envelope: readonly { readonly way: string; readonly us: number; readonly bare: number }[]
}

const TENANTS = 1_000
const TENANT = 'org-500'

/** Makes two tables of `rows` rows, one with policies, and measures. */
export async function measureTenancy(rows: number, rounds: number, calls: number): Promise<TenancyCost> {
  const server = await startPostgres()
  try {
    const { url, ownerUrl, name } = await server.database()
    const make = async (as: string, sql: string) => {
      const client = new pg.Client({ connectionString: as })
      await client.connect()
      await client.query(sql).finally(() => client.end())
    }
    const columns =
      'organisation_id text not null, id int8 not null, created int8 not null, total int4 not null'
    await make(
      ownerUrl,
      `create table plain (${columns}); create table held (${columns}); grant select on plain to api`,
    )
    await make(
      server.url('postgres', name),
      `insert into plain select 'org-' || (i % ${TENANTS}), i / ${TENANTS}, i, i % 97 from generate_series(0, ${rows - 1}) i;
       insert into held select * from plain;
       alter table plain add primary key (organisation_id, id); alter table held add primary key (organisation_id, id);
       create index on plain (organisation_id, created desc); create index on held (organisation_id, created desc)`,
    )
    const { sql } = tenancyMigration({
      tables: ['held'],
      tenantColumn: 'organisation_id',
      tenantType: 'text',
      keyColumn: 'id',
      appRole: 'shop_app',
    })
    await make(ownerUrl, `${sql} grant shop_app to api`)
    await make(server.url('postgres', name), 'vacuum analyze plain')
    await make(server.url('postgres', name), 'vacuum analyze held')
    return { policy: await policyCost(url, rounds, calls), envelope: await envelopeCost(url, rounds, calls) }
  } finally {
    server.end()
  }
}

async function policyCost(url: string, rounds: number, calls: number): Promise<TenancyCost['policy']> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`begin; select set_config('app.tenant', '${TENANT}', true)`)
    const queries = [
      ['a row by its key', 'select * from TABLE where id = $1 OWN', [7]],
      ['a page of 20 rows', 'select * from TABLE where created > $1 OWN order by created desc limit 20', [0]],
      ['a count', 'select count(*) from TABLE where total >= $1 OWN', [0]],
    ] as const
    const result: TenancyCost['policy'][number][] = []
    for (const [query, text, values] of queries) {
      const byHand = {
        name: `hand ${query}`,
        text: text.replace('TABLE', 'plain').replace('OWN', 'and organisation_id = $2'),
        values: [...values, TENANT],
      }
      const byPolicy = {
        name: `policy ${query}`,
        text: text.replace('TABLE', 'held').replace('OWN', ''),
        values: [...values],
      }
      const [hand, policy] = await medians(rounds, calls, [
        () => client.query(byHand),
        () => client.query(byPolicy),
      ])
      result.push({ query, byHand: hand!, byPolicy: policy! })
    }
    await client.query('commit')
    return result
  } finally {
    await client.end()
  }
}

async function envelopeCost(url: string, rounds: number, calls: number): Promise<TenancyCost['envelope']> {
  const principal = { organisation: TENANT }
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const pipelined = new pg.Pool({ connectionString: url, max: 1, pipeline: true })
  const { pathname, searchParams } = new URL(url.replace('@/', '@localhost/'))
  const sql = postgres({
    username: 'api',
    database: pathname.slice(1),
    path: `${searchParams.get('host')}/.s.PGSQL.5432`,
    max: 1,
  })
  try {
    const query = { name: 'by key', text: 'select * from held where id = $1', values: [7] }
    const bare = {
      ...query,
      name: 'bare',
      text: `select * from plain where organisation_id = '${TENANT}' and id = $1`,
    }
    const ways: readonly (readonly [way: string, bare: number, call: () => Promise<unknown>])[] = [
      ['pg, bare', 0, () => pool.query(bare)],
      ['pg, withTenant', 0, () => withTenant(pool, principal, (client) => client.query(query))],
      ['pg with pipeline: true, bare', 2, () => pipelined.query(bare)],
      [
        'pg with pipeline: true, withTenant',
        2,
        () => withTenant(pipelined, principal, (client) => client.query(query)),
      ],
      ['pg with pipeline: true, queryAsTenant', 2, () => queryAsTenant(pipelined, principal, query)],
      [
        'postgres.js, bare',
        5,
        () => sql`select * from plain where organisation_id = ${TENANT} and id = ${7}`,
      ],
      [
        'postgres.js, withTenant',
        5,
        () => withTenant(sql, principal, (one) => one`select * from held where id = ${7}`),
      ],
    ]
    const found = await medians(
      rounds,
      calls,
      ways.map(([, , call]) => call),
    )
    return ways.map(([way, against], index) => ({ way, us: found[index]!, bare: found[against]! }))
  } finally {
    await Promise.all([pool.end(), pipelined.end(), sql.end()])
  }
}

// In turn within each round, so that a neighbour's noise meets all of them.
async function medians(
  rounds: number,
  calls: number,
  ways: readonly (() => Promise<unknown>)[],
): Promise<readonly number[]> {
  const times = ways.map((): number[] => [])
  for (let round = -1; round < rounds; round += 1)
    for (const [index, call] of ways.entries()) {
      const start = process.hrtime.bigint()
      for (let done = 0; done < calls; done += 1) await call()
      // The first round only warms up.
      if (round >= 0) times[index]!.push(Number(process.hrtime.bigint() - start) / 1_000 / calls)
    }
  return times.map((list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!)
}
