// Which of an upstream's addresses a request goes to: one that is due to be tried, else the least busy of those that
// take part. The counts are those of this process, so they are exact, and no address is asked twice in a row for nothing.

import { AddressHealth, type EjectionLimits } from './ejection.ts'

/** So many reasons of failure are told apart; they are codes of ours and of the system. */
const MAX_REASONS = 50

/** One address with what is known of it. */
export class Address<Way> {
  readonly url: string
  readonly way: Way
  readonly health: AddressHealth
  /** Requests and tunnels under way. */
  inFlight = 0
  /** Requests sent, those sent again among them. */
  total = 0
  readonly failures = new Map<string, number>()

  constructor(url: string, way: Way, limits: EjectionLimits | undefined) {
    this.url = url
    this.way = way
    this.health = new AddressHealth(limits)
  }

  countFailure(reason: string): void {
    const known = this.failures.has(reason) || this.failures.size < MAX_REASONS ? reason : 'other'
    this.failures.set(known, (this.failures.get(known) ?? 0) + 1)
  }
}

/** Shares requests out. */
export interface Balance<Way> {
  readonly addresses: readonly Address<Way>[]
  /**
   * Chooses an address and counts the request there.
   *
   * @param by the request: the same object ends it
   * @param except what failed before; it is chosen again only where nothing else takes part
   */
  choose(by: object, except?: Address<Way>): Address<Way>
  good(by: object, address: Address<Way>): void
  /** @param reason an error code, or `status_503` and its like */
  bad(by: object, address: Address<Way>, reason: string): void
  /** Nothing of the request is left there. */
  left(by: object, address: Address<Way>): void
}

/** @param now milliseconds that only go forward */
export function createBalance<Way>(addresses: readonly Address<Way>[], now: () => number): Balance<Way> {
  const count = addresses.length
  let next = 0

  function find(by: object, except: Address<Way> | undefined): Address<Way> {
    if (count === 1) return addresses[0]!
    const at = now()
    let best: Address<Way> | undefined
    // Among equals each has its turn.
    next = (next + 1) % count
    for (let i = 0; i < count; i++) {
      const address = addresses[(next + i) % count]!
      if (address === except) continue
      const { health } = address
      if (health.ejectedUntil === undefined) {
        if (best === undefined || address.inFlight < best.inFlight) best = address
      } else if (health.mayBeTried(at)) {
        health.tryOut(by)
        return address
      }
    }
    return best ?? except ?? addresses[next]!
  }

  // Who answers 503 may be short of time for all that is asked, and what is left out here others must take: more than half
  // are never left out for their answers, or one after the other would fall.
  function isSpare(address: Address<Way>, hasAnswered: boolean): boolean {
    const others = addresses.filter((one) => one !== address && one.health.ejectedUntil === undefined).length
    return others >= (hasAnswered ? Math.ceil(count / 2) : 1)
  }

  return {
    addresses,
    choose(by, except) {
      const address = find(by, except)
      address.inFlight++
      address.total++
      return address
    },
    good: (by, { health }) => health.good(by, count === 1 ? 0 : now()),
    bad(by, address, reason) {
      address.countFailure(reason)
      address.health.bad(by, now(), isSpare(address, reason.startsWith('status_')))
    },
    left(by, address) {
      address.inFlight--
      address.health.left(by)
    },
  }
}
