// What may be written of a new key: in one place, for the command, the dashboard and the records alike.

import { parseCidr } from '../policy/cidr.ts'
import type { KeyKind } from './format.ts'

/** What somebody wants a key to be. */
export interface KeyFacts {
  readonly name: string
  readonly kind: KeyKind
  readonly scopes: readonly string[]
  readonly origins: readonly string[]
  readonly cidrs: readonly string[]
}

const MOST = 100
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/

/** The first thing that is wrong, in one sentence that says how to mend it; `undefined` where nothing is. */
export function faultOfKey({ name, kind, scopes, origins, cidrs }: KeyFacts): string | undefined {
  if (!/^[^\p{Cc}]{1,100}$/u.test(name)) return 'the name is one line of 1 to 100 characters'
  for (const list of [scopes, origins, cidrs])
    if (list.length > MOST) return `a key has at most ${MOST} scopes, origins or networks`
  const scope = scopes.find((each) => !isScope(each))
  if (scope !== undefined) return `${shown(scope)} is no scope; write one such as products:read`
  const origin = origins.find((each) => !isOrigin(each))
  if (origin !== undefined) return `${shown(origin)} is no origin; write one such as https://shop.example`
  const network = cidrs.find((each) => parseCidr(each) === undefined)
  if (network !== undefined) return `${shown(network)} is no network; write one such as 192.0.2.0/24`
  if (kind === 'secret' && origins.length > 0)
    return 'a secret key is for servers, which have no origin; leave origins out or make a publishable key'
  return undefined
}

/** RFC 6749, section 3.3. */
export function isScope(text: string): boolean {
  return SCOPE.test(text)
}

/** The very text that browsers send (Fetch standard, "serializing an origin"). */
export function isOrigin(text: string): boolean {
  try {
    const { origin, protocol } = new URL(text)
    return origin === text && (protocol === 'https:' || protocol === 'http:')
  } catch {
    return false
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
