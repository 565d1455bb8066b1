-- Guesses at very many names: failures of strangers at all of them together, and the solved challenges that are used up.
-- Networks of addresses stand among the addresses. `lockout_reserve` stays for gateways that still run the version before.

-- One row for each failure, so that no row is everybody's: a success takes its own away.
create table lockout_failures (
  id uuid primary key default gen_random_uuid(),
  failed_at timestamptz not null
);
create index lockout_failures_by_age on lockout_failures (failed_at);
grant select, insert, update, delete on lockout_failures to sallyport_app;

-- The last surge. It goes on until a moment; its end is told to one guess.
create table lockout_surge (
  is_it bool primary key default true check (is_it),
  began_at timestamptz not null,
  until timestamptz not null,
  is_end_told bool not null default false
);
grant select, insert, update, delete on lockout_surge to sallyport_app;

create table lockout_solutions (
  digest bytea primary key check (length(digest) = 32),
  good_until timestamptz not null
);
create index lockout_solutions_by_age on lockout_solutions (good_until);
grant select, insert, update, delete on lockout_solutions to sallyport_app;

-- Locks the row of an address or a network and gives the guesses that still count.
create function lockout_attempts(p_address text, p_window int4) returns timestamptz[]
language plpgsql volatile as $$
declare
  v_attempts timestamptz[];
begin
  select a.attempts into v_attempts from lockout_addresses a where a.address = p_address for update;
  if not found then
    -- Another call may have been first: then its row is locked and read.
    insert into lockout_addresses as a (address, last_at) values (p_address, clock_timestamp())
      on conflict (address) do update set last_at = a.last_at returning a.attempts into v_attempts;
  end if;
  return array(select t from unnest(v_attempts) t
    where t > clock_timestamp() - make_interval(secs => p_window) order by t);
end
$$;

-- Counts one failure of a stranger and says whether failures surge. The surge's row is written when it begins, when it ends,
-- and about ten times in its calm: it is the last that a guess locks, so nobody waits for another in a circle.
create function lockout_count_failure(p_now timestamptz, p_failures int4, p_seconds int4, p_calm int4,
  out place uuid, out began bool, out lasted int8)
language plpgsql volatile as $$
declare
  v_count int4;
  v_until timestamptz;
  v_next timestamptz := p_now + make_interval(secs => p_calm);
begin
  insert into lockout_failures (failed_at) values (p_now) returning id into place;
  -- More than the declared number is as much as that.
  select count(*) into v_count from (select from lockout_failures f
    where f.failed_at > p_now - make_interval(secs => p_seconds) limit p_failures) counted;
  select s.until into v_until from lockout_surge s;
  began := false;
  if v_until <= p_now then
    update lockout_surge s set is_end_told = true where not s.is_end_told and s.until <= p_now
      returning extract(epoch from s.until - s.began_at)::int8 into lasted;
  end if;
  if v_until is null or v_until <= p_now then
    if v_count >= p_failures then
      insert into lockout_surge as s (began_at, until) values (p_now, v_next)
        on conflict (is_it) do update set began_at = p_now, until = v_next, is_end_told = false
        where s.until <= p_now;
      began := found;
    end if;
  elsif v_count * 2 > p_failures and v_next - v_until >= make_interval(secs => p_calm / 10.0) then
    update lockout_surge s set until = v_next
      where s.until > p_now and v_next - s.until >= make_interval(secs => p_calm / 10.0);
  end if;
end
$$;

create function lockout_guess(
  p_name bytea, p_authenticator text, p_address text, p_network text, p_device bytea, p_generation int4, p_jitter int4,
  p_solution bytea, p_solution_left int4,
  p_free int4, p_first int4, p_longest int4, p_disabled int4, p_quiet int4,
  p_address_limit int4, p_network_limit int4, p_window int4,
  p_surge_failures int4, p_surge_seconds int4, p_surge_calm int4
) returns table (outcome text, failures int4, hard int4, generation int4, wait_ms int8,
  place text, surge_began bool, surge_lasted int8, surge_ms int8)
language plpgsql volatile as $$
declare
  v_is_device bool;
  v_address_attempts timestamptz[];
  v_network_attempts timestamptz[];
  v_name lockouts;
  v_device lockout_devices;
  v_now timestamptz := clock_timestamp();
  v_surge_until timestamptz;
  v_is_surge bool := false;
begin
  surge_began := false;
  select g.generation into generation from lockout_generations g where g.name_digest = p_name;
  generation := coalesce(generation, 0);
  v_is_device := p_device is not null and p_generation = generation;

  -- Before anything of the name is looked at: what is asked tells nothing of it.
  if p_surge_failures is not null then
    select s.until into v_surge_until from lockout_surge s where s.until > v_now;
    v_is_surge := found;
    surge_ms := ceil(1000 * extract(epoch from v_surge_until - v_now))::int8;
    if v_is_surge and not v_is_device
      and (p_solution is null or exists (select from lockout_solutions o where o.digest = p_solution)) then
      outcome := 'challenge';
      return next;
      return;
    end if;
  end if;

  if not v_is_device and p_address is not null then
    v_address_attempts := lockout_attempts(p_address, p_window);
    if cardinality(v_address_attempts) >= p_address_limit then
      outcome := 'address';
      wait_ms := ceil(1000 * extract(epoch from v_address_attempts[cardinality(v_address_attempts) - p_address_limit + 1]
        + make_interval(secs => p_window) - clock_timestamp()))::int8;
      return next;
      return;
    end if;
  end if;
  if not v_is_device and p_network is not null then
    v_network_attempts := lockout_attempts(p_network, p_window);
    if cardinality(v_network_attempts) >= p_network_limit then
      outcome := 'network';
      wait_ms := ceil(1000 * extract(epoch from v_network_attempts[cardinality(v_network_attempts) - p_network_limit + 1]
        + make_interval(secs => p_window) - clock_timestamp()))::int8;
      return next;
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
    outcome := 'disabled';
    return next;
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
      outcome := 'waiting';
      wait_ms := ceil(1000 * extract(epoch from v_device.wait_until - v_now))::int8;
      return next;
      return;
    end if;
    outcome := 'device';
    failures := 1 + case when v_device.last_failure_at < v_now - make_interval(secs => p_quiet) then 0
      else v_device.failures end;
    hard := v_name.hard + 1;
    update lockout_devices d set failures = lockout_guess.failures, last_failure_at = v_now,
      wait_until = v_now + lockout_wait(lockout_guess.failures, p_free, p_first, p_longest, p_jitter)
      where d.name_digest = p_name and d.authenticator = p_authenticator and d.device_digest = p_device;
    update lockouts l set hard = lockout_guess.hard
      where l.name_digest = p_name and l.authenticator = p_authenticator;
    return next;
    return;
  end if;

  if v_name.wait_until > v_now then
    outcome := 'waiting';
    wait_ms := ceil(1000 * extract(epoch from v_name.wait_until - v_now))::int8;
    return next;
    return;
  end if;
  if v_is_surge then
    -- Of any number that show the same solution at once, one inserts it.
    insert into lockout_solutions (digest, good_until)
      values (p_solution, v_now + make_interval(secs => p_solution_left))
      on conflict (digest) do nothing;
    if not found then
      outcome := 'challenge';
      return next;
      return;
    end if;
  end if;
  outcome := 'stranger';
  failures := 1 + case when v_name.last_failure_at < v_now - make_interval(secs => p_quiet) then 0
    else v_name.failures end;
  hard := v_name.hard + 1;
  update lockouts l set failures = lockout_guess.failures, hard = lockout_guess.hard, last_failure_at = v_now,
    wait_until = v_now + lockout_wait(lockout_guess.failures, p_free, p_first, p_longest, p_jitter)
    where l.name_digest = p_name and l.authenticator = p_authenticator;
  if p_address is not null then
    update lockout_addresses a set attempts = v_address_attempts || v_now, last_at = v_now where a.address = p_address;
  end if;
  if p_network is not null then
    update lockout_addresses a set attempts = v_network_attempts || v_now, last_at = v_now where a.address = p_network;
  end if;
  if p_surge_failures is not null then
    select c.place::text, c.began, c.lasted into place, surge_began, surge_lasted
      from lockout_count_failure(v_now, p_surge_failures, p_surge_seconds, p_surge_calm) c;
    select ceil(1000 * extract(epoch from s.until - v_now))::int8 into surge_ms from lockout_surge s where s.until > v_now;
  end if;
  return next;
end
$$;

revoke execute on function lockout_attempts, lockout_count_failure, lockout_guess from public;
grant execute on function lockout_attempts, lockout_count_failure, lockout_guess to sallyport_app;
