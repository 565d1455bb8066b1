// Which requests may change something, and what is asked in their place.
//
// Judged so: GET, HEAD, OPTIONS, TRACE and CONNECT ask for no change. Raw bytes that are no request, or whose length RFC
// 9112 forbids (two lengths, a length beside chunks), are refused by parsers before a handler can run, and carry no
// body. Whatever else only a guard refuses (a body that is announced and too long, an odd transfer coding) may reach the
// handler of a server without one, and counts as a write. What the policy's own pages refuse reaches no handler.

import type { ProbeRequest } from '../../guard/control.ts'
import { methodOf } from '../wire/request.ts'
import type { Oracle } from './oracle.ts'
import { readRaw } from './raw-request.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'BREW', 'GARBAGE'])

// Nothing but our own pages is there.
const OWN_PAGES = '/.well-known/problems/'

/** True where a server that does not enforce the policy could change something. */
export function isWrite(request: ProbeRequest): boolean {
  if (SAFE.has(methodOf(request))) return false
  if (!('raw' in request)) return !request.path.startsWith(OWN_PAGES)
  const { raw } = request
  const lengths = raw.match(/\r\ncontent-length:/gi)?.length ?? 0
  const isRefused = lengths > 1 || (lengths === 1 && /\r\ntransfer-encoding:/i.test(raw))
  return !isRefused && readRaw(raw, 'api.example') !== undefined
}

/** The same question without the danger; `undefined` where there is none. */
export function withoutWrite(request: ProbeRequest, oracle: Oracle): ProbeRequest | undefined {
  if ('raw' in request) {
    const asGet = { raw: request.raw.replace(/^[A-Z]+ /, 'GET ') }
    // Only where the same cell judges it.
    return oracle.cellOf(asGet) === oracle.cellOf(request) ? asGet : undefined
  }
  // A preflight is judged in the cell of the request that it announces, and its answer carries the cell's lines.
  if (request.headers.length > 0 || request.body !== undefined) return undefined
  return {
    method: 'OPTIONS',
    path: request.path,
    headers: [
      ['Origin', 'https://sallyport-probe.invalid'],
      ['Access-Control-Request-Method', request.method],
    ],
  }
}
