// The head of the request that goes to the upstream: the client's own fields, less what may not pass, and the facts
// that only the gateway can know.

import type { Exchange } from 'sallyport/node'
import { requestFate } from './field-names.ts'

/** What the upstream is asked. */
export interface RequestHead {
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: BodyFraming
}

/** How the request's body is framed: none, a known number of bytes, or chunks. */
type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }

const NO_BODY: BodyFraming = { kind: 'none' }
const CHUNKED: BodyFraming = { kind: 'chunked' }

/** Works out what goes to the upstream. */
export function requestHead(exchange: Exchange): RequestHead {
  const { rawHeaders } = exchange.incoming
  const nominated = nominatedNames(exchange.header('connection'))
  const replaced = replacedNames(exchange)
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    switch (requestFate(name)) {
      case 'drop':
      case 'traceparent':
        continue
      case 'cookie':
        if (exchange.cookiesIgnored) continue
        break
      case 'tracestate':
        if (!continuesTrace(exchange)) continue
        break
      case 'x-request-id':
        if (exchange.requestId !== '') continue
    }
    if (nominated?.has(name.toLowerCase()) || replaced?.has(name.toLowerCase())) continue
    headers.push(name, rawHeaders[i + 1]!)
  }
  addOwn(headers, exchange)
  const body = bodyFraming(exchange)
  if (body.kind === 'length') headers.push('Content-Length', String(body.bytes))
  return { headers, body }
}

// Trace Context, section 3.5: the state belongs to its trace, and a trace begun here has none yet.
function continuesTrace(exchange: Exchange): boolean {
  const { client, traceparent } = exchange
  return client.viaProxy && traceparent?.slice(3, 35) === exchange.header('traceparent')?.slice(3, 35)
}

function addOwn(headers: string[], exchange: Exchange): void {
  const { client, requestId, traceparent } = exchange
  if (client.address !== undefined) headers.push('X-Forwarded-For', client.address)
  // Behind a front whose word is not taken nobody here knows the scheme, and a guess would be taken for a fact.
  if (client.scheme !== 'unknown') headers.push('X-Forwarded-Proto', client.scheme)
  if (client.host !== undefined && client.host !== '') headers.push('X-Forwarded-Host', client.host)
  if (requestId !== '') headers.push('X-Request-Id', requestId)
  if (traceparent !== undefined) headers.push('Traceparent', traceparent)
  const certificate = exchange.incoming.clientCertificate?.forwarded
  if (certificate !== undefined) headers.push('Client-Cert', certificate)
  for (const [name, value] of exchange.upstreamLines) headers.push(name, value)
}

function replacedNames({ upstreamLines }: Exchange): ReadonlySet<string> | undefined {
  return upstreamLines.length === 0 ? undefined : new Set(upstreamLines.map(([name]) => name.toLowerCase()))
}

// RFC 9112, section 6: Node's parser has refused both together, repeated lengths and other codings.
function bodyFraming(exchange: Exchange): BodyFraming {
  if (exchange.header('transfer-encoding') !== undefined) return CHUNKED
  const length = exchange.header('content-length')
  if (length === undefined) return NO_BODY
  return { kind: 'length', bytes: Number(length) }
}

/** The field names that a `Connection` header nominates (RFC 9110, section 7.6.1); `undefined` where there are none. */
export function nominatedNames(connection: string | undefined): ReadonlySet<string> | undefined {
  // What nearly everybody sends nominates nothing.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  const names = new Set<string>()
  for (const part of connection.split(',')) {
    const name = part.trim().toLowerCase()
    // Nominating these would take the credential or the caller away on the way (CVE-2026-33805 and its like).
    if (name !== '' && !KEPT.has(name)) names.add(name)
  }
  return names.size === 0 ? undefined : names
}

const KEPT: ReadonlySet<string> = new Set(['close', 'keep-alive', 'authorization', 'cookie', 'content-type'])
