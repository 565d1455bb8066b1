// What a listener has from its policy once and for all: a reload can't change it.

import type { ResolvedPolicy } from 'sallyport'

/** The part of `transport` that belongs to the listener. */
export interface ListenerTransport {
  readonly tls?: 'here' | 'in-front'
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** A listener is one for all routes, so the policy's own top level decides. */
export function transportOf(policy: ResolvedPolicy): ListenerTransport {
  return policy.cells.at(-2)!.settings['transport'] as ListenerTransport
}

/** The oldest TLS that a listener speaks. */
export function minVersionOf(policy: ResolvedPolicy): 'TLSv1.2' | 'TLSv1.3' {
  return transportOf(policy).minVersion ?? 'TLSv1.3'
}

/** Sentences about what the new policy can't change. */
export function fixedFaults(running: ResolvedPolicy, next: ResolvedPolicy): readonly string[] {
  const faults: string[] = []
  const [before, after] = [transportOf(running), transportOf(next)]
  if (before.tls !== after.tls)
    faults.push(
      `transport.tls: can't change while the gateway runs, received ${JSON.stringify(after.tls)} where ${JSON.stringify(before.tls)} runs; restart the gateway`,
    )
  else if (after.tls === 'here' && minVersionOf(running) !== minVersionOf(next))
    faults.push(
      `transport.minVersion: can't change while the gateway runs, received ${JSON.stringify(minVersionOf(next))} where ${JSON.stringify(minVersionOf(running))} runs; restart the gateway`,
    )
  return faults
}
