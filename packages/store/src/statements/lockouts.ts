// Failed guesses. A guess is counted before it is verified, in one statement that locks its row: however many come at
// once, on however many nodes, no more are evaluated than the budget has. The database's clock alone decides.

import { statement } from '../statement.ts'

/**
 * Reserves one guess of a stranger: name digest, authenticator, failures that wait for nothing, first wait and longest
 * wait in seconds, jitter (a factor that is added, 0 to 0.15 in thousandths), hard limit, quiet seconds after which
 * failures in a row are forgotten. No row: refused, and nothing was changed.
 */
export const lockoutReserve = statement(
  'lockout_reserve',
  ['bytea', 'text', 'int4', 'int4', 'int4', 'int4', 'int4', 'int4'],
  { failures: 'int4', hard: 'int4', wait_seconds: 'int4' },
  `insert into lockouts as l (name_digest, authenticator, failures, hard, wait_until, last_failure_at)
   values ($1, $2, 1, 1,
     case when 1 > $3::int4 then clock_timestamp() + make_interval(secs => least($5::int4, $4::int4) * (1 + $6::int4 / 1000.0)) end,
     clock_timestamp())
   on conflict (name_digest, authenticator) do update set
     failures = (case when l.last_failure_at < clock_timestamp() - make_interval(secs => $8::int4) then 0 else l.failures end) + 1,
     hard = l.hard + 1,
     last_failure_at = clock_timestamp(),
     wait_until = case
       when (case when l.last_failure_at < clock_timestamp() - make_interval(secs => $8::int4) then 0 else l.failures end) + 1 > $3::int4
       then clock_timestamp() + make_interval(secs =>
         least($5::int4, $4::int4 * power(2, least(
           (case when l.last_failure_at < clock_timestamp() - make_interval(secs => $8::int4) then 0 else l.failures end) - $3::int4,
           30))) * (1 + $6::int4 / 1000.0))
     end
   where l.hard < $7::int4 and (l.wait_until is null or l.wait_until <= clock_timestamp())
   returning failures, hard,
     greatest(0, ceil(extract(epoch from l.wait_until - clock_timestamp())))::int4 as wait_seconds`,
)

/** Takes everything back after a success, or after the owner bound the authenticator again. */
export const lockoutRefund = statement(
  'lockout_refund',
  ['bytea', 'text'],
  { hard: 'int4' },
  'delete from lockouts where name_digest = $1 and authenticator = $2 returning hard',
)

/** Takes back what a known device's success may: the hard count, and nothing of the strangers'. */
export const lockoutRefundHard = statement(
  'lockout_refund_hard',
  ['bytea', 'text'],
  { failures: 'int4' },
  'update lockouts set hard = 0 where name_digest = $1 and authenticator = $2 returning failures',
)

export const lockoutState = statement(
  'lockout_state',
  ['bytea', 'text'],
  { failures: 'int4', hard: 'int4', wait_seconds: 'int4?' },
  `select failures, hard,
     greatest(0, ceil(extract(epoch from wait_until - clock_timestamp())))::int4 as wait_seconds
   from lockouts where name_digest = $1 and authenticator = $2`,
)

/**
 * Counts a failure of an address, in windows that begin with their first failure: address, window in seconds, limit. No
 * row: the address is refused. Success never takes it back.
 */
export const lockoutAddress = statement(
  'lockout_address',
  ['text', 'int4', 'int4'],
  { failures: 'int4' },
  `insert into lockout_addresses as a (address, failures, since) values ($1, 1, clock_timestamp())
   on conflict (address) do update set
     failures = case when a.since <= clock_timestamp() - make_interval(secs => $2::int4) then 1 else a.failures + 1 end,
     since = case when a.since <= clock_timestamp() - make_interval(secs => $2::int4) then clock_timestamp() else a.since end
   where a.failures < $3::int4 or a.since <= clock_timestamp() - make_interval(secs => $2::int4)
   returning failures`,
)

/** Forgets failures older than so many seconds; never those that wait or stand at the hard limit. */
export const lockoutPrune = statement(
  'lockout_prune',
  ['int4', 'int4'],
  { forgotten: 'int8' },
  `with names as (
     delete from lockouts where last_failure_at < clock_timestamp() - make_interval(secs => $1::int4)
       and hard = 0 and (wait_until is null or wait_until <= clock_timestamp()) returning 1
   ), addresses as (
     delete from lockout_addresses where since < clock_timestamp() - make_interval(secs => $2::int4) returning 1
   )
   select (select count(*) from names) + (select count(*) from addresses) as forgotten`,
)
