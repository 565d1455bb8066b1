-- Who calls: organisations with their plans, their stores and principals, API keys, and what remembers failed guesses.
-- The SQL stays within PostgreSQL 15, and UUIDs and digests are made outside.

do $$
begin
  create role sallyport_app nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;
exception
  when duplicate_object or unique_violation then null;
end
$$;
grant usage on schema public to sallyport_app;
grant select on sallyport_migrations to sallyport_app;

-- Read before it is known who calls, so not bound to a tenant: organisations, keys, revocations, failed guesses.
create table organisations (
  id text primary key check (id <> '' and length(id) <= 64),
  name text not null,
  plan text not null,
  -- What this organisation's plan differs in, as the policy's plans are written: {"buckets": [...]}; null: in nothing.
  plan_overrides jsonb,
  created_at timestamptz not null default now(),
  disabled_at timestamptz
);
grant select, insert, update on organisations to sallyport_app;

create table pepper_versions (
  version int4 primary key,
  -- Which secret of the deployment it is, never the secret.
  secret_name text not null,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
grant select, insert, update on pepper_versions to sallyport_app;

create table api_keys (
  id text primary key check (id <> '' and length(id) <= 64),
  organisation_id text not null references organisations,
  store_id text,
  name text not null,
  kind text not null check (kind in ('secret', 'publishable')),
  environment text not null check (environment in ('live', 'test')),
  -- Prefix and last four characters: all of the key that is kept in clear.
  display text not null,
  plan text,
  scopes text[] not null default '{}',
  origins text[] not null default '{}',
  cidrs text[] not null default '{}',
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_reason text,
  last_used_at timestamptz
);
create index api_keys_of_organisation on api_keys (organisation_id, created_at desc);
create index api_keys_by_expiry on api_keys (expires_at) where revoked_at is null;
grant select, insert, update on api_keys to sallyport_app;

-- A key has one live generation, or two while a rotation overlaps.
create table api_key_generations (
  key_id text not null references api_keys,
  generation int4 not null check (generation > 0),
  digest bytea not null unique check (length(digest) = 32),
  pepper_version int4 not null,
  created_at timestamptz not null default now(),
  -- When a newer generation ends this one; null: it is the newest.
  ends_at timestamptz,
  primary key (key_id, generation)
);
grant select, insert, update on api_key_generations to sallyport_app;

-- What caches must forget. The sequence is given under a lock, so a reader who has seen n has seen all below n: a plain
-- sequence would let a later number be seen before an earlier one commits.
create table revocation_head (
  one_row bool primary key default true check (one_row),
  seq int8 not null
);
insert into revocation_head (seq) values (0);
create table revocations (
  seq int8 primary key,
  subject_kind text not null check (subject_kind in ('key', 'organisation', 'principal', 'session')),
  subject_id text not null,
  reason text not null,
  at timestamptz not null default now()
);
grant select, update on revocation_head to sallyport_app;
grant select, insert on revocations to sallyport_app;

-- Failed guesses: names only as digests, whether or not an account has the name.
create table lockouts (
  name_digest bytea not null check (length(name_digest) = 32),
  authenticator text not null,
  -- Failures of strangers in a row, and failures that only success or rebinding takes back.
  failures int4 not null default 0 check (failures >= 0),
  hard int4 not null default 0 check (hard >= 0),
  wait_until timestamptz,
  last_failure_at timestamptz,
  primary key (name_digest, authenticator)
);
create index lockouts_by_age on lockouts (last_failure_at);
grant select, insert, update, delete on lockouts to sallyport_app;

create table lockout_devices (
  name_digest bytea not null check (length(name_digest) = 32),
  device_digest bytea not null check (length(device_digest) = 32),
  failures int4 not null default 0 check (failures >= 0),
  wait_until timestamptz,
  last_failure_at timestamptz,
  primary key (name_digest, device_digest)
);
create index lockout_devices_by_age on lockout_devices (last_failure_at);
grant select, insert, update, delete on lockout_devices to sallyport_app;

create table lockout_addresses (
  address text primary key,
  failures int4 not null check (failures >= 0),
  since timestamptz not null
);
create index lockout_addresses_by_age on lockout_addresses (since);
grant select, insert, update, delete on lockout_addresses to sallyport_app;

-- A tenant's own rows: the database lets nobody see another's. The tenant is the organisation.
create table stores (
  tenant_id text not null references organisations,
  id text not null check (id <> '' and length(id) <= 64),
  name text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
create table principals (
  tenant_id text not null references organisations,
  id text not null check (id <> '' and length(id) <= 64),
  kind text not null check (kind in ('person', 'service')),
  name text not null,
  role text not null,
  scopes text[] not null default '{}',
  created_at timestamptz not null default now(),
  disabled_at timestamptz,
  primary key (tenant_id, id)
);
create table settings (
  tenant_id text not null references organisations,
  name text not null,
  value jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, name)
);

do $$
declare
  tenant_table text;
begin
  foreach tenant_table in array array['stores', 'principals', 'settings'] loop
    execute format('alter table %I enable row level security', tenant_table);
    -- The owner too: a forgotten role change must show nothing rather than everything.
    execute format('alter table %I force row level security', tenant_table);
    execute format(
      'create policy own_rows on %I using (tenant_id = (select current_setting(''app.tenant'', true)))
       with check (tenant_id = (select current_setting(''app.tenant'', true)))',
      tenant_table
    );
    execute format('grant select, insert, update, delete on %I to sallyport_app', tenant_table);
  end loop;
end
$$;
