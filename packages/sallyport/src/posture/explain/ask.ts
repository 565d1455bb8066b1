// What is asked: one request, how it came, and what the application would answer to it.

import type { Place } from '../../guard/control.ts'
import type { Incoming } from '../../guard/exchange.ts'
import type { Principal } from '../../guard/principal.ts'

export type Pair = readonly [name: string, value: string]

/** A request that nobody sent, and the answer that an application would give. */
export interface Ask {
  readonly method: string
  /** Path and query, as they would stand in the request line. */
  readonly target: string
  /** Every header line, `Host` included, names as they would be sent. */
  readonly headers: readonly Pair[]
  /** The address at the other end of the connection. */
  readonly peer: string
  /** True where the connection to our listener is TLS. */
  readonly encrypted: boolean
  readonly place: Place
  /** Who is taken to call; nobody where it is left out, whatever credential the headers show. */
  readonly as?: Principal
  /** What the application would answer, should it be asked. */
  readonly answer: { readonly status: number; readonly headers: readonly Pair[] }
}

/** The request as a front end would hand it to the guard. */
export function incomingOf({ method, target, headers, peer, encrypted }: Ask): Incoming {
  return {
    method,
    target,
    httpVersion: '1.1',
    rawHeaders: headers.flat(1),
    header: (name) => headers.find(([key]) => key.toLowerCase() === name)?.[1],
    peer,
    encrypted,
  }
}
