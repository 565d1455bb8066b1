-- A guess is counted by one call that locks what it counts on: address first, then name, then device, everywhere the same.

-- What one device has failed at, by authenticator: its right passwords must not take back its wrong codes.
drop table lockout_devices;
create table lockout_devices (
  name_digest bytea not null check (length(name_digest) = 32),
  authenticator text not null,
  device_digest bytea not null check (length(device_digest) = 32),
  failures int4 not null default 0 check (failures >= 0),
  wait_until timestamptz,
  last_failure_at timestamptz,
  primary key (name_digest, authenticator, device_digest)
);
create index lockout_devices_by_age on lockout_devices (last_failure_at);
grant select, insert, update, delete on lockout_devices to sallyport_app;

-- The moment of each guess, so that no window of any beginning holds more than the limit.
drop table lockout_addresses;
create table lockout_addresses (
  address text primary key,
  attempts timestamptz[] not null default '{}',
  last_at timestamptz not null
);
create index lockout_addresses_by_age on lockout_addresses (last_at);
grant select, insert, update, delete on lockout_addresses to sallyport_app;

-- Names whose device tokens were made void; a token carries the generation in which it was issued, 0 before the first.
create table lockout_generations (
  name_digest bytea primary key check (length(name_digest) = 32),
  generation int4 not null check (generation > 0)
);
grant select, insert, update, delete on lockout_generations to sallyport_app;

-- The wait after so many failures in a row; jitter in thousandths.
create function lockout_wait(failures int4, free int4, first_seconds int4, longest_seconds int4, jitter int4)
returns interval language sql immutable as $$
  select case when failures <= free then null else
    make_interval(secs => least(longest_seconds, first_seconds * power(2, least(30, failures - free - 1)))
      * (1000 + jitter) / 1000.0) end
$$;

create function lockout_reserve(
  p_name bytea, p_authenticator text, p_address text, p_device bytea, p_generation int4, p_jitter int4,
  p_free int4, p_first int4, p_longest int4, p_disabled int4, p_quiet int4, p_limit int4, p_window int4
) returns table (outcome text, failures int4, hard int4, generation int4, wait_ms int8)
language plpgsql volatile as $$
declare
  v_generation int4;
  v_is_device bool;
  v_address lockout_addresses;
  v_name lockouts;
  v_device lockout_devices;
  v_now timestamptz;
  v_failures int4;
begin
  select g.generation into v_generation from lockout_generations g where g.name_digest = p_name;
  v_generation := coalesce(v_generation, 0);
  v_is_device := p_device is not null and p_generation = v_generation;

  if not v_is_device and p_address is not null then
    select * into v_address from lockout_addresses a where a.address = p_address for update;
    if not found then
      -- Another call may have been first: then its row is locked and read.
      insert into lockout_addresses as a (address, last_at) values (p_address, clock_timestamp())
        on conflict (address) do update set last_at = a.last_at returning * into v_address;
    end if;
    v_now := clock_timestamp();
    v_address.attempts := array(
      select t from unnest(v_address.attempts) t where t > v_now - make_interval(secs => p_window) order by t);
    if cardinality(v_address.attempts) >= p_limit then
      return query select 'address', null::int4, null::int4, v_generation, ceil(1000 * extract(epoch from
        v_address.attempts[cardinality(v_address.attempts) - p_limit + 1] + make_interval(secs => p_window) - v_now))::int8;
      return;
    end if;
  end if;

  select * into v_name from lockouts l where l.name_digest = p_name and l.authenticator = p_authenticator for update;
  if not found then
    insert into lockouts as l (name_digest, authenticator) values (p_name, p_authenticator)
      on conflict (name_digest, authenticator) do update set hard = l.hard returning * into v_name;
  end if;
  v_now := clock_timestamp();
  if v_name.hard >= p_disabled then
    return query select 'disabled', null::int4, null::int4, v_generation, null::int8;
    return;
  end if;

  if v_is_device then
    select * into v_device from lockout_devices d
      where d.name_digest = p_name and d.authenticator = p_authenticator and d.device_digest = p_device for update;
    if not found then
      insert into lockout_devices as d (name_digest, authenticator, device_digest)
        values (p_name, p_authenticator, p_device)
        on conflict (name_digest, authenticator, device_digest) do update set failures = d.failures
        returning * into v_device;
    end if;
    if v_device.wait_until > v_now then
      return query select 'waiting', null::int4, null::int4, v_generation,
        ceil(1000 * extract(epoch from v_device.wait_until - v_now))::int8;
      return;
    end if;
    v_failures := 1 + case when v_device.last_failure_at < v_now - make_interval(secs => p_quiet) then 0
      else v_device.failures end;
    update lockout_devices d set failures = v_failures, last_failure_at = v_now,
      wait_until = v_now + lockout_wait(v_failures, p_free, p_first, p_longest, p_jitter)
      where d.name_digest = p_name and d.authenticator = p_authenticator and d.device_digest = p_device;
    update lockouts l set hard = l.hard + 1
      where l.name_digest = p_name and l.authenticator = p_authenticator;
    return query select 'device', v_failures, v_name.hard + 1, v_generation, null::int8;
    return;
  end if;

  if v_name.wait_until > v_now then
    return query select 'waiting', null::int4, null::int4, v_generation,
      ceil(1000 * extract(epoch from v_name.wait_until - v_now))::int8;
    return;
  end if;
  v_failures := 1 + case when v_name.last_failure_at < v_now - make_interval(secs => p_quiet) then 0
    else v_name.failures end;
  update lockouts l set failures = v_failures, hard = l.hard + 1, last_failure_at = v_now,
    wait_until = v_now + lockout_wait(v_failures, p_free, p_first, p_longest, p_jitter)
    where l.name_digest = p_name and l.authenticator = p_authenticator;
  if p_address is not null then
    update lockout_addresses a set attempts = v_address.attempts || v_now, last_at = v_now
      where a.address = p_address;
  end if;
  return query select 'stranger', v_failures, v_name.hard + 1, v_generation, null::int8;
end
$$;

revoke execute on function lockout_reserve, lockout_wait from public;
grant execute on function lockout_reserve, lockout_wait to sallyport_app;
