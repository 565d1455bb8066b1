// Failed guesses. A guess is counted before it is verified, by one call that locks its rows: however many come at once, on
// however many nodes, no more are evaluated than the budget has. The database's clock alone decides.

import { statement } from '../statement.ts'

/**
 * Reserves one guess: name digest, authenticator, address, its network, device digest and its token's generation, jitter in
 * thousandths; the digest of a solution and the seconds for which it would be good; failures that wait for nothing, first
 * and longest wait in seconds, hard limit, quiet seconds after which failures in a row are forgotten; limits of an address
 * and a network and their window in seconds; failures, seconds and calm of a surge. Its outcome is `stranger` or `device`,
 * on whose count it now stands, or why it was refused: then no count was changed, and no solution used.
 */
export const lockoutGuess = statement(
  'lockout_guess',
  [
    ...(['bytea', 'text', 'text?', 'text?', 'bytea?', 'int4?', 'int4', 'bytea?', 'int4?'] as const),
    ...(['int4', 'int4', 'int4', 'int4', 'int4', 'int4', 'int4', 'int4', 'int4?', 'int4?', 'int4?'] as const),
  ],
  {
    outcome: 'text',
    failures: 'int4?',
    hard: 'int4?',
    generation: 'int4',
    wait_ms: 'int8?',
    place: 'text?',
    surge_began: 'bool',
    surge_lasted: 'int8?',
    surge_ms: 'int8?',
  },
  `select outcome, failures, hard, generation, wait_ms, place, surge_began, surge_lasted, surge_ms
   from lockout_guess($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
)

/** Takes everything back after a stranger's success: what its name has failed at, and its place among all failures. */
export const lockoutRefund = statement(
  'lockout_refund',
  ['bytea', 'text', 'text?'],
  { hard: 'int4' },
  `with place as (delete from lockout_failures where id = $3::text::uuid)
   delete from lockouts where name_digest = $1 and authenticator = $2 returning hard`,
)

/** Takes back what a known device's success may: its own count and the hard one, and nothing of the strangers'. */
export const lockoutRefundDevice = statement(
  'lockout_refund_device',
  ['bytea', 'text', 'bytea'],
  { failures: 'int4' },
  `with device as (
     delete from lockout_devices where name_digest = $1 and authenticator = $2 and device_digest = $3
   )
   update lockouts set hard = 0 where name_digest = $1 and authenticator = $2 returning failures`,
)

/** After recovery or rebinding: forgets what strangers and devices failed at. */
export const lockoutReset = statement(
  'lockout_reset',
  ['bytea', 'text'],
  { forgotten: 'int8' },
  `with names as (
     delete from lockouts where name_digest = $1 and authenticator = $2 returning 1
   ), devices as (
     delete from lockout_devices where name_digest = $1 and authenticator = $2 returning 1
   )
   select (select count(*) from names) + (select count(*) from devices) as forgotten`,
)

/** Makes void all device tokens of a name that were issued before. */
export const lockoutRetireDevices = statement(
  'lockout_retire_devices',
  ['bytea'],
  { generation: 'int4' },
  `with devices as (delete from lockout_devices where name_digest = $1)
   insert into lockout_generations as g (name_digest, generation) values ($1, 1)
   on conflict (name_digest) do update set generation = g.generation + 1 returning generation`,
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
 * Forgets what counts for nothing any more: quiet seconds, the window of addresses, the life of device tokens, the most
 * failures of a name that is forgotten when it has been quiet for that life, the longest time in which failures surge; all
 * others stay until they succeed. Solutions stay an hour longer than they are good, as nodes' clocks may differ.
 * Generations stay: were one forgotten and counted anew, a token of its first time would be good again.
 */
export const lockoutPrune = statement(
  'lockout_prune',
  ['int4', 'int4', 'int4', 'int4', 'int4'],
  { forgotten: 'int8' },
  `with names as (
     delete from lockouts where (wait_until is null or wait_until <= clock_timestamp())
       and (hard = 0 and last_failure_at < clock_timestamp() - make_interval(secs => $1::int4)
         or hard <= $4::int4 and last_failure_at < clock_timestamp() - make_interval(secs => $3::int4)) returning 1
   ), devices as (
     delete from lockout_devices where last_failure_at < clock_timestamp() - make_interval(secs => $3::int4) returning 1
   ), addresses as (
     delete from lockout_addresses where last_at < clock_timestamp() - make_interval(secs => $2::int4) returning 1
   ), failures as (
     delete from lockout_failures where failed_at < clock_timestamp() - make_interval(secs => $5::int4) returning 1
   ), solutions as (
     delete from lockout_solutions where good_until < clock_timestamp() - interval '1 hour' returning 1
   )
   select (select count(*) from names) + (select count(*) from devices) + (select count(*) from addresses)
     + (select count(*) from failures) + (select count(*) from solutions) as forgotten`,
)
