// Failed guesses in the store of records: one call for each guess, decided by the database on its own clock, so that any
// number of processes share one budget and none is gone with a process. Valkey has no part in it.

import type { Guess, LockoutNumbers, LockoutStore, Reservation } from 'sallyport/lockout'
import type { Queries } from '../database.ts'
import {
  lockoutPrune,
  lockoutRefund,
  lockoutRefundDevice,
  lockoutReserve,
  lockoutReset,
  lockoutRetireDevices,
} from '../statements/lockouts.ts'

/** 180 days: device tokens live as long; seconds. */
const LIFE_SECONDS = 15_552_000

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
 * Forgets counts that matter to nobody any more; to be called now and then. A name that ever had to wait stays until a
 * success or a reset; one that never did is forgotten after 180 quiet days.
 *
 * @returns how many were forgotten
 */
export async function pruneLockouts(queries: Queries, numbers: LockoutNumbers): Promise<number> {
  const [row] = await queries.query(lockoutPrune, [
    numbers.quietSeconds,
    numbers.addressWindowSeconds,
    LIFE_SECONDS,
    numbers.freeFailures,
  ])
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
