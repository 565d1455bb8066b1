// The settings of every TLS connection, and the keys of its tickets: one context for each certificate.

import { constants, randomBytes } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { TicketKeys } from './ticket-keys.ts'

/** The oldest TLS that is spoken. */
export type MinVersion = 'TLSv1.2' | 'TLSv1.3'

/** What a context is made of; PEM. */
export interface ContextMaterial {
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** The authorities of clients. */
  readonly ca?: string
}

/** How long a session can be resumed; seconds. */
const SESSION_SECONDS = 3_600
// A client's certificate is not asked for again while its session lasts, so that one that is taken back still counts.
const AUTHENTICATED_SESSION_SECONDS = 300

/** The options of a context. */
export function contextOptions(
  { cert, key, ca }: ContextMaterial,
  minVersion: MinVersion,
  keys: TicketKeys,
): SecureContextOptions {
  const [{ name, hmac, aes }] = keys.now()
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion,
    // Without the finite-field groups, whose cost a client can make the server pay (CVE-2002-20001).
    ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384',
    // For TLS 1.2, where it is allowed: forward secrecy and AEAD only.
    ciphers: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-RSA-CHACHA20-POLY1305',
    ].join(':'),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    // Node's default is made of the command line, which differs between processes that should resume each other's.
    sessionIdContext: 'sallyport',
    sessionTimeout: ca === undefined ? SESSION_SECONDS : AUTHENTICATED_SESSION_SECONDS,
    // Where this Node has no callback for tickets, the key of the day alone.
    ticketKeys: Buffer.concat([name, hmac, aes]),
  }
}

/** Makes a context whose tickets follow the keys. */
export function makeContext(options: SecureContextOptions, keys: TicketKeys): SecureContext {
  const made = createSecureContext(options)
  followKeys(made, keys)
  return made
}

interface NativeContext {
  enableTicketKeyCallback?(): void
  onticketkeycallback?: (name: Buffer, iv: Buffer, isNew: boolean) => unknown[]
  readonly constructor: { readonly [index: string]: unknown }
}

// OpenSSL's words for a ticket: not ours, ours, ours but of a key that is going.
const UNKNOWN = 0
const OURS = 1
const RENEW = 2

/**
 * Lets a context take tickets of the key before as well, and change keys without being made anew; false where this Node
 * can't. Node's public API holds one key at a time. The callback is not documented, but Node's own tests are built on it;
 * it is used only where the places of its answer are those that we know.
 */
export function followKeys(context: SecureContext, keys: TicketKeys): boolean {
  const native = context.context as NativeContext | undefined
  if (typeof native?.enableTicketKeyCallback !== 'function') return false
  const places = ['Return', 'HMAC', 'AES', 'Name', 'IV'].map(
    (part) => native.constructor[`kTicketKey${part === 'Return' ? 'Return' : part}Index`],
  )
  if (places.some((place, index) => place !== index)) return false
  native.onticketkeycallback = (name, _iv, isNew) => {
    const [current, before] = keys.now()
    // Node reads the keys also where the ticket is not ours.
    if (isNew) return [OURS, current.hmac, current.aes, current.name, randomBytes(16)]
    if (name.equals(current.name)) return [OURS, current.hmac, current.aes]
    if (name.equals(before.name)) return [RENEW, before.hmac, before.aes]
    return [UNKNOWN, current.hmac, current.aes]
  }
  native.enableTicketKeyCallback()
  return true
}
