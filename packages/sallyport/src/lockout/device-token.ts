// Device tokens (OWASP, "device cookies"): a browser that has signed in with a name may go on guessing on a count of its
// own, so that strangers can't lock its owner out. A token is good for one name and for nothing else.

import type { GuessDevice } from '../ports/lockouts.ts'

/** The cookie's name. The prefix binds it to this host, to HTTPS and to every path (RFC 6265bis, section 4.1.3.2). */
export const DEVICE_COOKIE = '__Host-sallyport_device'
/** 180 days, in seconds. */
const DEVICE_LIFE_SECONDS = 15_552_000

// generation.seconds.nonce.seal: 128 random bits, HMAC-SHA-256.
const FORM = /^([0-9a-z]{1,7})\.([0-9a-z]{1,8})\.([\w-]{22})\.([\w-]{43})$/
// Clocks of nodes may differ by this much; seconds.
const SKEW_SECONDS = 300

/** Makes and checks tokens under one key. */
export interface DeviceTokens {
  /** @param name the name's digest */
  issue(name: string, generation: number): Promise<string>
  /** The device, where the seal is good for the name and the token has not run out; total. */
  open(name: string, token: string): Promise<GuessDevice | undefined>
}

/** @param key HMAC-SHA-256, used for nothing else */
export function deviceTokens(
  key: CryptoKey,
  clock: () => number,
  random: (bytes: Uint8Array) => Uint8Array,
): DeviceTokens {
  const sealed = (name: string, head: string) => new TextEncoder().encode(`${name}.${head}`)
  return {
    async issue(name, generation) {
      const nonce = base64url(random(new Uint8Array(16)))
      const head = `${generation.toString(36)}.${Math.floor(clock() / 1_000).toString(36)}.${nonce}`
      const seal = await crypto.subtle.sign('HMAC', key, sealed(name, head))
      return `${head}.${base64url(new Uint8Array(seal))}`
    },
    async open(name, token) {
      const [, generation = '', issued = '', nonce = '', seal = ''] = FORM.exec(token) ?? []
      const head = `${generation}.${issued}.${nonce}`
      // WebCrypto compares in constant time.
      const isOurs =
        seal !== '' && (await crypto.subtle.verify('HMAC', key, fromBase64url(seal), sealed(name, head)))
      if (!isOurs) return undefined
      const age = clock() / 1_000 - Number.parseInt(issued, 36)
      if (age < -SKEW_SECONDS || age > DEVICE_LIFE_SECONDS) return undefined
      const digest = await crypto.subtle.digest('SHA-256', sealed(name, head))
      return { digest: base64url(new Uint8Array(digest)), generation: Number.parseInt(generation, 36) }
    },
  }
}

/** The value of `Set-Cookie` that hands a token over; scripts and other sites never see it. */
export function deviceCookie(token: string): string {
  return `${DEVICE_COOKIE}=${token}; Path=/; Max-Age=${DEVICE_LIFE_SECONDS}; Secure; HttpOnly; SameSite=Strict`
}

/** The token in a `Cookie` header; the first of the name where there are several. */
export function deviceTokenIn(cookies: string | undefined): string | undefined {
  for (const pair of (cookies ?? '').split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === DEVICE_COOKIE) return pair.slice(at + 1).trim()
  }
  return undefined
}

/** Base64url without padding (RFC 4648, section 5). */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** Reads base64url. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
}
