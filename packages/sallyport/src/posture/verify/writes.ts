// Which requests may change something, and what is asked in their place.
//
// Judged so: GET, HEAD, OPTIONS, TRACE and CONNECT ask for no change. Raw bytes whose framing RFC 9112 forbids (two
// lengths, a length beside chunks, no Host) are refused by every parser before a handler can run, and carry no body. A
// body that is only announced, and too long, is refused by a guard; a server without one may run its handler without
// the body, so such a request counts as a write. A request that the policy's own pages refuse reaches no handler.

import type { ProbeRequest } from '../../guard/control.ts'
import { methodOf } from '../wire/request.ts'
import type { Oracle } from './oracle.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'BREW', 'GARBAGE'])

// Nothing but our own pages is there.
const OWN_PAGES = '/.well-known/problems/'

/** True where a server that does not enforce the policy could change something. */
export function isWrite(request: ProbeRequest, oracle: Oracle): boolean {
  if (SAFE.has(methodOf(request))) return false
  if (!('raw' in request)) return !request.path.startsWith(OWN_PAGES)
  const { verdict } = oracle.foresee(request, true)
  return !(verdict?.denied === true && verdict.status === 400 && / \/ HTTP\/1\.1\r\n/.test(request.raw))
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
