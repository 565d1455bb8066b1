-- The audit log: entries in their order, the full tiles of the tree over them, the checkpoints that were signed. Rows are
-- only ever added. The guards here stop accidents; what stops whoever owns the database is the checkpoint outside it.

create table audit_head (
  one_row bool primary key default true check (one_row),
  size int8 not null check (size >= 0),
  -- The hashes of the frontier, 32 bytes each.
  frontier bytea not null
);
insert into audit_head (size, frontier) values (0, '');
grant select, update on audit_head to sallyport_app;

create table audit_entries (
  index int8 primary key check (index >= 0),
  uid text not null unique,
  at timestamptz not null,
  tenant text,
  action text not null,
  actor text,
  risk int4,
  -- The very bytes that the tree hashes.
  entry text not null
);
create index audit_entries_of_tenant on audit_entries (tenant, index) where tenant is not null;
create index audit_entries_by_action on audit_entries (action, index);
create index audit_entries_by_actor on audit_entries (actor, index) where actor is not null;
create index audit_entries_by_time on audit_entries (at);
grant select, insert on audit_entries to sallyport_app;

-- Facts of persons beside the log: a row may go, and the log's proofs hold.
create table audit_personal (
  index int8 not null,
  name text not null,
  salt bytea not null,
  value text not null,
  primary key (index, name)
);
grant select, insert, delete on audit_personal to sallyport_app;

create table audit_tiles (
  level int4 not null check (level >= 0),
  index int8 not null check (index >= 0),
  hashes bytea not null check (length(hashes) = 8192),
  -- The root of these hashes: a hash of the tile above, which may not be full yet.
  root bytea not null check (length(root) = 32),
  primary key (level, index)
);
grant select, insert on audit_tiles to sallyport_app;

create table audit_checkpoints (
  size int8 primary key check (size > 0),
  note text not null,
  at timestamptz not null default now()
);
grant select, insert on audit_checkpoints to sallyport_app;

create function audit_only_grows() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log only grows' using errcode = '42501';
end
$$;
create trigger audit_entries_only_grow before update or delete on audit_entries
  for each row execute function audit_only_grows();
create trigger audit_entries_stay before truncate on audit_entries
  for each statement execute function audit_only_grows();
create trigger audit_tiles_only_grow before update or delete on audit_tiles
  for each row execute function audit_only_grows();
create trigger audit_tiles_stay before truncate on audit_tiles
  for each statement execute function audit_only_grows();
