// Access tokens of one or more issuers: which of them a token is for, what has been found out about it, and who calls
// by it.

import type { Principal } from '../guard/principal.ts'
import type { TokenAnswer, TokenSource } from '../ports/tokens.ts'
import { ALGORITHMS, type Algorithm } from './algorithms.ts'
import { tokenDigest } from './digest.ts'
import { createIntrospection, type Introspection } from './introspection.ts'
import { type Expected, isAsExpected, isSigned, MAX_TOKEN, type ParsedJwt, parseJwt } from './jwt.ts'
import { createKeySet, type KeySet } from './key-set.ts'
import { type ClaimNames, principalOf } from './principal.ts'

/** An issuer whose tokens are taken: one of `jwks`, `introspection` and `service`. */
export interface Issuer {
  readonly issuer?: string
  readonly audience?: string | readonly string[]
  /** The address of its published keys. */
  readonly jwks?: string
  readonly introspection?: { readonly url?: string; readonly clientId?: string; readonly secret?: string }
  /** True where the program itself knows the tokens. */
  readonly service?: boolean
  readonly algorithms?: readonly Algorithm[]
  readonly type?: 'at+jwt' | 'jwt'
  readonly clockSkewSeconds?: number
  readonly claims?: ClaimNames
}

/** What tokens are checked with. */
export interface VerifierNeeds {
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly secret: (name: string) => string | undefined
  readonly tokens?: TokenSource | undefined
}

/** Seconds for which clocks may differ where the policy says nothing. */
export const DEFAULT_SKEW_SECONDS = 30
/** So many tokens are remembered; only valid ones are. */
const REMEMBERED = 10_000
/** A token is checked anew after so long, whatever it says of its end. */
const REMEMBERED_MS = 300_000
// RFC 6750, section 2.1: b64token.
const B64_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

/** Says whose tokens are. */
export function createTokenVerifier(issuers: readonly Issuer[], needs: VerifierNeeds): TokenSource {
  const signed = new Map<string, SignedIssuer>()
  for (const each of issuers)
    if (each.jwks !== undefined && each.issuer !== undefined)
      signed.set(each.issuer, signedIssuer(each, each.issuer, each.jwks, needs))
  const asked = issuers.find(({ introspection }) => introspection !== undefined)
  const introspection = asked && introspectionOf(asked, needs)
  const own = issuers.some(({ service }) => service === true) ? needs.tokens : undefined

  function opaque(token: string, digest: string | Promise<string>): TokenAnswer | Promise<TokenAnswer> {
    if (own) return own.find(token)
    if (!introspection) return 'unknown'
    return typeof digest === 'string'
      ? introspection.find(token, digest)
      : digest.then((known) => introspection.find(token, known))
  }

  return {
    find(token) {
      if (token.length > MAX_TOKEN || !B64_TOKEN.test(token)) return 'unknown'
      const digest = tokenDigest(token)
      for (const each of signed.values()) {
        const known = typeof digest === 'string' ? each.remembered(digest) : undefined
        if (known) return known
      }
      const jwt = signed.size > 0 ? parseJwt(token) : undefined
      const { iss } = jwt?.claims ?? {}
      const issuer = typeof iss === 'string' ? signed.get(iss) : undefined
      if (jwt && issuer) return issuer.check(jwt, digest)
      return opaque(token, digest)
    },
  }
}

function introspectionOf(
  { issuer, audience, introspection = {}, clockSkewSeconds = DEFAULT_SKEW_SECONDS, claims = {} }: Issuer,
  { fetch, clock, secret }: VerifierNeeds,
): Introspection {
  const { url = '', clientId = '', secret: name = '' } = introspection
  return createIntrospection({
    url,
    clientId,
    secret: () => secret(name),
    fetch,
    clock,
    issuer,
    audiences: listOf(audience),
    clockSkewSeconds,
    claims,
  })
}

interface SignedIssuer {
  remembered(digest: string): TokenAnswer | undefined
  check(jwt: ParsedJwt, digest: string | Promise<string>): TokenAnswer | Promise<TokenAnswer>
}

interface Remembered {
  readonly answer: { readonly principal: Principal }
  readonly from: number
  readonly until: number
  /** Of the issuer's keys. */
  readonly generation: number
}

function signedIssuer(
  { audience, algorithms, type = 'at+jwt', clockSkewSeconds = DEFAULT_SKEW_SECONDS, claims = {} }: Issuer,
  issuer: string,
  url: string,
  { fetch, clock }: VerifierNeeds,
): SignedIssuer {
  const expected: Expected = {
    issuer,
    audiences: listOf(audience),
    algorithms: algorithms ?? ALGORITHMS,
    type,
    clockSkewSeconds,
  }
  const keys: KeySet = createKeySet({ url, fetch, clock })
  const known = new Map<string, Remembered>()

  async function verify(jwt: ParsedJwt, digest: string | Promise<string>): Promise<TokenAnswer> {
    const found = await keys.find(jwt.kid, jwt.algorithm)
    if (typeof found === 'string') return found
    const { generation } = keys
    if (!(await isSigned(jwt, found))) return 'unknown'
    const id = await digest
    const principal = principalOf(jwt.claims, claims, id)
    if (!principal) return 'unknown'
    const answer = { principal }
    const now = clock()
    const ends = (jwt.claims['exp'] as number) * 1000 + clockSkewSeconds * 1000
    if (generation !== undefined) {
      if (known.size >= REMEMBERED) known.delete(known.keys().next().value!)
      known.set(id, { answer, from: now, until: Math.min(ends, now + REMEMBERED_MS), generation })
    }
    return answer
  }

  return {
    remembered(digest) {
      const entry = known.get(digest)
      if (!entry) return undefined
      const now = clock()
      if (now < entry.until && now >= entry.from && keys.generation === entry.generation) return entry.answer
      known.delete(digest)
      return undefined
    },
    check(jwt, digest) {
      // What no key could mend is refused before a key is asked for.
      return isAsExpected(jwt, expected, clock()) ? verify(jwt, digest) : 'unknown'
    },
  }
}

function listOf(audience: string | readonly string[] | undefined): readonly string[] {
  return audience === undefined ? [] : typeof audience === 'string' ? [audience] : audience
}
