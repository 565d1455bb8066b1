// Databases for the tests of tenancy: an application's own tables, with rows of two organisations.

import pg from 'pg'
import { tenancyMigration } from '../../src/tenancy/migration.ts'

/** The role of the application in these tests. */
export const APP = 'shop_app'

/** Two tables of a shop, as an application may have made them before it thought of tenants. */
export const SHOP = `
create table customers (organisation_id text not null, id int8 not null, email text not null, name text not null,
  primary key (organisation_id, id), unique (organisation_id, email));
create table orders (organisation_id text not null, id int8 not null, customer_id int8 not null, total int4 not null,
  note text not null default '',
  primary key (organisation_id, id),
  foreign key (organisation_id, customer_id) references customers (organisation_id, id));
create index orders_by_customer on orders (organisation_id, customer_id);
`

/** The migration of these tables. */
export const SHOP_TENANCY = tenancyMigration({
  tables: ['customers', 'orders'],
  tenantColumn: 'organisation_id',
  tenantType: 'text',
  keyColumn: 'id',
  appRole: APP,
}).sql

/** The same ids in two organisations, so that an id alone never tells whose row it is. */
export function shopRows(organisation: string, count = 20): string {
  return `
insert into customers select '${organisation}', i, '${organisation}-' || i || '@example.com', '${organisation} customer ' || i
  from generate_series(1, ${count}) i;
insert into orders select '${organisation}', i, i, i * 10, 'of ${organisation}' from generate_series(1, ${count}) i;
`
}

/** Runs SQL as whoever the URL says, on a connection of its own. */
export async function runAs(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
