// Bad keys by address. Beyond so many in a minute the keys of that address are no longer looked up; those that were found
// within the last hour are let in as ever, since an address may be that of many.

import type { Denial, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { lines } from '../../guard/lines.ts'
import { formatAddress, parseAddress } from '../../policy/address.ts'
import { networkOf } from '../../policy/cidr.ts'
import type { CounterRequest, Counters, CounterVerdict } from '../../ports/counters.ts'

/** What is known of an address's failures. */
export interface Failures {
  /** Whether the address may have a key looked up: the refusal where it may not. Takes nothing. */
  refusal(exchange: Exchange): Denial | undefined | Promise<Denial | undefined>
  /** Counts a failure: `undefined`, or the refusal where there were too many. */
  count(exchange: Exchange): Denial | undefined | Promise<Denial | undefined>
}

const BUCKET = 'keys-failures'

export function failuresOf(counters: Counters, perMinute: number): Failures {
  const ask = (
    exchange: Exchange,
    question: (requests: readonly CounterRequest[]) => CounterVerdict | Promise<CounterVerdict>,
  ): Denial | undefined | Promise<Denial | undefined> => {
    const { address } = exchange.client
    // Where the host hides the address, one caller would stand for all.
    if (address === undefined) return undefined
    const verdict = question([
      {
        bucket: BUCKET,
        key: networkText(address),
        limit: perMinute,
        windowMs: 60_000,
        algorithm: 'strict',
        cost: 1,
        onOutage: 'local',
      },
    ])
    return verdict instanceof Promise ? verdict.then(denialOf) : denialOf(verdict)
  }
  return {
    refusal: (exchange) => ask(exchange, (requests) => counters.peek(requests)),
    count: (exchange) => ask(exchange, (requests) => counters.take(requests)),
  }
}

function denialOf({ allowed, retryAfterMs }: CounterVerdict): Denial | undefined {
  if (allowed) return undefined
  const seconds = Number.isFinite(retryAfterMs) ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 60
  return { kind: 'deny', code: 'too_many_failures', headers: lines([['Retry-After', String(seconds)]]) }
}

// One subscriber of IPv6 has a /64 (RFC 6177), and with it as many addresses as it likes.
function networkText(text: string): string {
  if (!text.includes(':')) return text
  const address = parseAddress(text)
  return address === undefined ? text : formatAddress(networkOf({ address, prefix: 64 }).address)
}

/** Goes on with a verdict that may come later. */
export function andThen<T>(
  value: T | Promise<T>,
  next: (value: T) => Verdict | Promise<Verdict>,
): Verdict | Promise<Verdict> {
  return value instanceof Promise ? value.then(next) : next(value)
}
