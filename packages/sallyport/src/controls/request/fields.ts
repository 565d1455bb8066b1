// The few header fields on which framing, routing and identity depend: which they are, and what may stand in them.

import type { Exchange } from '../../guard/exchange.ts'

/** A field that may stand in one line only. */
export const ONCE = 1
export const HOST = (1 << 1) | ONCE
export const CONTENT_LENGTH = (1 << 2) | ONCE
export const TRANSFER_ENCODING = (1 << 3) | ONCE
export const EXPECT = (1 << 4) | ONCE
/** RFC 6265, section 5.4: one line. Servers take the first, the last or both; HTTP/2 may split it (RFC 9113, 8.2.3). */
export const COOKIE = (1 << 5) | ONCE
export const CONNECTION = 1 << 6
export const UPGRADE = 1 << 7
export const FORBIDDEN = 1 << 8
const AUTHORIZATION = (1 << 9) | ONCE
const CONTENT_TYPE = (1 << 10) | ONCE
const CONTENT_ENCODING = (1 << 11) | ONCE
const ORIGIN = (1 << 12) | ONCE
const FETCH_SITE = (1 << 13) | ONCE
const PREFLIGHT_METHOD = (1 << 14) | ONCE

/**
 * The bit of a field, 0 for all others. Length and first letter come first: a usual request pays for string
 * comparison at its few important fields only.
 */
export function fieldOf(name: string): number {
  const first = name.charCodeAt(0) | 32
  switch (name.length) {
    case 4:
      return first === 104 && is(name, 'host', 'Host') ? HOST : 0
    case 6:
      if (first === 99) return is(name, 'cookie', 'Cookie') ? COOKIE : 0
      if (first === 111) return is(name, 'origin', 'Origin') ? ORIGIN : 0
      return first === 101 && is(name, 'expect', 'Expect') ? EXPECT : 0
    case 7:
      return first === 117 && is(name, 'upgrade', 'Upgrade') ? UPGRADE : 0
    case 10:
      return first === 99 && is(name, 'connection', 'Connection') ? CONNECTION : 0
    case 12:
      return first === 99 && is(name, 'content-type', 'Content-Type') ? CONTENT_TYPE : 0
    case 13:
      return first === 97 && is(name, 'authorization', 'Authorization') ? AUTHORIZATION : 0
    case 14:
      if (first === 99) return is(name, 'content-length', 'Content-Length') ? CONTENT_LENGTH : 0
      if (first === 115) return is(name, 'sec-fetch-site', 'Sec-Fetch-Site') ? FETCH_SITE : 0
      return first === 104 && is(name, 'http2-settings', 'HTTP2-Settings') ? FORBIDDEN : 0
    case 16:
      return first === 99 && is(name, 'content-encoding', 'Content-Encoding') ? CONTENT_ENCODING : 0
    case 17:
      return first === 116 && is(name, 'transfer-encoding', 'Transfer-Encoding') ? TRANSFER_ENCODING : 0
    case 29:
      return first === 97 && is(name, 'access-control-request-method', 'Access-Control-Request-Method')
        ? PREFLIGHT_METHOD
        : 0
    default:
      return 0
  }
}

function is(name: string, lower: string, usual: string): boolean {
  return name === usual || name === lower || name.toLowerCase() === lower
}

// Not by `toLowerCase`, which takes the Kelvin sign for a "k".
const OPTION = /^(?:close|keep-alive|upgrade|te|)$/i
const CHUNKED = /^chunked$/i

/**
 * True where `Connection` names nothing but itself: any other option would have an intermediary remove the header it
 * names, such as `Connection: Authorization` (CVE-2026-33805, CVE-2022-31813) or `Content-Length` (CVE-2026-6338).
 */
export function isConnection(value: string): boolean {
  if (value === 'keep-alive' || value === 'close') return true
  // RFC 9110, section 5.6.1.2: empty elements are read over.
  return value.split(',').every((option) => OPTION.test(option.trim()))
}

/** True where `Upgrade` asks for HTTP/2 in clear, which no current client needs (RFC 9113, section 3.1 dropped it). */
export function asksForH2c(value: string): boolean {
  return value.split(',').some((protocol) => /^h2c?(?:\/|$)/i.test(protocol.trim()))
}

/**
 * True where a request asks to become a WebSocket and nothing else (RFC 6455, section 4.1).
 *
 * @param upgrade the value of `Upgrade`
 */
export function isWebSocket({ incoming }: Exchange, upgrade: string): boolean {
  return (
    incoming.method === 'GET' &&
    incoming.httpVersion === '1.1' &&
    WEBSOCKET.test(upgrade) &&
    UPGRADE_OPTION.test(incoming.header('connection') ?? '')
  )
}

const WEBSOCKET = /^websocket$/i
const UPGRADE_OPTION = /(?:^|,)[\t ]*upgrade[\t ]*(?:,|$)/i

/** The length, or -1 for what is not plain digits without leading zeros (RFC 9110, section 8.6). */
export function contentLength(value: string): number {
  const { length } = value
  if (length === 0 || length > 15 || (length > 1 && value.charCodeAt(0) === 48)) return -1
  let bytes = 0
  for (let i = 0; i < length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    bytes = bytes * 10 + digit
  }
  return bytes
}

/** True for the one transfer coding that bodies are framed by. */
export function isChunked(value: string): boolean {
  return value === 'chunked' || CHUNKED.test(value)
}
