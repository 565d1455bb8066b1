// What is asked of a server whose policy nobody knows: few requests, none of which changes anything, for as many kinds
// of answers as they can bring.

import type { ProbeRequest } from '../../guard/control.ts'
import type { Context } from './context.ts'
import { type Variant, variantsFor } from './judge-cors.ts'

/** One request of a grade. */
export interface GradeRequest {
  readonly name: string
  readonly request: ProbeRequest
  /** What its answer is taken for; by its status and type where nothing is said. */
  readonly context?: Context
  readonly variant?: Variant
  /** True where the credentials of the command go along. */
  readonly authenticated: boolean
}

// A path that no API has.
const NOWHERE = '/sallyport-grade/no-such-path'

/**
 * The requests for some paths.
 *
 * @param headers that every request carries: credentials, an Accept
 */
export function gradeRequests(
  host: string,
  paths: readonly string[],
  headers: readonly (readonly [name: string, value: string])[],
): readonly GradeRequest[] {
  const authenticated = headers.some(([name]) => /^(?:authorization|cookie|x-api-key)$/i.test(name))
  const [first = '/'] = paths
  const ask = (
    method: string,
    path: string,
    more: readonly (readonly [string, string])[] = [],
  ): ProbeRequest => ({
    method,
    path,
    headers: [...headers, ...more],
  })
  const one = (name: string, request: ProbeRequest, more: Partial<GradeRequest> = {}): GradeRequest => ({
    name,
    request,
    authenticated,
    ...more,
  })
  const preflight: readonly (readonly [string, string])[] = [
    ['Origin', 'https://sallyport-probe.invalid'],
    ['Access-Control-Request-Method', 'POST'],
    ['Access-Control-Request-Headers', 'authorization'],
  ]
  return [
    ...paths.flatMap((path) => [
      one(`GET ${path}`, ask('GET', path)),
      one(`HEAD ${path}`, ask('HEAD', path)),
    ]),
    one(`GET ${first} again`, ask('GET', first)),
    one('a path that is not there', ask('GET', NOWHERE)),
    one('a method that nobody has', ask('PROPFIND', first)),
    one('TRACE', ask('TRACE', first, [['X-Sallyport', 'echo']])),
    one('malformed percent-encoding', ask('GET', '/%E0%A4%A')),
    one('a query with quotes', ask('GET', `${first}${first.includes('?') ? '&' : '?'}id='"`)),
    one('a preflight of a stranger', ask('OPTIONS', first, preflight), { context: 'preflight' }),
    one(
      'a redirect to elsewhere',
      ask(
        'GET',
        `${first}${first.includes('?') ? '&' : '?'}next=https://sallyport-probe.invalid&url=https://sallyport-probe.invalid&redirect=https://sallyport-probe.invalid`,
      ),
    ),
    ...variantsFor(host).map((variant) =>
      one(`from ${variant.name}`, ask('GET', first, [['Origin', variant.origin]]), { variant }),
    ),
    one(
      'a request line that is none',
      { raw: 'GARBAGE\r\n\r\n' },
      { context: 'refusal', authenticated: false },
    ),
    one(
      'a request without Host',
      { raw: 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n' },
      { context: 'refusal', authenticated: false },
    ),
    one(
      'a head that is too large',
      {
        raw: `GET / HTTP/1.1\r\nHost: {host}\r\nX-Large: ${'x'.repeat(70_000)}\r\nConnection: close\r\n\r\n`,
      },
      { context: 'refusal', authenticated: false },
    ),
    one(
      'an expectation that nobody meets',
      { raw: 'GET / HTTP/1.1\r\nHost: {host}\r\nExpect: the-impossible\r\nConnection: close\r\n\r\n' },
      { context: 'refusal', authenticated: false },
    ),
    one(
      'security.txt',
      { method: 'GET', path: '/.well-known/security.txt', headers: [] },
      { authenticated: false },
    ),
  ]
}
