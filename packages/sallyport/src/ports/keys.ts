// What the `keys` control needs: something that says whose a presented key is. A ring of cached records over a store
// keeps this port (`sallyport/keys`).

import type { PlanOverrides } from '../guard/principal.ts'

/** What is known of a key; plain data, without the key. Times are whole milliseconds since the epoch. */
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
  /** The origins whose pages may show it, where it is publishable. */
  readonly origins: readonly string[]
  /** The networks from which it may be used; empty: from all. */
  readonly cidrs: readonly string[]
  readonly createdAt: number
  readonly expiresAt?: number
  /** Which generation was presented; when a newer one replaced it, and when it ends for that. */
  readonly generation: number
  readonly generationReplacedAt?: number
  readonly generationEndsAt?: number
  /** When it was revoked, or its owner disabled. */
  readonly revokedAt?: number
  readonly organisationDisabledAt?: number
}

/** What a ring says of a presented key. `unavailable`: nobody can say now; the request must not pass. */
export type KeyAnswer = { readonly record: KeyRecord } | 'unknown' | 'unavailable'

/** Answers for presented keys. */
export interface KeyRing {
  /** At once where it is known; else after one look-up, which never rejects. */
  find(key: string): KeyAnswer | Promise<KeyAnswer>
  /** What can be said without a look-up; `undefined` where one is needed. */
  known?(key: string): KeyAnswer | undefined
  /** True of a key that was found a while ago: it is looked up again even for an address of many bad ones. */
  wasFound?(key: string): boolean
  /** Notes a use; written in batches. */
  used(id: string, atMs: number): void
  /**
   * Somebody else has seen the key: whoever names it has it, so nothing more is proved. The deployment revokes it or
   * tells its owner. Never rejects.
   */
  exposed?(key: string, source: string): Promise<void>
}
