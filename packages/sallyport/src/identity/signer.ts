// Signs who calls, for the service behind the gateway: a JWT that lives for a minute. One identity serves all requests
// of a caller for half of its life, so that most requests wait for no signature.

import type { Principal } from '../guard/principal.ts'
import { toBase64url } from '../tokens/base64url.ts'
import { claimsOf, IDENTITY_TYPE } from './claims.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What an identity says of itself. */
export interface SignerOptions {
  readonly issuer: string
  readonly audience: string
  readonly lifetimeSeconds: number
  readonly keys: SigningKeys
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** Signs identities. */
export interface IdentitySigner {
  /** The token; at once where a fresh one is known. */
  sign(principal: Principal): string | Promise<string>
}

interface Signed {
  readonly token: string
  readonly from: number
}

const REMEMBERED = 10_000

/** A signer with what it has signed lately. */
export function createIdentitySigner(options: SignerOptions): IdentitySigner {
  const { issuer, audience, lifetimeSeconds, keys, clock } = options
  const signed = new Map<string, Signed>()
  // A caller comes as the same object again and again; as a new one that says the same where it was forgotten meanwhile.
  const byCaller = new WeakMap<Principal, Signed>()
  const reuseMs = lifetimeSeconds * 500

  async function make(about: string, now: number): Promise<string> {
    const { key, published } = await keys.current()
    const seconds = Math.floor(now / 1000)
    const own = { iss: issuer, aud: audience, iat: seconds, exp: seconds + lifetimeSeconds }
    const head = encoded(JSON.stringify({ alg: 'EdDSA', typ: IDENTITY_TYPE, kid: published.kid }))
    const body = encoded(JSON.stringify({ ...own, ...(JSON.parse(about) as object) }))
    const bytes = new TextEncoder().encode(`${head}.${body}`)
    const signature = await crypto.subtle.sign('Ed25519', key, bytes)
    const token = `${head}.${body}.${toBase64url(new Uint8Array(signature))}`
    if (signed.size >= REMEMBERED) signed.delete(signed.keys().next().value!)
    signed.delete(about)
    signed.set(about, { token, from: now })
    return token
  }

  return {
    sign(principal) {
      const now = clock()
      const isFresh = (one: Signed | undefined): one is Signed =>
        one !== undefined && now >= one.from && now < one.from + reuseMs
      const own = byCaller.get(principal)
      if (isFresh(own)) return own.token
      const about = JSON.stringify(claimsOf(principal))
      const known = signed.get(about)
      if (!isFresh(known)) return make(about, now)
      byCaller.set(principal, known)
      return known.token
    },
  }
}

function encoded(text: string): string {
  return toBase64url(new TextEncoder().encode(text))
}
