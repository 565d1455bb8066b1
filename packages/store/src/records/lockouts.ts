// Failed guesses in the store of records: one call for each guess, decided by the database on its own clock, so that any
// number of processes share one budget and none is gone with a process. Valkey has no part in it.

import type { Guess, LockoutStore, Reservation } from 'sallyport/lockout'
import type { Queries } from '../database.ts'
import type { RowOf } from '../statement.ts'
import {
  lockoutGuess,
  lockoutPrune,
  lockoutRefund,
  lockoutRefundDevice,
  lockoutReset,
  lockoutRetireDevices,
} from '../statements/lockouts.ts'

const DAY = 86_400
/**
 * When what is remembered is forgotten, whatever the policy's numbers: the longest that a policy may have failures in a
 * row remembered, an address's longest window, the life of device tokens, the longest time in which failures surge; seconds.
 */
const AGES = { quiet: 30 * DAY, window: DAY, life: 180 * DAY, surge: 3_600 } as const
/** A name with no more failures than these, which has been quiet for the life of a token, is forgotten. */
const FEW_FAILURES = 4

/**
 * Remembers failed guesses in a store.
 *
 * @example
 * createLockout({ store: recordedLockouts(await openStore({ directory: '.sallyport/store' })), … })
 */
export function recordedLockouts(queries: Queries): LockoutStore {
  return {
    async reserve(guess, numbers) {
      const { device, address = null, network = null, solution } = guess
      const { surge } = numbers
      const [row] = await queries.query(lockoutGuess, [
        bytesOf(guess.name),
        guess.authenticator,
        address,
        network,
        device === undefined ? null : bytesOf(device.digest),
        device?.generation ?? null,
        guess.jitter,
        solution === undefined ? null : bytesOf(solution.digest),
        solution?.leftSeconds ?? null,
        numbers.freeFailures,
        numbers.firstWaitSeconds,
        numbers.longestWaitSeconds,
        numbers.disabledAt,
        numbers.quietSeconds,
        numbers.addressFailures,
        numbers.networkFailures,
        numbers.addressWindowSeconds,
        surge?.failures ?? null,
        surge?.seconds ?? null,
        surge?.calmSeconds ?? null,
      ])
      return reservationOf(row!)
    },
    async succeed({ name, authenticator, device }: Guess, by, place) {
      if (by === 'stranger') await queries.query(lockoutRefund, [bytesOf(name), authenticator, place ?? null])
      else if (device !== undefined)
        await queries.query(lockoutRefundDevice, [bytesOf(name), authenticator, bytesOf(device.digest)])
    },
    async reset(name, authenticator) {
      await queries.query(lockoutReset, [bytesOf(name), authenticator])
    },
    async retireDevices(name) {
      await queries.query(lockoutRetireDevices, [bytesOf(name)])
    },
  }
}

/**
 * Forgets counts that matter to nobody any more; to be called now and then, so that guesses at names of nobody don't fill
 * the store. A name that failed more than four times without a success stays until a success or a reset, and one that
 * failed less often for 180 quiet days.
 *
 * @returns how many were forgotten
 */
export async function pruneLockouts(queries: Queries): Promise<number> {
  const [row] = await queries.query(lockoutPrune, [
    AGES.quiet,
    AGES.window,
    AGES.life,
    FEW_FAILURES,
    AGES.surge,
  ])
  return row!.forgotten
}

function reservationOf(row: RowOf<typeof lockoutGuess>): Reservation {
  const { outcome, failures, hard, generation, wait_ms: retryAfterMs } = row
  const facts = row.surge_ms === null ? {} : { surgeMs: row.surge_ms }
  if (outcome === 'stranger' || outcome === 'device')
    return {
      allowed: true,
      by: outcome,
      failures: failures!,
      hard: hard!,
      generation,
      ...facts,
      ...(row.place === null ? {} : { place: row.place }),
      ...(row.surge_began ? { surgeBegan: true } : {}),
      ...(row.surge_lasted === null ? {} : { surgeEndedAfter: row.surge_lasted }),
    }
  if (outcome === 'challenge')
    return { allowed: false, because: 'challenge', retryAfterMs: undefined, ...facts }
  return {
    allowed: false,
    because: outcome as 'address' | 'network' | 'disabled' | 'waiting',
    retryAfterMs: retryAfterMs ?? undefined,
    ...facts,
  }
}

const bytesOf = (digest: string): Uint8Array => Buffer.from(digest, 'base64url')
