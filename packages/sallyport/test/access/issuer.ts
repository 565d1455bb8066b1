// An issuer of tokens for tests: its keys, what it publishes, tokens that node:crypto signs, and a network that is a
// function.

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Algorithm } from '../../src/tokens/algorithms.ts'

/** The time of these tests, in milliseconds: a day in November 2026. */
export const NOW = 1_796_000_000_000
export const ISSUER = 'https://id.example'
export const AUDIENCE = 'https://api.example'
export const KEYS_URL = 'https://id.example/keys'

/** A pair of keys with its name. */
export interface TestKey {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
}

export function makeKey(algorithm: Algorithm, kid: string): TestKey {
  const { privateKey, publicKey } = (() => {
    switch (algorithm) {
      case 'RS256':
      case 'PS256':
        return generateKeyPairSync('rsa', { modulusLength: 2048 })
      case 'ES256':
        return generateKeyPairSync('ec', { namedCurve: 'P-256' })
      case 'ES384':
        return generateKeyPairSync('ec', { namedCurve: 'P-384' })
      case 'EdDSA':
        return generateKeyPairSync('ed25519')
    }
  })()
  return { kid, algorithm, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid } }
}

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs any two texts or values as a token: right ones and wrong ones alike. */
export function signed(key: TestKey, header: unknown, claims: unknown): string {
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${signatureOf(key, text).toString('base64url')}`
}

function signatureOf({ algorithm, privateKey }: TestKey, text: string): Buffer {
  const bytes = Buffer.from(text)
  switch (algorithm) {
    case 'RS256':
      return sign('sha256', bytes, privateKey)
    case 'PS256':
      return sign('sha256', bytes, { key: privateKey, padding: 6, saltLength: 32 })
    case 'ES256':
      return sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    case 'ES384':
      return sign('sha384', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    case 'EdDSA':
      return sign(null, bytes, privateKey)
  }
}

/** The claims of a token that is right in everything. */
export const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'person_1',
  org: 'org_1',
  scope: 'orders:read',
  jti: 'token_1',
  iat: NOW / 1000 - 10,
  exp: NOW / 1000 + 300,
} as const

/** A token that is right, but for what is said otherwise. */
export function token(
  key: TestKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): string {
  return signed(key, { alg: key.algorithm, typ: 'at+jwt', kid: key.kid, ...header }, { ...CLAIMS, ...claims })
}

/** A network on which addresses answer as they are told, and what was asked of it. */
export interface Network {
  readonly fetch: typeof globalThis.fetch
  readonly asked: { readonly url: string; readonly init: RequestInit }[]
  /** What an address answers from now on; a promise lets it wait, an error makes it unreachable. */
  readonly answers: Map<string, (init: RequestInit) => Response | Promise<Response>>
}

export function network(): Network {
  const asked: Network['asked'] = []
  const answers: Network['answers'] = new Map()
  return {
    asked,
    answers,
    fetch: async (url, init = {}) => {
      asked.push({ url: String(url), init })
      const answer = answers.get(String(url))
      if (!answer) throw new TypeError('fetch failed')
      return answer(init)
    },
  }
}

/** A network with the keys of an issuer. */
export function publishing(...keys: readonly TestKey[]): Network {
  const made = network()
  made.answers.set(KEYS_URL, () => Response.json({ keys: keys.map(({ jwk }) => jwk) }))
  return made
}
