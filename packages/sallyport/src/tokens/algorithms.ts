// The signatures that tokens may have (RFC 7518, section 3; RFC 8037), by WebCrypto. There is no `none` and no HMAC: a
// secret shared with an issuer would let the API make tokens itself, and a public key could be taken for the secret
// (RFC 8725, section 2.1).

/** The algorithms, by their names in `alg`. */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** A published key (RFC 7517); members that are not needed here are left out. */
export interface PublicJwk {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly crv?: string
  readonly n?: string
  readonly e?: string
  readonly x?: string
  readonly y?: string
}

interface Scheme {
  readonly kty: string
  readonly crv?: string
  readonly importAs: RsaHashedImportParams | EcKeyImportParams | { readonly name: 'Ed25519' }
  readonly verifyWith: AlgorithmIdentifier | RsaPssParams | EcdsaParams
  /** Bytes of the signature, where the algorithm fixes them. */
  readonly signatureBytes?: number
}

const SCHEMES: Readonly<Record<Algorithm, Scheme>> = {
  RS256: {
    kty: 'RSA',
    importAs: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    verifyWith: { name: 'RSASSA-PKCS1-v1_5' },
  },
  // RFC 7518, section 3.5: the salt is as long as the hash.
  PS256: {
    kty: 'RSA',
    importAs: { name: 'RSA-PSS', hash: 'SHA-256' },
    verifyWith: { name: 'RSA-PSS', saltLength: 32 },
  },
  ES256: {
    kty: 'EC',
    crv: 'P-256',
    importAs: { name: 'ECDSA', namedCurve: 'P-256' },
    verifyWith: { name: 'ECDSA', hash: 'SHA-256' },
    signatureBytes: 64,
  },
  ES384: {
    kty: 'EC',
    crv: 'P-384',
    importAs: { name: 'ECDSA', namedCurve: 'P-384' },
    verifyWith: { name: 'ECDSA', hash: 'SHA-384' },
    signatureBytes: 96,
  },
  EdDSA: {
    kty: 'OKP',
    crv: 'Ed25519',
    importAs: { name: 'Ed25519' },
    verifyWith: { name: 'Ed25519' },
    signatureBytes: 64,
  },
}

/** True for a name of the list; `alg` comes from the token, so it is looked up and never called. */
export function isAlgorithm(name: unknown): name is Algorithm {
  return typeof name === 'string' && (ALGORITHMS as readonly string[]).includes(name)
}

// RFC 7518, section 3.3: 2048 bits or more. 342 letters of base64url hold them.
const SHORTEST_MODULUS = 342
const LONGEST_MODULUS = 1366

/** True where the key is one for this algorithm and for signatures: its own words decide, never the token's. */
export function suits(jwk: PublicJwk, algorithm: Algorithm): boolean {
  const scheme = SCHEMES[algorithm]
  if (jwk.kty !== scheme.kty || (scheme.crv !== undefined && jwk.crv !== scheme.crv)) return false
  if (jwk.alg !== undefined && jwk.alg !== algorithm) return false
  if (jwk.use !== undefined && jwk.use !== 'sig') return false
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes('verify')) return false
  if (scheme.kty !== 'RSA') return true
  const length = typeof jwk.n === 'string' ? jwk.n.length : 0
  return length >= SHORTEST_MODULUS && length <= LONGEST_MODULUS
}

/** Imports a key; `undefined` where it is none. Only the public members are handed on. */
export async function importPublicKey(jwk: PublicJwk, algorithm: Algorithm): Promise<CryptoKey | undefined> {
  const { kty, crv, n, e, x, y } = jwk
  const own = Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => value !== undefined)
  try {
    return await crypto.subtle.importKey(
      'jwk',
      Object.fromEntries(own) as JsonWebKey,
      SCHEMES[algorithm].importAs,
      false,
      ['verify'],
    )
  } catch {
    return undefined
  }
}

/** True where the signature is the key's over these bytes. */
export async function isSignedBy(
  key: CryptoKey,
  algorithm: Algorithm,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { verifyWith, signatureBytes } = SCHEMES[algorithm]
  if (signatureBytes !== undefined && signature.length !== signatureBytes) return false
  try {
    return await crypto.subtle.verify(verifyWith, key, signature, signed)
  } catch {
    return false
  }
}
