// What went wrong behind the gateway, for two readers: a code for the caller, a reason for the operator.

import type { ErrorCode } from 'sallyport/node'

const TIMEOUTS: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

/** The code by which a caller learns of an upstream's failure. */
export function codeOfFailure(reason: string): ErrorCode {
  return TIMEOUTS.has(reason) ? 'upstream_timeout' : 'upstream_failed'
}

/** An error's code, never its message: messages can carry what the upstream sent. */
export function reasonOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  if (typeof code === 'string') return code
  return typeof name === 'string' ? name : 'unknown'
}

/** True for the answers by which a server in the middle says that it got none itself, or can give none now. */
export function isGatewayStatus(status: number): boolean {
  return status >= 502 && status <= 504
}

const NOT_OF_UPSTREAM: ReadonlySet<string> = new Set([
  'ERR_CLIENT_STALLED',
  'ERR_UPLOAD_SLOW',
  'ERR_GATEWAY_CLOSING',
  'ERR_TRANSFER_OVER',
])

/** False for what a client or the gateway itself has brought about. */
export function isOfUpstream(reason: string): boolean {
  return !NOT_OF_UPSTREAM.has(reason)
}

// The other side has closed the connection.
const BROKEN: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'ERR_UPSTREAM_RESET',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
])

/** True where the other side has closed the connection. Silence is no such thing: the request may be in work. */
export function isBroken(reason: string): boolean {
  return BROKEN.has(reason)
}

/**
 * True where the failure of a request that was sent says something of the whole address: no answer, or that of a server in
 * the middle. A wrong answer may be that of one path, for which a caller can ask on purpose.
 */
export function isOfAddress(reason: string): boolean {
  return BROKEN.has(reason) || TIMEOUTS.has(reason) || reason.startsWith('status_')
}

/** What a transfer that is over tells undici. */
export class TransferOver extends Error {
  readonly code = 'ERR_TRANSFER_OVER'
  constructor() {
    super('this transfer is over')
  }
}
