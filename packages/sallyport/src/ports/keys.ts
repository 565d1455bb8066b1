// What the `keys` control needs: something that says whose a presented key is. A ring of cached records over a store
// keeps this port (`sallyport/keys`).

import type { PlanOverrides } from '../guard/principal.ts'

/** What is known of a key; plain data, without the key. */
export interface KeyRecord {
  readonly id: string
  readonly kind: 'secret' | 'publishable'
  readonly environment: 'live' | 'test'
  readonly organisation: string
  readonly store?: string
  /** Who owns it: its rights bound the key's. */
  readonly owner: string
  readonly name: string
  /** The prefix and the last four characters: all that may be shown. */
  readonly display: string
  readonly plan: string
  readonly planOverrides?: PlanOverrides
  readonly scopes: readonly string[]
  /** What its owner may do now; absent where the owner is the organisation itself. */
  readonly ownerScopes?: readonly string[]
  readonly ownerRole?: string
  readonly origins: readonly string[]
  readonly cidrs: readonly string[]
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt?: number
  /** Which generation was presented, and when it ends where a newer one replaces it. */
  readonly generation: number
  readonly generationEndsAt?: number
  /** Milliseconds since the epoch, where it was ended. */
  readonly revokedAt?: number
  readonly organisationDisabledAt?: number
}

/** What a ring says of a presented key. `unavailable`: nobody can say now; the request must not pass. */
export type KeyAnswer = { readonly record: KeyRecord } | 'unknown' | 'unavailable'

/** Answers for presented keys. */
export interface KeyRing {
  /** At once where it is known; else after one look-up, which never rejects. */
  find(key: string): KeyAnswer | Promise<KeyAnswer>
  /** Notes a use; written in batches. */
  used(id: string, atMs: number): void
}
