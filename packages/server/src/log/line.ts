// One request as one line of JSON, by OpenTelemetry's names. What a caller sends can't break out of its field or its
// line, and neither queries nor credentials are written.

import type { Observation } from './observation.ts'

/** So much of a caller's text is kept; characters. */
const MAX_TEXT = 1_024

// A key that stood in the path was exposed by whoever sent it; the log must not expose it to more. Underscores may be
// escaped, once or twice.
const UNDERSCORE = '(?:_|%(?:25){0,2}5[Ff])'
const KEY = new RegExp(
  `([sp]k${UNDERSCORE}[a-z0-9]{2,20}${UNDERSCORE}(?:live|test)${UNDERSCORE})[A-Za-z0-9%]{4,}`,
  'g',
)

function withoutKeys(path: string): string {
  return path.includes('k_') || path.includes('k%') ? path.replace(KEY, '$1…') : path
}

/** The line, with its end. */
export function accessLine(seen: Observation): string {
  const { exchange } = seen
  const { client, cell, incoming } = exchange
  // OpenTelemetry's word for a method that is not known: where nothing could be read, there is none.
  const method = incoming.method === '' ? '_OTHER' : incoming.method
  let line = `{"timestamp":"${timestamp(seen.endedAtMs)}","http.request.method":${quoted(method)}`
  line += `,"url.path":${quoted(withoutKeys(exchange.path))},"http.route":${quoted(cell.id)}`
  if (seen.status > 0) line += `,"http.response.status_code":${seen.status}`
  if (client.address !== undefined) line += `,"client.address":${quoted(client.address)}`
  if (client.viaProxy && incoming.peer !== undefined)
    line += `,"network.peer.address":${quoted(incoming.peer)}`
  if (incoming.httpVersion !== '') line += `,"network.protocol.version":"${incoming.httpVersion}"`
  if (seen.tlsVersion !== undefined) line += `,"tls.protocol.version":"${seen.tlsVersion}"`
  const { clientCertificate: certificate } = incoming
  if (certificate !== undefined)
    line += `,"tls.client.subject":${quoted(certificate.subject)},"tls.client.hash.sha256":"${certificate.fingerprint}"`
  line += `,"http.server.request.duration":${seconds(seen.durationMs)}`
  if (seen.requestBytes !== undefined) line += `,"http.request.size":${seen.requestBytes}`
  if (seen.responseBytes !== undefined) line += `,"http.response.size":${seen.responseBytes}`
  if (exchange.requestId !== '') line += `,"http.request.id":"${exchange.requestId}"`
  const { traceparent } = exchange
  if (traceparent !== undefined)
    line += `,"trace_id":"${traceparent.slice(3, 35)}","span_id":"${traceparent.slice(36, 52)}"`
  line += `,"sallyport.decision":"${seen.decision}"`
  if (seen.rule !== undefined) line += `,"sallyport.rule":"${seen.rule}"`
  if (seen.code !== undefined) line += `,"sallyport.code":"${seen.code}"`
  if (seen.error !== undefined) line += `,"error.type":${quoted(seen.error)}`
  return `${line}}\n`
}

// `toFixed` costs more than the rest of the line.
function seconds(milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1_000)
  const whole = Math.floor(microseconds / 1_000_000)
  return `${whole}.${String(1_000_000 + microseconds - whole * 1_000_000).slice(1)}`
}

// All that JSON asks for, all controls, and the two line ends that only some readers know (U+2028, U+2029); lone halves of
// a surrogate pair are not UTF-8.
const UNSAFE = /[\u0000-\u001f"\\\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff]/
const UNSAFE_ALL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff"\\]/g

/** A text in quotes, whatever it holds. */
export function quoted(text: string): string {
  const kept = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
  if (!UNSAFE.test(kept)) return `"${kept}"`
  return `"${kept.replace(UNSAFE_ALL, (c) =>
    c === '"' || c === '\\' ? `\\${c}` : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )}"`
}

let second = -1
let secondText = ''

/** RFC 3339 in UTC, with milliseconds. Made anew once a second: to format a date costs more than the rest of the line. */
function timestamp(milliseconds: number): string {
  const at = Math.floor(milliseconds / 1_000)
  if (at !== second) {
    second = at
    secondText = new Date(at * 1_000).toISOString().slice(0, 20)
  }
  const rest = Math.floor(milliseconds) - at * 1_000
  return `${secondText}${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`
}
