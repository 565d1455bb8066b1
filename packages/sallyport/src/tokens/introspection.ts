// Opaque tokens, by asking the issuer (RFC 7662). An answer is used for a few seconds, so that is how long a token that
// was taken back still opens.

import type { Principal } from '../guard/principal.ts'
import type { TokenAnswer } from '../ports/tokens.ts'
import { fetchJson, within } from './fetch-json.ts'
import type { JsonObject } from './json.ts'
import { isCurrent, isForOneOf } from './jwt.ts'
import { type ClaimNames, principalOf } from './principal.ts'

/** Seconds for which an answer is used. */
export const INTROSPECTION_SECONDS = 5
/** Milliseconds that a request waits for the issuer. */
const WAIT_MS = 1_000
const REMEMBERED = 10_000
/** Questions under way at once; beyond them nobody waits. */
const UNDER_WAY = 256

/** How an issuer is asked. */
export interface IntrospectionOptions {
  readonly url: string
  readonly clientId: string
  /** The client's secret, asked for with each question so that it can be changed. */
  readonly secret: () => string | undefined
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Where it is left out, any. */
  readonly issuer: string | undefined
  /** Where it is empty, any; else the answer must name one of them. */
  readonly audiences: readonly string[]
  readonly clockSkewSeconds: number
  readonly claims: ClaimNames
}

/** Answers for tokens by their digest. */
export interface Introspection {
  find(token: string, digest: string): TokenAnswer | Promise<TokenAnswer>
}

interface Remembered {
  readonly answer: { readonly principal: Principal } | 'unknown'
  readonly until: number
}

/** An endpoint, with its last answers. */
export function createIntrospection(options: IntrospectionOptions): Introspection {
  const { clock } = options
  const remembered = new Map<string, Remembered>()
  const asking = new Map<string, Promise<TokenAnswer>>()

  async function ask(token: string, digest: string): Promise<TokenAnswer> {
    const secret = options.secret()
    if (secret === undefined) return 'unavailable'
    const asked = clock()
    const response = await fetchJson(options.fetch, options.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `Basic ${btoa(`${formEncoded(options.clientId)}:${formEncoded(secret)}`)}`,
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    })
    const answer = response ? judge(response.value, options, digest) : 'unavailable'
    if (answer === 'unavailable') return answer
    const ends = answer === 'unknown' ? undefined : answer.principal.credential.expiresAt
    const until = asked + INTROSPECTION_SECONDS * 1000
    if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!)
    remembered.delete(digest)
    remembered.set(digest, { answer, until: Math.min(until, ends ?? until) })
    return answer
  }

  return {
    find(token, digest) {
      const known = remembered.get(digest)
      const now = clock()
      // A clock that was set back must not make an answer live longer.
      if (known && now < known.until && now >= known.until - INTROSPECTION_SECONDS * 1000) return known.answer
      remembered.delete(digest)
      let answer = asking.get(digest)
      if (answer === undefined) {
        if (asking.size >= UNDER_WAY) return 'unavailable'
        answer = ask(token, digest).finally(() => asking.delete(digest))
        asking.set(digest, answer)
      }
      return within<TokenAnswer, TokenAnswer>(answer, WAIT_MS, 'unavailable')
    },
  }
}

function judge(
  response: JsonObject,
  { issuer, audiences, clockSkewSeconds, claims, clock }: IntrospectionOptions,
  digest: string,
): TokenAnswer {
  if (typeof response['active'] !== 'boolean') return 'unavailable'
  if (!response['active']) return 'unknown'
  const { iss, aud } = response
  if (issuer !== undefined && iss !== undefined && iss !== issuer) return 'unknown'
  if (audiences.length > 0 && !isForOneOf(aud, audiences)) return 'unknown'
  if (!isCurrent(response, clockSkewSeconds, clock())) return 'unknown'
  const principal = principalOf(response, claims, digest)
  return principal ? { principal } : 'unknown'
}

// RFC 6749, section 2.3.1: names and secrets are form-encoded before they are joined.
function formEncoded(text: string): string {
  return new URLSearchParams({ a: text }).toString().slice(2)
}
