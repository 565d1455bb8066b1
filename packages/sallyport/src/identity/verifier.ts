// The other end: a service behind the gateway finds out who calls, and that the gateway said so.

import type { Principal } from '../guard/principal.ts'
import { isAsExpected, isSigned, parseJwt } from '../tokens/jwt.ts'
import { createKeySet } from '../tokens/key-set.ts'
import { IDENTITY_TYPE, principalIn } from './claims.ts'

/** Which identities are taken. */
export interface IdentityVerifierOptions {
  /** Where the gateway publishes its keys: `https://gateway.internal/.well-known/sallyport-identity-keys.json`. */
  readonly keysUrl: string
  /** The policy's `access.identity.audience`. */
  readonly audience: string
  /** The policy's `access.identity.issuer`; `sallyport`. */
  readonly issuer?: string
  readonly fetch?: typeof globalThis.fetch
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number
}

/** Checks identities. */
export interface IdentityVerifier {
  /**
   * Who calls; `undefined` where the header is missing or is not the gateway's.
   *
   * @throws Error where the keys can't be fetched, so that nobody can say
   */
  verify(header: string | undefined): Promise<Principal | undefined>
}

/**
 * A verifier for the header that the gateway writes.
 *
 * @example
 * const identity = createIdentityVerifier({ keysUrl, audience: 'https://orders.internal' })
 * const caller = await identity.verify(request.headers['sallyport-identity'])
 */
export function createIdentityVerifier(options: IdentityVerifierOptions): IdentityVerifier {
  const { keysUrl, audience, issuer = 'sallyport', fetch = globalThis.fetch, clock = Date.now } = options
  const keys = createKeySet({ url: keysUrl, fetch, clock })
  const expected = {
    issuer,
    audiences: [audience],
    algorithms: ['EdDSA'],
    type: IDENTITY_TYPE,
    clockSkewSeconds: 5,
  } as const
  return {
    async verify(header) {
      const jwt = header === undefined ? undefined : parseJwt(header)
      if (!jwt || !isAsExpected(jwt, expected, clock())) return undefined
      const found = await keys.find(jwt.kid, jwt.algorithm)
      if (found === 'unavailable')
        throw new Error(`the keys at ${keysUrl} can't be fetched; is the gateway up?`)
      if (found === 'unknown' || !(await isSigned(jwt, found))) return undefined
      return principalIn(jwt.claims)
    },
  }
}
