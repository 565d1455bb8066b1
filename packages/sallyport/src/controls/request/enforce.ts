// Judges the form of a request in one pass over its header lines. All refusals close the connection: what no ordinary
// client sends leaves it open how the next program along the way has read it, and where its next request begins.

import type { ErrorCode } from '../../errors/catalogue.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { Denial, Needs, Stage, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { lines } from '../../guard/lines.ts'
import { METHODS } from '../../policy/pattern.ts'
import {
  asksForH2c,
  CONNECTION,
  CONTENT_LENGTH,
  COOKIE,
  contentLength,
  EXPECT,
  FORBIDDEN,
  fieldOf,
  HOST,
  isChunked,
  isConnection,
  isWebSocket,
  ONCE,
  TRANSFER_ENCODING,
  UPGRADE,
} from './fields.ts'
import { isHost } from './host.ts'
import { requestDefaults as DEFAULTS, NEVER_ALLOWED, nonCanonicalIn, type RequestSetting } from './setting.ts'
import { isTarget } from './target.ts'

function refusal(code: ErrorCode): Denial {
  return { kind: 'deny', code, close: true }
}

const VERSION = refusal('version_not_supported')
const METHOD_UNKNOWN = refusal('not_implemented')
const TARGET = refusal('target_invalid')
const TARGET_LONG = refusal('target_too_long')
const HEADERS_LARGE = refusal('headers_too_large')
const HOST_WRONG = refusal('host_invalid')
const DUPLICATE = refusal('duplicate_header')
const FRAMING = refusal('ambiguous_framing')
const NOT_ALLOWED = refusal('header_not_allowed')
const EXPECTATION = refusal('expectation_failed')
const BODY_LARGE = refusal('body_too_large')
const PATH = refusal('path_not_canonical')

/** What `request` does in one cell. */
export function compileRequest(setting: RequestSetting, cell: CellInfo, needs: Needs): Stage {
  const {
    maxTargetBytes = DEFAULTS.maxTargetBytes,
    maxHeaderCount = DEFAULTS.maxHeaderCount,
    maxHeaderBytes = DEFAULTS.maxHeaderBytes,
  } = setting
  const methods = new Set<string>([...METHODS, ...(setting.methods ?? [])])
  const maxBodyBytes = setting.maxBodyBytes ?? Number.POSITIVE_INFINITY
  // A control that only reports must not have the adapter cut a body.
  const bodyLimit = setting.mode === 'report' ? undefined : setting.maxBodyBytes
  const refusesPaths = cell.origin === 'strict' && nonCanonicalIn(setting, needs.place) === 'refuse'
  const hidesVersion = needs.place === 'fetch'
  const methodRefused: Denial = {
    ...refusal('method_not_allowed'),
    headers: lines([['Allow', [...methods].join(', ')]]),
  }

  const opensWebSocket = setting.webSocket === true

  // Nearly every request names the same host.
  let lastHost: string | undefined

  function judge(exchange: Exchange): Verdict {
    const { incoming } = exchange
    const raw = incoming.rawHeaders
    const version = incoming.httpVersion
    const isHttp1 = version === '1.1' || version === '1.0'
    if (!isHttp1 && !hidesVersion && !isFramedHttp2(version, raw)) return VERSION
    const { method } = incoming
    // Most requests are GET, which every policy takes.
    if (method !== 'GET' && !methods.has(method))
      return NEVER_ALLOWED.includes(method) ? methodRefused : METHOD_UNKNOWN
    const targetBytes = incoming.target.length
    if (targetBytes > maxTargetBytes) return TARGET_LONG
    if (raw.length > maxHeaderCount * 2) return HEADERS_LARGE

    // The request line, with its two spaces, "HTTP/1.1" and CRLF; then four bytes of punctuation for each line.
    let bytes = method.length + targetBytes + 12 + raw.length * 2
    let found = 0
    let host: string | undefined
    let length = -1
    let upgrade: string | undefined
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!
      const value = raw[i + 1]!
      bytes += name.length + value.length
      const field = fieldOf(name)
      if (field === 0) continue
      const bit = field & ~ONCE
      if ((found & bit) !== 0 && (field & ONCE) !== 0 && (field !== COOKIE || isHttp1))
        return field === CONTENT_LENGTH || field === TRANSFER_ENCODING
          ? FRAMING
          : field === HOST
            ? HOST_WRONG
            : DUPLICATE
      found |= bit
      switch (field) {
        case HOST:
          if (value !== lastHost) {
            if (!isHost(value)) return HOST_WRONG
            lastHost = value
          }
          host = value
          break
        case CONTENT_LENGTH:
          length = contentLength(value)
          if (length < 0) return FRAMING
          break
        case TRANSFER_ENCODING:
          // RFC 9112, section 6.1: not in HTTP/1.0; RFC 9113, section 8.2.2: not in HTTP/2.
          if ((version !== '1.1' && !hidesVersion) || !isChunked(value)) return FRAMING
          break
        case CONNECTION:
          if ((!isHttp1 && !hidesVersion) || !isConnection(value)) return NOT_ALLOWED
          break
        case UPGRADE:
          if (asksForH2c(value)) return NOT_ALLOWED
          upgrade = value
          break
        case FORBIDDEN:
          return NOT_ALLOWED
        case EXPECT:
          if (value !== '100-continue' && value.toLowerCase() !== '100-continue') return EXPECTATION
          break
      }
    }
    if (bytes > maxHeaderBytes) return HEADERS_LARGE
    const isChunkedBody = (found & TRANSFER_ENCODING & ~ONCE) !== 0
    // RFC 9112, section 6.3: the combination is how requests are smuggled.
    if (isChunkedBody && length >= 0) return FRAMING
    if (!isHttp1 && !hidesVersion) {
      const authority = incoming.header(':authority')
      if (authority === undefined) {
        if (host === undefined) return HOST_WRONG
      } else if (!isHost(authority) || (host !== undefined && host.toLowerCase() !== authority.toLowerCase()))
        return HOST_WRONG
      host = authority ?? host
    } else if (host === undefined && version === '1.1' && !hidesVersion) return HOST_WRONG
    if (!isTarget(exchange, host)) return TARGET
    if (refusesPaths && exchange.target !== '*') return PATH
    if (opensWebSocket && upgrade !== undefined) exchange.webSocket = isWebSocket(exchange, upgrade)
    return judgeBody(exchange, isHttp1 && !hidesVersion, isChunkedBody, length)
  }

  function judgeBody(
    exchange: Exchange,
    isHttp1: boolean,
    isChunkedBody: boolean,
    declared: number,
  ): Verdict {
    let length = declared
    if (length < 0 && exchange.incoming.rawHeaders.length === 0) {
      const value = exchange.header('content-length')
      if (value !== undefined) {
        length = contentLength(value)
        if (length < 0) return FRAMING
      }
    }
    if (length > maxBodyBytes) return BODY_LARGE
    // On HTTP/1 a body without a length is chunked; elsewhere any request may turn out to have one.
    if (bodyLimit !== undefined && length < 0 && (isChunkedBody || !isHttp1)) exchange.bodyLimit = bodyLimit
    return undefined
  }

  return { admit: judge }
}

// A parser of HTTP/1 may hand on "HTTP/2.0" from a request line. Only real HTTP/2 and 3 have pseudo-fields, whose
// names no HTTP/1 parser lets pass.
function isFramedHttp2(version: string, raw: readonly string[]): boolean {
  return (
    (version === '2.0' || version === '2' || version === '3.0' || version === '3') &&
    raw.length > 0 &&
    raw[0]!.charCodeAt(0) === 58
  )
}
