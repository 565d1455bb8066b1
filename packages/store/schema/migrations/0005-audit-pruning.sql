-- Entries that are older than the policy keeps them go. Their hashes stay in the full tiles, so the tree, every checkpoint
-- and every later proof hold. What went is told by a note that the log's key signed: nobody else can make a gap look wanted.

create table audit_pruned (
  from_index int8 primary key check (from_index >= 0 and from_index % 256 = 0),
  -- The first that is kept.
  to_index int8 not null check (to_index > from_index and to_index % 256 = 0),
  note text not null,
  at timestamptz not null default now()
);
grant select on audit_pruned to sallyport_app;

create or replace function audit_only_grows() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and tg_table_name = 'audit_entries' then
    if exists (select from audit_pruned p where old.index >= p.from_index and old.index < p.to_index) then
      return old;
    end if;
  end if;
  raise exception 'the audit log only grows' using errcode = '42501';
end
$$;

-- Removes the entries below p_to and answers how many. Nothing younger than p_before goes, and nothing of the last day,
-- whoever asks.
create function audit_prune(p_to int8, p_before timestamptz, p_note text) returns int8
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  v_from int8;
  v_gone int8;
begin
  if p_before is null or p_before > now() - interval '1 day' then
    raise exception 'entries of the last day are kept' using errcode = '42501';
  end if;
  select coalesce(max(p.to_index), 0) into v_from from audit_pruned p;
  if p_to <= v_from then
    return 0;
  end if;
  if exists (select from audit_entries e where e.index < p_to and e.at >= p_before) then
    raise exception 'some of these entries are younger' using errcode = '42501';
  end if;
  if (select count(*) from audit_tiles t where t.level = 0 and t.index >= v_from / 256 and t.index < p_to / 256)
    <> (p_to - v_from) / 256 then
    raise exception 'the tiles of these entries are not full' using errcode = '42501';
  end if;
  insert into audit_pruned (from_index, to_index, note) values (v_from, p_to, p_note);
  delete from audit_personal p where p.index < p_to;
  delete from audit_entries e where e.index < p_to;
  get diagnostics v_gone = row_count;
  return v_gone;
end
$$;
revoke execute on function audit_prune(int8, timestamptz, text) from public;
grant execute on function audit_prune(int8, timestamptz, text) to sallyport_app;
