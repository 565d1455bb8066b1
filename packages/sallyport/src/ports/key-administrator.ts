// What `keys` needs to answer `/v1/keys`: somebody who makes, lists, rotates and revokes the keys of an organisation.
// @sallyport/store keeps this port on its records.

/** A key as its organisation may see it; plain data, without the key. Times are whole milliseconds since the epoch. */
export interface ManagedKey {
  readonly id: string
  readonly name: string
  readonly kind: 'secret' | 'publishable'
  readonly environment: 'live' | 'test'
  /** The prefix and the last four characters: all that may be shown. */
  readonly display: string
  readonly store?: string
  /** Whose rights bound it; absent where it is the organisation's own. */
  readonly owner?: string
  readonly createdBy: string
  /** Its own; absent where it has its organisation's. */
  readonly plan?: string
  readonly scopes: readonly string[]
  readonly origins: readonly string[]
  readonly networks: readonly string[]
  readonly createdAt: number
  readonly expiresAt?: number
  readonly lastUsedAt?: number
  readonly revokedAt?: number
  readonly revokedReason?: string
  /** The newest generation, counted from 1: one more than it was rotated. */
  readonly generation: number
}

/** Whose keys: of an organisation, or of one of its stores alone. */
export interface KeyHome {
  readonly organisation: string
  readonly store?: string
}

/** Who does it, for the records and the log. */
export interface KeyActor {
  /** The person or the service; absent where nobody is known but the credential. */
  readonly subject?: string
  readonly credential: { readonly kind: string; readonly id: string }
  readonly address?: string
  readonly requestId?: string
}

/** How one change is carried out. */
export interface KeyChange {
  readonly actor: KeyActor
  /** The name that keys carry. */
  readonly vendor: string
  /** The caller's own name of this request: with it, nothing is done twice. */
  readonly requestName?: string
}

/** What a new key is to be; it was held against the rights of whoever asks. */
export interface WantedKey {
  readonly name: string
  readonly kind: 'secret' | 'publishable'
  readonly environment: 'live' | 'test'
  readonly store?: string
  /** The plan that it must not exceed; it has its organisation's where that is the same, or nothing is said. */
  readonly plan?: string
  readonly scopes: readonly string[]
  readonly origins: readonly string[]
  readonly networks: readonly string[]
  readonly expiresAt: number
}

/** A key that was given out: its text is here and nowhere else. */
export interface GivenKey {
  readonly key: string
  readonly record: ManagedKey
}

/**
 * Why nothing was done. `repeated`: a request of this name was carried out before, on the key with this id. `ended`: the
 * key is revoked, expired, or was rotated by somebody else just now. `unknown`: there is none. `owner`: whoever asks is
 * disabled. `store`: the organisation has no such store.
 */
export type KeyObstacle = { readonly repeated: string } | 'ended' | 'unknown' | 'owner' | 'store'

/**
 * Works on keys. A change is in the audit log before it is answered, and what it ended is refused by this process at once.
 * Every call may reject: then nothing is given out, and nobody can say whether the change was made.
 */
export interface KeyAdministrator {
  /** A page, the newest first; it goes on behind the key with the id `after`. */
  list(home: KeyHome, limit: number, after?: string): Promise<readonly ManagedKey[]>
  /** As the records have it now, not as a cache has it. */
  find(home: KeyHome, id: string): Promise<ManagedKey | undefined>
  create(home: KeyHome, wanted: WantedKey, change: KeyChange): Promise<GivenKey | KeyObstacle>
  /** The generation before ends at once, or after so many seconds; the key expires as before where nothing is said. */
  rotate(
    home: KeyHome,
    id: string,
    how: { readonly overlapSeconds: number; readonly expiresAt?: number },
    change: KeyChange,
  ): Promise<(GivenKey & { readonly beforeEndsAt: number }) | KeyObstacle>
  /** The key as it is then; one that was revoked before stays as it was. */
  revoke(home: KeyHome, id: string, change: Omit<KeyChange, 'vendor'>): Promise<ManagedKey | KeyObstacle>
}
