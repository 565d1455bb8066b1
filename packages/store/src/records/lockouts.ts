// Failed guesses in the store of records: one call for each guess, decided by the database on its own clock, so that any
// number of processes share one budget and none is gone with a process. Valkey has no part in it.

import type { Guess, LockoutStore, Reservation } from 'sallyport/lockout'
import type { Queries } from '../database.ts'
import {
  lockoutPrune,
  lockoutRefund,
  lockoutRefundDevice,
  lockoutReserve,
  lockoutReset,
  lockoutRetireDevices,
} from '../statements/lockouts.ts'

const DAY = 86_400
/**
 * When what is remembered is forgotten, whatever the policy's numbers: the longest that a policy may have failures in a
 * row remembered, an address's longest window, the life of device tokens; seconds.
 */
const AGES = { quiet: 30 * DAY, window: DAY, life: 180 * DAY } as const
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
      const { device, address = null } = guess
      const [row] = await queries.query(lockoutReserve, [
        bytesOf(guess.name),
        guess.authenticator,
        address,
        device === undefined ? null : bytesOf(device.digest),
        device?.generation ?? null,
        guess.jitter,
        numbers.freeFailures,
        numbers.firstWaitSeconds,
        numbers.longestWaitSeconds,
        numbers.disabledAt,
        numbers.quietSeconds,
        numbers.addressFailures,
        numbers.addressWindowSeconds,
      ])
      return reservationOf(row!)
    },
    async succeed({ name, authenticator, device }: Guess, by) {
      if (by === 'stranger') await queries.query(lockoutRefund, [bytesOf(name), authenticator])
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
  const [row] = await queries.query(lockoutPrune, [AGES.quiet, AGES.window, AGES.life, FEW_FAILURES])
  return row!.forgotten
}

function reservationOf(row: {
  readonly outcome: string
  readonly failures: number | null
  readonly hard: number | null
  readonly generation: number
  readonly wait_ms: number | null
}): Reservation {
  const { outcome, failures, hard, generation, wait_ms: retryAfterMs } = row
  if (outcome === 'stranger' || outcome === 'device')
    return { allowed: true, by: outcome, failures: failures!, hard: hard!, generation }
  return {
    allowed: false,
    because: outcome as 'address' | 'disabled' | 'waiting',
    retryAfterMs: retryAfterMs ?? undefined,
  }
}

const bytesOf = (digest: string): Uint8Array => Buffer.from(digest, 'base64url')
