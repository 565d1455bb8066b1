// Databases of an application in which nothing is wrong, written as people write them. `$app` is the application's role,
// `$owner` whoever migrates; each stands in the schema `shop`.

import { tenancyMigration } from '../../src/tenancy/migration.ts'

/** One database. */
export interface Sample {
  readonly name: string
  readonly sql: string
  readonly tenantColumn?: string
  readonly storeColumn?: string
}

/** Row-level security as it should be. */
export function guarded(table: string, match: string, roles = 'public', grants = '$app'): string {
  return `alter table ${table} enable row level security; alter table ${table} force row level security;
create policy own_rows on ${table} to ${roles} using (${match}) with check (${match});
grant select, insert, update, delete on ${table} to ${grants};
`
}

/** A row's tenant is the transaction's. */
export const OWN = `organisation_id = (select current_setting('app.tenant', true))`

/** The tables that most samples begin with. */
export const BASE = `
create table organisations (id text primary key, name text not null);
create table customers (organisation_id text not null references organisations, id bigint not null, email text not null,
  primary key (organisation_id, id), unique (organisation_id, email));
create table orders (organisation_id text not null references organisations, id bigint not null, customer_id bigint not null,
  total integer not null, during tstzrange, primary key (organisation_id, id),
  foreign key (organisation_id, customer_id) references customers (organisation_id, id));
create index on orders (organisation_id, customer_id);
create view order_totals with (security_invoker = true) as
  select organisation_id, customer_id, sum(total) as total from orders group by 1, 2;
grant select on organisations, order_totals to $app;
${guarded('customers', OWN)}${guarded('orders', OWN)}`

/** All of them. */
export const CLEAN: readonly Sample[] = [
  { name: 'a shop', sql: BASE },
  {
    name: 'names that are UUIDs',
    tenantColumn: 'tenant_id',
    sql: `create table projects (tenant_id uuid not null, id uuid not null default gen_random_uuid(), title text,
  primary key (tenant_id, id));
create unique index on projects (tenant_id, lower(title));
${guarded('projects', `tenant_id = (select nullif(current_setting('app.tenant', true), '')::uuid)`)}`,
  },
  {
    name: 'names that are numbers, and other conditions beside',
    tenantColumn: 'account_id',
    sql: `create table notes (account_id bigint not null, id bigint generated always as identity, deleted boolean not null default false,
  primary key (account_id, id));
${guarded('notes', `not deleted and account_id = current_setting('app.tenant')::bigint`)}`,
  },
  {
    name: 'a function that answers with the tenant',
    tenantColumn: 'org_id',
    sql: `create function tenant() returns text language sql stable parallel safe as $$ select nullif(current_setting('app.tenant', true), '') $$;
create table files (org_id text not null, path text not null, primary key (org_id, path));
${guarded('files', 'org_id = (select shop.tenant())')}`,
  },
  {
    name: 'a restrictive policy for all, and permissive ones that say less',
    sql: `create table tickets (organisation_id text not null, id bigint not null, open boolean not null, primary key (organisation_id, id));
alter table tickets enable row level security; alter table tickets force row level security;
create policy tenant on tickets as restrictive using (${OWN}) with check (${OWN});
create policy seen on tickets for select using (true);
create policy written on tickets for insert with check (open);
create policy changed on tickets for update using (open) with check (true);
grant select, insert, update on tickets to $app;`,
  },
  {
    name: 'partitions that nobody asks directly',
    sql: `create table events (organisation_id text not null, id bigint not null, at timestamptz not null,
  primary key (organisation_id, id, at)) partition by range (at);
create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
create table events_rest partition of events default;
${guarded('events', OWN)}`,
  },
  {
    name: 'rows that belong to a row',
    sql: `${BASE}create table order_lines (order_organisation text not null, order_id bigint not null, line integer not null, sku text not null,
  primary key (order_organisation, order_id, line),
  foreign key (order_organisation, order_id) references orders (organisation_id, id));
${guarded('order_lines', 'exists (select from orders o where o.organisation_id = order_lines.order_organisation and o.id = order_lines.order_id)')}`,
  },
  {
    name: 'stores of organisations',
    storeColumn: 'store_id',
    sql: `create table products (organisation_id text not null, store_id text not null, sku text not null,
  primary key (organisation_id, store_id, sku));
${guarded('products', `${OWN} and store_id = (select current_setting('app.store', true))`)}`,
  },
  {
    name: 'a policy for each command, for the application’s role alone',
    sql: `create table memos (organisation_id text not null, id bigint not null, primary key (organisation_id, id));
alter table memos enable row level security; alter table memos force row level security;
create policy r on memos for select to $app using (${OWN});
create policy a on memos for insert to $app with check (${OWN});
create policy w on memos for update to $app using (${OWN}) with check (${OWN});
create policy d on memos for delete to $app using (false or ${OWN});
grant select, insert, update, delete on memos to $app;`,
  },
  {
    name: 'a group of roles, a catalogue that all tenants share, a table that only a job fills',
    sql: `${BASE}create role $app_group nologin; grant $app_group to $app;
create table countries (code text primary key, name text not null);
grant select on countries to $app_group;
create table imported (organisation_id text, line text);
create table baskets (organisation_id text not null, id bigint not null, primary key (organisation_id, id));
${guarded('baskets', OWN, 'public', '$app_group')}`,
  },
  {
    name: 'functions and views that keep to the rules',
    sql: `${BASE}create materialized view sums as select organisation_id, sum(total) as total from orders group by 1;
create view everything as select * from orders;
create function total() returns bigint language sql stable as $$ select sum(total) from shop.orders $$;
create function count_all() returns bigint language sql security definer set search_path = pg_catalog, pg_temp
  as $$ select count(*) from shop.orders $$;
create function stamp() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger stamped before insert on orders for each row execute function stamp();
alter role $app set statement_timeout = '1s';
alter default privileges in schema shop grant select, insert, update, delete on tables to $app;`,
  },
  {
    name: 'what tenancy init writes',
    sql: `create table lists (organisation_id text, store_id text, id bigint, title text, primary key (organisation_id, store_id, id));
${tenancyMigration({
  tables: ['shop.lists'],
  tenantColumn: 'organisation_id',
  tenantType: 'text',
  storeColumn: 'store_id',
  keyColumn: 'id',
  appRole: '$app',
})
  .sql.replaceAll('"$app"', '$app')
  .replace(/^(?:begin|commit);$/gm, '')}`,
    storeColumn: 'store_id',
  },
]
