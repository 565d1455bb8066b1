// The digest by which a token is remembered: the token itself is never kept.

import type * as NodeCrypto from 'node:crypto'
import { toBase64url } from './base64url.ts'

type BuiltIns = { readonly process?: { getBuiltinModule?(name: string): unknown } }

// Node's own hash answers at once, where WebCrypto would make every request wait.
let native: Pick<typeof NodeCrypto, 'hash'> | undefined
let isAsked = false

function nativeHash(): typeof native {
  if (!isAsked) {
    isAsked = true
    const found = (globalThis as BuiltIns).process?.getBuiltinModule?.('node:crypto') as typeof native
    native = typeof found?.hash === 'function' ? found : undefined
  }
  return native
}

/** SHA-256 in base64url; at once where the runtime can. */
export function tokenDigest(token: string): string | Promise<string> {
  const hash = nativeHash()
  if (hash) return hash.hash('sha256', token, 'base64url')
  return crypto.subtle
    .digest('SHA-256', new TextEncoder().encode(token))
    .then((bytes) => toBase64url(new Uint8Array(bytes)))
}
