// Failed guesses in the memory of one process: for one process, for tests, and gone with it. A restart forgets them, so a
// guard of several processes, or one that must outlive a crash, keeps them in the store of records.

import type { Guess, LockoutNumbers, LockoutStore, Reservation } from '../ports/lockouts.ts'
import { waitSeconds } from './numbers.ts'
import { surgeInMemory } from './surge-memory.ts'

/** What the memory is made with. */
export interface MemoryLockoutsOptions {
  /** Milliseconds; a clock that people set back would lengthen waits. */
  readonly clock: () => number
  /** Names, devices, addresses, networks, solutions that are remembered, each; 100,000. About 250 bytes for each. */
  readonly capacity?: number
}

/** One count: of strangers at a name, or of a device at a name. */
interface Count {
  failures: number
  hard: number
  until: number
  last: number
  /** True of the one that all names share which came when the memory was full. */
  readonly isShared: boolean
}

// How many places are looked at to make room; bounded, so that a full memory costs each caller the same.
const LOOKED_AT = 8

const fresh = (isShared: boolean): Count => ({ failures: 0, hard: 0, until: 0, last: 0, isShared })

/**
 * Remembers in this process. When it is full, a name is forgotten that doesn't wait and never had to; where none is
 * found, further names share one count, so that nobody makes room for guesses by flooding it.
 */
export function memoryLockouts({ clock, capacity = 100_000 }: MemoryLockoutsOptions): LockoutStore {
  const names = new Map<string, Count>()
  const devices = new Map<string, Count>()
  const addresses = new Map<string, number[]>()
  const networks = new Map<string, number[]>()
  const generations = new Map<string, number>()
  const shared = fresh(true)
  const sharedAddress: number[] = []
  const sharedNetwork: number[] = []
  const surge = surgeInMemory(clock(), capacity)

  /** The place of a key, made where it is missing; `undefined` where there is no room. */
  function placeOf<T>(
    all: Map<string, T>,
    key: string,
    make: () => T,
    isSpare: (value: T) => boolean,
  ): T | undefined {
    const known = all.get(key)
    if (known !== undefined) return known
    for (let looked = 0; all.size >= capacity && looked < LOOKED_AT; looked++) {
      const [oldest, value] = all.entries().next().value!
      all.delete(oldest)
      if (!isSpare(value)) all.set(oldest, value)
    }
    if (all.size >= capacity) return undefined
    const made = make()
    all.set(key, made)
    return made
  }

  function countOf(
    all: Map<string, Count>,
    key: string,
    now: number,
    { freeFailures }: LockoutNumbers,
  ): Count {
    const isSpare = ({ hard, until }: Count) => until <= now && hard <= freeFailures
    return placeOf(all, key, () => fresh(false), isSpare) ?? shared
  }

  function attemptsFrom(
    all: Map<string, number[]>,
    key: string,
    shared: number[],
    now: number,
    windowMs: number,
  ): number[] {
    const isOut = (at: number) => at <= now - windowMs
    const times =
      placeOf<number[]>(
        all,
        key,
        () => [],
        (each) => each.every(isOut),
      ) ?? shared
    while (times.length > 0 && isOut(times[0]!)) times.shift()
    return times
  }

  function sendersOf({ address, network }: Guess, numbers: LockoutNumbers, now: number) {
    const windowMs = numbers.addressWindowSeconds * 1_000
    return [
      ...(address === undefined
        ? []
        : [
            {
              because: 'address',
              times: attemptsFrom(addresses, address, sharedAddress, now, windowMs),
              limit: numbers.addressFailures,
            } as const,
          ]),
      ...(network === undefined
        ? []
        : [
            {
              because: 'network',
              times: attemptsFrom(networks, network, sharedNetwork, now, windowMs),
              limit: numbers.networkFailures,
            } as const,
          ]),
    ]
  }

  function fail(count: Count, now: number, jitter: number, numbers: LockoutNumbers): void {
    const isQuiet = count.last < now - numbers.quietSeconds * 1_000
    count.failures = (isQuiet ? 0 : count.failures) + 1
    count.last = now
    const waitMs = waitSeconds(count.failures, numbers) * (1_000 + jitter)
    count.until = waitMs === 0 ? 0 : now + waitMs
  }

  function reserve(guess: Guess, numbers: LockoutNumbers): Reservation {
    const now = clock()
    const generation = generations.get(guess.name) ?? 0
    const key = `${guess.name} ${guess.authenticator}`
    const isDevice = guess.device !== undefined && guess.device.generation === generation
    const surgeMs = numbers.surge === undefined ? 0 : surge.remainingMs(now)
    const facts = surgeMs === 0 ? {} : { surgeMs }
    if (surgeMs > 0 && !isDevice && !surge.isGood(guess.solution, now))
      return { allowed: false, because: 'challenge', retryAfterMs: undefined, ...facts }
    const windowMs = numbers.addressWindowSeconds * 1_000
    const counted = isDevice ? [] : sendersOf(guess, numbers, now)
    for (const { because, times, limit } of counted)
      if (times.length >= limit) {
        const retryAfterMs = times[times.length - limit]! + windowMs - now
        return { allowed: false, because, retryAfterMs, ...facts }
      }
    const strangers = countOf(names, key, now, numbers)
    if (strangers.hard >= numbers.disabledAt)
      return { allowed: false, because: 'disabled', retryAfterMs: undefined, ...facts }
    const count = isDevice ? countOf(devices, `${key} ${guess.device!.digest}`, now, numbers) : strangers
    if (now < count.until)
      return { allowed: false, because: 'waiting', retryAfterMs: count.until - now, ...facts }
    fail(count, now, guess.jitter, numbers)
    // What all share which came too late is nobody's own: it makes them wait, and disables nobody.
    if (!strangers.isShared) strangers.hard++
    if (isDevice && !count.isShared) count.hard = count.failures
    for (const { times } of counted) times.push(now)
    const { failures } = count
    const { hard } = strangers
    if (isDevice) return { allowed: true, by: 'device', failures, hard, generation, ...facts }
    if (surgeMs > 0) surge.spend(guess.solution!, now)
    const site = numbers.surge && surge.count(now, numbers.surge)
    return { allowed: true, by: 'stranger', failures, hard, generation, ...facts, ...site }
  }

  return {
    reserve: async (guess, numbers) => reserve(guess, numbers),
    async succeed({ name, authenticator, device }, by, place) {
      if (place !== undefined) surge.takeBack(place)
      const key = `${name} ${authenticator}`
      // A success of one must not give anything back to all who share a count: it has no entry here.
      if (by === 'stranger') names.delete(key)
      else {
        const strangers = names.get(key)
        if (strangers !== undefined) strangers.hard = 0
        devices.delete(`${key} ${device?.digest ?? ''}`)
      }
    },
    async reset(name, authenticator) {
      const key = `${name} ${authenticator}`
      names.delete(key)
      for (const device of devices.keys()) if (device.startsWith(`${key} `)) devices.delete(device)
    },
    async retireDevices(name) {
      generations.set(name, (generations.get(name) ?? 0) + 1)
      for (const device of devices.keys()) if (device.startsWith(`${name} `)) devices.delete(device)
    },
  }
}
