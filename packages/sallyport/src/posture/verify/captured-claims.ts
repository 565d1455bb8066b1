// Which probes a recorded answer proves: those whose very request it answers.

import type { ProbeRequest } from '../../guard/control.ts'
import { type ResolvedPolicy, resolvedFor } from '../../guard/resolve.ts'
import { controls } from '../register.ts'
import type { Oracle } from './oracle.ts'
import type { Claim } from './plan.ts'
import { isWrite, withoutWrite } from './writes.ts'

// A probe is known by its request, and by the one that is sent in its place where nothing may be changed.
/** The claims of every control's probes, with the requests that they are known by. */
export function claimsOf(
  policy: ResolvedPolicy,
  oracle: Oracle,
): readonly { readonly claim: Claim; readonly keys: readonly string[] }[] {
  return controls.flatMap((control) => {
    if (typeof control.probe !== 'function') return []
    return control.probe(resolvedFor<never>(policy, control)).map((probe) => {
      const safe = isWrite(probe.request) ? withoutWrite(probe.request, oracle) : undefined
      const requests = safe === undefined ? [probe.request] : [probe.request, safe]
      return { claim: { control: control.name, probe }, keys: requests.map(keyOf) }
    })
  })
}

// What a browser adds to a request changes nothing about what a probe asks.
const ASKS = /^(?:origin|access-control-request-.*|authorization|cookie|x-request-id|expect|content-length)$/i

/** What a request asks, so that two that ask the same are known as one. */
export function keyOf(request: ProbeRequest): string {
  if ('raw' in request) return request.raw
  const asking = request.headers
    .filter(([name]) => ASKS.test(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  return JSON.stringify([request.method, request.path, asking.sort()])
}
