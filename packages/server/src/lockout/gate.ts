// A sign-in on its way to the upstream: its body, which is held here, is read for the name, and the guess is counted before
// the upstream hears of it.

import type { Denial, Exchange } from 'sallyport/node'

// What asks for no change is no sign-in (RFC 9110, section 9.2.1).
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Judges a request that may be a sign-in.
 *
 * @param body all of it; `undefined` where it did not end within what is held
 * @returns nothing where it is no sign-in; else a denial or leave to go on, later
 */
export function judgeSignIn(
  exchange: Exchange,
  body: Uint8Array | undefined,
): Promise<Denial | undefined> | undefined {
  const { signIn } = exchange
  if (signIn === undefined || SAFE.has(exchange.incoming.method)) return undefined
  if (body === undefined || body.length > signIn.maxBodyBytes)
    return Promise.resolve({ kind: 'deny', code: 'body_too_large' })
  const found = signIn.nameIn(body)
  return 'code' in found ? Promise.resolve({ kind: 'deny', code: found.code }) : signIn.attempt(found.name)
}
