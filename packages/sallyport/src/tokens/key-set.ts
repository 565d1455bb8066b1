// The published keys of an issuer (JWK Set, RFC 7517), fetched once for all who wait and kept for a while. A key that
// the issuer withdraws is noticed with the next fetch; an issuer that is away is trusted for an hour from its last word.

import { type Algorithm, importPublicKey, type PublicJwk, suits } from './algorithms.ts'
import { fetchJson, within } from './fetch-json.ts'

/** `unknown`: the issuer publishes no such key. `unavailable`: it can't be asked now. */
type KeysFound = readonly CryptoKey[] | 'unknown' | 'unavailable'

/** The keys of one issuer. */
export interface KeySet {
  /** The keys that may have signed such a token. A promise where they have to be fetched or read first. */
  find(kid: string | undefined, algorithm: Algorithm): KeysFound | Promise<KeysFound>
  /** Another number once other keys are published; `undefined` while what is known is too old to be used. */
  readonly generation: number | undefined
}

/** What a key set is made with. */
export interface KeySetOptions {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Seconds after which keys are fetched anew, where the issuer names no other time. */
export const REFRESH_SECONDS = 600
/** Seconds after which keys that could not be fetched anew are no longer used. */
export const TRUSTED_SECONDS = 3600
const SHORTEST_SECONDS = 60
/** A key that is not known makes us ask again, but no caller can make us ask more often than this. */
const MISS_MS = 30_000
const FAILURE_MS = 1_000
/** How long a request waits for an issuer whose keys are known already, and for one that was never asked. */
const WARM_MS = 50
const COLD_MS = 2_000
const MAX_KEYS = 64
const MAX_TRIED = 4

/** Keys of an issuer; nothing is fetched before the first token comes. */
export function createKeySet({ url, fetch, clock }: KeySetOptions): KeySet {
  let published: readonly PublicJwk[] | undefined
  let text = ''
  let generation = 0
  let fetchedAt = Number.NEGATIVE_INFINITY
  let refreshAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let isLastGood = false
  let fetching: Promise<void> | undefined
  // By algorithm and key; made anew with each set.
  let imported = new Map<string, readonly CryptoKey[]>()

  const isUsable = (now: number) =>
    published !== undefined && now < fetchedAt + TRUSTED_SECONDS * 1000 && now >= fetchedAt

  function refresh(): Promise<void> {
    fetching ??= load().finally(() => {
      fetching = undefined
    })
    return fetching
  }

  async function load(): Promise<void> {
    triedAt = clock()
    const answer = await fetchJson(fetch, url)
    const keys = answer && keysOf(answer.value['keys'])
    isLastGood = keys !== undefined
    if (!answer || !keys) return
    fetchedAt = clock()
    const seconds = Math.min(
      REFRESH_SECONDS,
      Math.max(SHORTEST_SECONDS, answer.maxAgeSeconds ?? REFRESH_SECONDS),
    )
    refreshAt = fetchedAt + seconds * 1000
    const now = JSON.stringify(keys)
    if (now === text) return
    text = now
    generation++
    published = keys
    imported = new Map()
  }

  // Nobody waits for this one; a failure is tried again a second later.
  function tend(now: number): void {
    if (now >= refreshAt && now >= triedAt + FAILURE_MS) void refresh()
  }

  function candidates(kid: string | undefined, algorithm: Algorithm): readonly PublicJwk[] {
    const suitable = (published ?? []).filter((jwk) => suits(jwk, algorithm))
    // Without a name only a key that stands alone can be meant.
    if (kid === undefined) return suitable.length === 1 ? suitable : []
    return suitable.filter((jwk) => jwk.kid === kid).slice(0, MAX_TRIED)
  }

  function known(kid: string | undefined, algorithm: Algorithm): KeysFound | Promise<KeysFound> {
    const found = candidates(kid, algorithm)
    if (found.length === 0) return 'unknown'
    const key = `${algorithm} ${kid ?? ''}`
    return imported.get(key) ?? importAll(found, algorithm, key)
  }

  async function importAll(
    found: readonly PublicJwk[],
    algorithm: Algorithm,
    key: string,
  ): Promise<KeysFound> {
    const into = imported
    const keys = (await Promise.all(found.map((jwk) => importPublicKey(jwk, algorithm)))).filter(
      (each) => each !== undefined,
    )
    if (keys.length === 0) return 'unknown'
    into.set(key, keys)
    return keys
  }

  async function askAgain(kid: string | undefined, algorithm: Algorithm, waitMs: number): Promise<KeysFound> {
    await within(refresh(), waitMs, undefined)
    if (fetching !== undefined || !isLastGood || !isUsable(clock())) return 'unavailable'
    return known(kid, algorithm)
  }

  return {
    get generation() {
      const now = clock()
      tend(now)
      return isUsable(now) ? generation : undefined
    },
    find(kid, algorithm) {
      const now = clock()
      tend(now)
      if (!isUsable(now)) {
        if (fetching === undefined && now < triedAt + FAILURE_MS && now >= triedAt) return 'unavailable'
        return askAgain(kid, algorithm, published === undefined ? COLD_MS : WARM_MS)
      }
      const found = known(kid, algorithm)
      if (found !== 'unknown') return found
      const isRecent = now < triedAt + MISS_MS && now >= triedAt
      if (fetching === undefined && isRecent) return isLastGood ? 'unknown' : 'unavailable'
      return askAgain(kid, algorithm, WARM_MS)
    },
  }
}

function keysOf(list: unknown): readonly PublicJwk[] | undefined {
  if (!Array.isArray(list) || list.length > MAX_KEYS) return undefined
  return list.filter(isPublicJwk).map(({ kty, kid, alg, use, key_ops, crv, n, e, x, y }) => ({
    kty,
    ...(kid !== undefined && { kid }),
    ...(alg !== undefined && { alg }),
    ...(use !== undefined && { use }),
    ...(key_ops !== undefined && { key_ops }),
    ...(crv !== undefined && { crv }),
    ...(n !== undefined && { n }),
    ...(e !== undefined && { e }),
    ...(x !== undefined && { x }),
    ...(y !== undefined && { y }),
  }))
}

const TEXTS = ['kid', 'alg', 'use', 'crv', 'n', 'e', 'x', 'y'] as const

// A key that shows its private half is known to everybody.
function isPublicJwk(value: unknown): value is PublicJwk {
  if (typeof value !== 'object' || value === null) return false
  const jwk = value as Readonly<Record<string, unknown>>
  if (typeof jwk['kty'] !== 'string' || jwk['d'] !== undefined || jwk['k'] !== undefined) return false
  const operations = jwk['key_ops']
  if (
    operations !== undefined &&
    !(Array.isArray(operations) && operations.every((each) => typeof each === 'string'))
  )
    return false
  return TEXTS.every((name) => jwk[name] === undefined || typeof jwk[name] === 'string')
}
