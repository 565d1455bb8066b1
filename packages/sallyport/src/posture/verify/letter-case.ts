// A route's path in other letters: a program behind the policy that ignores letter case takes it for the route, so it may
// not meet what every other path meets.

import { samplePath } from '../../controls/faces.ts'
import type { ProbeRequest } from '../../guard/control.ts'
import type { ResolvedCell } from '../../guard/resolve.ts'

/** Asks for a route as `/V1/Account` where it is `/v1/account`; `undefined` where its path has no letter of its own. */
export function inOtherLetters({ method = 'GET', path, origin }: ResolvedCell): ProbeRequest | undefined {
  // What the policy serves itself has no program behind it.
  if (origin !== 'route' || path.startsWith('/.well-known/')) return undefined
  const sample = samplePath(path)
  const other = sample.replace(/\/[A-Za-z]/g, swapped)
  return other === sample ? undefined : { method, path: other, headers: [] }
}

function swapped(text: string): string {
  const upper = text.toUpperCase()
  return upper === text ? text.toLowerCase() : upper
}
