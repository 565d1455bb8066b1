// Databases in which one thing is wrong each: what is done to a clean one, and the words that must be said of it, all of
// them and no others. `$other` is a role without a login, `$super` a superuser.

import { BASE, guarded, OWN } from './samples-clean.ts'
import { POLICY_FAULTS } from './samples-policies.ts'

/** One database with a fault. */
export interface FaultySample {
  readonly name: string
  /** After the tables of the shop. */
  readonly sql: string
  readonly ids: readonly string[]
  readonly storeColumn?: string
  /** Nobody says who the application is. */
  readonly auto?: true
}

/** All of them. */
export const FAULTY: readonly FaultySample[] = additions().map((sample) => ({
  ...sample,
  sql: `${BASE}${sample.sql}`,
}))

function additions(): readonly FaultySample[] {
  return [
    {
      name: 'row-level security switched off',
      sql: 'alter table orders disable row level security',
      ids: ['rls-off'],
    },
    {
      name: 'a new table that nobody thought of',
      sql: `create table invoices (organisation_id text not null, id bigint, primary key (organisation_id, id)); grant select on invoices to $app`,
      ids: ['rls-off'],
    },
    {
      name: 'a table of which only a column is granted',
      sql: `create table tokens (organisation_id text not null, id bigint, primary key (organisation_id, id)); grant select (id) on tokens to $app`,
      ids: ['rls-off'],
    },
    {
      name: 'a table that a reader of all data reaches without a grant',
      sql: 'create table tokens (organisation_id text not null, id bigint, primary key (organisation_id, id)); grant pg_read_all_data to $app',
      ids: ['rls-off'],
    },
    {
      name: 'row-level security that does not bind the owner',
      sql: 'alter table orders no force row level security',
      ids: ['rls-not-forced'],
    },
    ...POLICY_FAULTS,
    {
      name: 'a restrictive policy that is not for the application',
      sql: `create policy narrow on orders as restrictive to $other using (${OWN}) with check (${OWN}); create policy extra on orders for select using (true)`,
      ids: ['policy-open'],
    },
    {
      name: 'a store’s rows that the whole organisation sees',
      sql: `create table products (organisation_id text not null, store_id text not null, sku text, primary key (organisation_id, store_id, sku)); ${guarded('products', OWN)}`,
      ids: ['policy-store'],
      storeColumn: 'store_id',
    },
    { name: 'a superuser', sql: 'alter role $app superuser', ids: ['role-superuser'] },
    { name: 'BYPASSRLS', sql: 'alter role $app bypassrls', ids: ['role-bypass'] },
    {
      name: 'BYPASSRLS of the login behind the role',
      sql: 'create role $app_login login bypassrls; grant $app to $app_login',
      ids: ['role-bypass'],
    },
    {
      name: 'the owner as the application',
      sql: 'grant create on schema shop to $app; alter table orders owner to $app; revoke create on schema shop from $app',
      ids: ['role-owner'],
    },
    { name: 'a member of the owner', sql: 'grant $owner to $app', ids: ['role-member'] },
    {
      name: 'a member of a role with BYPASSRLS',
      sql: 'alter role $other bypassrls; grant $other to $app',
      ids: ['role-member'],
    },
    {
      name: 'a member of a superuser, by way of another role',
      sql: 'grant $super to $other; grant $other to $app',
      ids: ['role-member'],
    },
    {
      name: 'a reader of the server’s files',
      sql: 'grant pg_read_server_files to $app',
      ids: ['role-member'],
    },
    { name: 'a maker of roles', sql: 'alter role $app createrole', ids: ['role-create'] },
    { name: 'a replica', sql: 'alter role $app replication', ids: ['role-replication'] },
    {
      name: 'nobody but the owner',
      sql: 'revoke all on all tables in schema shop from $app',
      ids: ['role-missing'],
      auto: true,
    },
    {
      name: 'a tenant for every session of a role',
      sql: `alter role $app set app.tenant = 'acme'`,
      ids: ['default-tenant'],
    },
    {
      name: 'a tenant for every session of a database',
      sql: `alter database $database set app.tenant = 'acme'`,
      ids: ['default-tenant'],
    },
    {
      name: 'sessions that begin as the owner',
      sql: 'alter role $app set role = $owner',
      ids: ['role-setting'],
    },
    { name: 'row_security off', sql: 'alter role $app set row_security = off', ids: ['row-security-off'] },
    {
      name: 'a view of a superuser',
      sql: 'create view v as select * from orders; alter view v owner to $super; grant select on v to $app',
      ids: ['view-definer'],
    },
    {
      name: 'a view by its owner’s rights',
      sql: 'create view v as select * from orders; grant select on v to $app',
      ids: ['view-definer'],
    },
    {
      name: 'a view of a view',
      sql: 'create view inner_view as select * from orders; create view v as select * from inner_view; grant select on v to $app',
      ids: ['view-definer'],
    },
    {
      name: 'a materialised view',
      sql: 'create materialized view m as select * from orders; grant select on m to $app',
      ids: ['materialised-view'],
    },
    {
      name: 'a definer’s function of a superuser',
      sql: `create function f() returns bigint language sql security definer set search_path = pg_catalog as $$ select count(*) from shop.orders $$; alter function f() owner to $super`,
      ids: ['function-definer'],
    },
    {
      name: 'a definer’s function that looks where the caller says',
      sql: 'create function f() returns bigint language sql security definer as $$ select count(*) from shop.orders $$',
      ids: ['function-search-path'],
    },
    {
      name: 'a function that is a tenant itself',
      sql: `create function f() returns bigint language sql set app.tenant = 'acme' as $$ select count(*) from shop.orders $$`,
      ids: ['function-tenant'],
    },
    {
      name: 'a function that is given rows before the policies',
      sql: `create function f(text) returns boolean language sql immutable leakproof as $$ select $1 = 'x' $$`,
      ids: ['function-leakproof'],
    },
    {
      name: 'a definer’s trigger of a superuser',
      sql: `create function f() returns trigger language plpgsql security definer set search_path = pg_catalog as $$ begin return new; end $$;
alter function f() owner to $super; create trigger t before insert on orders for each row execute function f()`,
      ids: ['trigger-definer'],
    },
    {
      name: 'a primary key of one column',
      sql: `create table things (organisation_id text not null, id bigint primary key); ${guarded('things', OWN)}`,
      ids: ['key-without-tenant'],
    },
    {
      name: 'an address that only one tenant may have',
      sql: 'alter table customers add unique (email)',
      ids: ['key-without-tenant'],
    },
    {
      name: 'the same by an index on an expression',
      sql: 'create unique index on customers (lower(email))',
      ids: ['key-without-tenant'],
    },
    {
      name: 'a time that only one tenant may have',
      sql: 'alter table orders add exclude using gist (during with &&)',
      ids: ['key-without-tenant'],
    },
    {
      name: 'a reference to any tenant’s row',
      sql: `create table things (organisation_id text not null, id uuid not null, primary key (organisation_id, id), unique (id));
create table parts (organisation_id text not null, id bigint, thing uuid references things (id), primary key (organisation_id, id));
${guarded('things', OWN)}${guarded('parts', OWN)}`,
      ids: ['foreign-key', 'key-without-tenant'],
    },
    {
      name: 'a reference that exchanges the tenant',
      sql: `alter table orders add column sold_by text, add foreign key (sold_by, customer_id) references customers (organisation_id, id)`,
      ids: ['foreign-key'],
    },
    {
      name: 'rows that belong to a row, and to nobody',
      sql: `create table lines (org text, order_id bigint, line int, primary key (org, order_id, line), foreign key (org, order_id) references orders (organisation_id, id)); grant select on lines to $app`,
      ids: ['table-unscoped'],
    },
    {
      name: 'rows that are seen where any row is',
      sql: `create table lines (org text, order_id bigint, line int, primary key (org, order_id, line), foreign key (org, order_id) references orders (organisation_id, id));
${guarded('lines', 'exists (select from orders o where o.id = lines.order_id)')}`,
      ids: ['policy-unbound'],
    },
    {
      name: 'a count that everybody reads',
      sql: `create table things (organisation_id text not null, id bigserial, primary key (organisation_id, id)); ${guarded('things', OWN)} grant usage, select on sequence things_id_seq to $app`,
      ids: ['sequence-readable'],
    },
    {
      name: 'a count that tables share',
      sql: `create sequence shared_no; create table things (organisation_id text not null, id bigint default nextval('shared_no'), primary key (organisation_id, id)); ${guarded('things', OWN)} grant usage, select on sequence shared_no to $app`,
      ids: ['sequence-readable'],
    },
    {
      name: 'a table whose tenant has another usual name',
      sql: 'create table invoices (org_id text not null, id bigint, primary key (org_id, id)); grant select on invoices to $app',
      ids: ['rls-off'],
    },
    {
      name: 'a function that becomes a tenant in its body',
      sql: `create function f() returns text language sql as $$ select set_config('app.tenant', 'acme', true) $$; create function g() returns void language plpgsql as $$ begin set local app.tenant = 'acme'; end $$`,
      ids: ['function-tenant'],
    },
    {
      name: 'a trigger that becomes a tenant in its body',
      sql: `create function f() returns trigger language plpgsql as $$ begin perform pg_catalog.set_config( 'app.tenant', new.organisation_id, true); return new; end $$; create trigger t before insert on orders for each row execute function f()`,
      ids: ['function-tenant'],
    },
    {
      name: 'names that differ in what their collation ignores',
      sql: `create collation folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false); create table things (organisation_id text collate folded not null, id bigint, primary key (organisation_id, id)); ${guarded('things', OWN)}`,
      ids: ['policy-unbound'],
    },
    { name: 'rights of everybody', sql: 'grant select on orders to public', ids: ['public-grant'] },
    {
      name: 'rights of everybody on what comes',
      sql: 'alter default privileges in schema shop grant select on tables to public',
      ids: ['default-grant'],
    },
    {
      name: 'all rights on what comes',
      sql: 'alter default privileges in schema shop grant all on tables to $app',
      ids: ['default-grant'],
    },
    { name: 'truncate', sql: 'grant truncate on orders to $app', ids: ['grant-truncate'] },
    { name: 'references', sql: 'grant references on orders to $app', ids: ['grant-references'] },
    { name: 'trigger', sql: 'grant trigger on orders to $app', ids: ['grant-trigger'] },
    { name: 'objects of its own', sql: 'grant create on schema shop to $app', ids: ['schema-create'] },
    {
      name: 'a partition that is asked directly',
      sql: `create table events (organisation_id text not null, id bigint, primary key (organisation_id, id)) partition by hash (organisation_id);
create table events_0 partition of events for values with (modulus 1, remainder 0); ${guarded('events', OWN)} grant select on events_0 to $app`,
      ids: ['partition-open'],
    },
    {
      name: 'a parent that shows its children’s rows',
      sql: `create table base (id bigint); create table things (organisation_id text not null, primary key (organisation_id, id)) inherits (base);
${guarded('things', OWN)} grant select on base to $app`,
      ids: ['inheritance'],
    },
    {
      name: 'rows on another server',
      sql: `create foreign data wrapper w; create server s foreign data wrapper w; create foreign table far (organisation_id text) server s; grant select on far to $app`,
      ids: ['foreign-table'],
    },
    { name: 'a stream of all changes', sql: 'create publication p for table orders', ids: ['publication'] },
  ]
}
