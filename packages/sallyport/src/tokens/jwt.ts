// Signed tokens: JWS in compact form (RFC 7515) with a set of claims (RFC 7519), by the practices of RFC 8725.

import { type Algorithm, isAlgorithm, isSignedBy } from './algorithms.ts'
import { fromBase64url } from './base64url.ts'
import { type JsonObject, readJsonObject } from './json.ts'

/** The longest token that is looked at, in letters. */
export const MAX_TOKEN = 8192
const MAX_KID = 256

/** A token in its parts; nothing of it is proved yet. */
export interface ParsedJwt {
  readonly algorithm: Algorithm
  readonly kid: string | undefined
  /** `at+jwt`, `jwt`, … in small letters, without `application/`; `undefined` where the token says none. */
  readonly type: string | undefined
  readonly claims: JsonObject
  readonly signed: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

/**
 * Reads a token. Total: whatever is no signed token of a known algorithm is `undefined`. Members of the header that
 * name keys (`jwk`, `jku`, `x5u`, `x5c`) are not looked at: the issuer's published keys alone count.
 */
export function parseJwt(token: string): ParsedJwt | undefined {
  if (token.length > MAX_TOKEN) return undefined
  // Five parts are an encrypted token (RFC 7516).
  const parts = token.split('.')
  const [head, body, tail] = parts
  if (parts.length !== 3 || !head || !body || !tail) return undefined
  const [headBytes, bodyBytes, signature] = [head, body, tail].map(fromBase64url)
  if (!headBytes || !bodyBytes || !signature) return undefined
  const header = readJsonObject(headBytes)
  if (!header) return undefined
  const { alg, kid, typ, crit, cty, b64 } = header
  if (!isAlgorithm(alg)) return undefined
  // RFC 7515, section 4.1.11: what must be understood and is not makes the token invalid. Nothing is understood here.
  if (crit !== undefined || b64 !== undefined || cty !== undefined) return undefined
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID)) return undefined
  if (typ !== undefined && (typeof typ !== 'string' || typ.length > 64)) return undefined
  const claims = readJsonObject(bodyBytes)
  if (!claims) return undefined
  return {
    algorithm: alg,
    kid,
    type: typ?.toLowerCase().replace(/^application\//, ''),
    claims,
    signed: new TextEncoder().encode(`${head}.${body}`) as Uint8Array<ArrayBuffer>,
    signature,
  }
}

/** What a token must say. */
export interface Expected {
  readonly issuer: string
  /** One of these must be among the token's. */
  readonly audiences: readonly string[]
  readonly algorithms: readonly Algorithm[]
  /** RFC 9068 marks access tokens `at+jwt`; `jwt` takes those too that say `JWT` or nothing. */
  readonly type: keyof typeof TYPES
  readonly clockSkewSeconds: number
}

const MAX_AUDIENCES = 32
// RFC 8725, section 3.11: kinds of tokens that must not be taken for one another say so.
const TYPES = {
  'at+jwt': ['at+jwt'],
  jwt: ['at+jwt', 'jwt', undefined],
  'sallyport-identity+jwt': ['sallyport-identity+jwt'],
} as const

/** True where form, issuer, audience and times are as expected; the signature is asked for apart. */
export function isAsExpected(jwt: ParsedJwt, expected: Expected, nowMs: number): boolean {
  if (!expected.algorithms.includes(jwt.algorithm)) return false
  if (!(TYPES[expected.type] as readonly (string | undefined)[]).includes(jwt.type)) return false
  return (
    claimsFit(jwt.claims, expected, nowMs) &&
    typeof jwt.claims['exp'] === 'number' &&
    isName(jwt.claims['sub'])
  )
}

/** True where issuer, audience and times of these claims fit; what is absent fits, but for the issuer and audience. */
function claimsFit(claims: JsonObject, expected: Expected, nowMs: number): boolean {
  if (claims['iss'] !== expected.issuer) return false
  return isForOneOf(claims['aud'], expected.audiences) && isCurrent(claims, expected.clockSkewSeconds, nowMs)
}

/** RFC 7519, section 4.1.3: one audience, or a list of them. */
export function isForOneOf(audience: unknown, ours: readonly string[]): boolean {
  if (typeof audience === 'string') return ours.includes(audience)
  return (
    Array.isArray(audience) &&
    audience.length <= MAX_AUDIENCES &&
    audience.every((each) => typeof each === 'string') &&
    audience.some((each) => ours.includes(each))
  )
}

/** RFC 7519, sections 4.1.4 to 4.1.6: not over, begun, and not made in the future. */
export function isCurrent(claims: JsonObject, skewSeconds: number, nowMs: number): boolean {
  const now = nowMs / 1000
  const { exp, nbf, iat } = claims
  if (exp !== undefined && !(isTime(exp) && now < exp + skewSeconds)) return false
  if (nbf !== undefined && !(isTime(nbf) && nbf <= now + skewSeconds)) return false
  return iat === undefined || (isTime(iat) && iat <= now + skewSeconds)
}

// 2^40 seconds: beyond it a number is no time, and sums of it lose their seconds.
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1_099_511_627_776
}

/** True for a text that can name somebody. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 512
}

/** True where one of the keys signed the token. */
export async function isSigned(jwt: ParsedJwt, keys: readonly CryptoKey[]): Promise<boolean> {
  for (const key of keys) if (await isSignedBy(key, jwt.algorithm, jwt.signature, jwt.signed)) return true
  return false
}
