// A browser's side of CORS, written from the Fetch standard (https://fetch.spec.whatwg.org/) alone: may the page read
// the answer, and which of its headers? It shares no code with the control.

/** An answer as it arrives. */
interface Arrived {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** What a page asks its browser for. */
export interface PageRequest {
  /** The page's origin, serialised. */
  readonly origin: string
  readonly method: string
  /** Names of headers that the page sets, all of them CORS-unsafe. */
  readonly unsafeHeaders: readonly string[]
  readonly credentials: 'include' | 'omit'
}

/** Sends one request and gives its answer. */
export type Network = (method: string, headers: readonly (readonly [string, string])[]) => Arrived

/** What the page gets. */
export type Outcome = 'network error' | { readonly status: number; readonly readable: ReadonlySet<string> }

/** "HTTP fetch" for mode "cors", cross-origin. */
export function corsFetch(request: PageRequest, network: Network): Outcome {
  if (isForbiddenMethod(request.method)) throw new TypeError('a browser has refused this method already')
  const method = normalizeMethod(request.method)
  const asked = { ...request, method }
  if (!isSafelistedMethod(method) || request.unsafeHeaders.length > 0) {
    if (corsPreflightFetch(asked, network) === 'network error') return 'network error'
  }
  const cookie: readonly (readonly [string, string])[] =
    request.credentials === 'include' ? [['Cookie', 'session=1']] : []
  const response = network(method, [
    ['Origin', request.origin],
    ...request.unsafeHeaders.map((name) => [name, 'x'] as const),
    ...cookie,
  ])
  if (corsCheck(asked, response) === 'failure') return 'network error'
  return { status: response.status, readable: readableHeaders(asked, response) }
}

/** "CORS check". */
function corsCheck(request: PageRequest, response: Arrived): 'success' | 'failure' {
  // 1.
  const origin = get(response, 'access-control-allow-origin')
  // 2.
  if (origin === null) return 'failure'
  // 3.
  if (request.credentials !== 'include' && origin === '*') return 'success'
  // 4.
  if (request.origin !== origin) return 'failure'
  // 5.
  if (request.credentials !== 'include') return 'success'
  // 6. and 7.
  return get(response, 'access-control-allow-credentials') === 'true' ? 'success' : 'failure'
}

/** "CORS-preflight fetch". */
function corsPreflightFetch(request: PageRequest, network: Network): Arrived | 'network error' {
  const names = [...new Set(request.unsafeHeaders.map((name) => name.toLowerCase()))].sort()
  // 1. to 6.
  const response = network('OPTIONS', [
    ['Accept', '*/*'],
    ['Origin', request.origin],
    ['Access-Control-Request-Method', request.method],
    ...(names.length > 0 ? [['Access-Control-Request-Headers', names.join(',')] as const] : []),
  ])
  // 7. and 8.
  if (corsCheck(request, response) === 'failure' || response.status < 200 || response.status > 299)
    return 'network error'
  // 7.1. to 7.3.
  const methods = extract(response, 'access-control-allow-methods')
  const headerNames = extract(response, 'access-control-allow-headers')
  if (methods === 'failure' || headerNames === 'failure') return 'network error'
  const includes = request.credentials === 'include'
  // 7.5.
  if (
    !methods.includes(request.method) &&
    !isSafelistedMethod(request.method) &&
    (includes || !methods.includes('*'))
  )
    return 'network error'
  const allowed = headerNames.map((name) => name.toLowerCase())
  for (const name of names) {
    // 7.6.: the CORS non-wildcard request-header name.
    if (name === 'authorization' && !allowed.includes(name)) return 'network error'
    // 7.7.
    if (!allowed.includes(name) && (includes || !allowed.includes('*'))) return 'network error'
  }
  return response
}

// "CORS-exposed header-name list" and "CORS filtered response".
function readableHeaders(request: PageRequest, response: Arrived): ReadonlySet<string> {
  const exposed = extract(response, 'access-control-expose-headers')
  const list = exposed === 'failure' ? [] : exposed.map((name) => name.toLowerCase())
  const all = request.credentials !== 'include' && list.includes('*')
  const safe =
    'cache-control content-language content-length content-type expires last-modified pragma'.split(' ')
  const present = response.headers.map(([name]) => name.toLowerCase())
  return new Set(
    present.filter(
      (name) => !/^set-cookie2?$/.test(name) && (all || safe.includes(name) || list.includes(name)),
    ),
  )
}

// "get": the values joined by a comma and a space.
function get(response: Arrived, name: string): string | null {
  const values = response.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? null : values.join(', ')
}

// "extract header list values": a list of tokens (RFC 9110, section 5.6.1), empty where the header is missing.
function extract(response: Arrived, name: string): readonly string[] | 'failure' {
  const value = get(response, name)
  if (value === null) return []
  const items = value
    .split(',')
    .map((item) => item.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((item) => item !== '')
  return items.every((item) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(item)) ? items : 'failure'
}

function isSafelistedMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'POST'
}

function isForbiddenMethod(method: string): boolean {
  return /^(?:connect|trace|track)$/i.test(method)
}

// "normalize": PATCH is not among them.
function normalizeMethod(method: string): string {
  return /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method
}
