// The kinds of answers, told from the bytes of the request and the head of the answer. Written for the mutator alone, so
// that a mistake in how a verification sorts its answers is not repeated here.

import type { Line } from './mutation.ts'
import { valuesIn } from './mutation.ts'

const REQUEST_LINE = /^([A-Z]{1,20}) (\S+) HTTP\/1\.[01]\r\n/
const BY_STATUS: Readonly<Record<number, string>> = {
  304: '304',
  401: '401',
  403: '403',
  404: '404',
  405: '405',
  413: '413',
  414: '414',
  417: '417',
  431: '431',
}

/** The method and target of a request line; empty where it has none. */
export function requestLine(request: string): { readonly method: string; readonly path: string } {
  const [, method = '', path = ''] = REQUEST_LINE.exec(request) ?? []
  return { method, path }
}

/** The header lines of a request's head, as far as they can be read. */
export function requestLines(request: string): readonly Line[] {
  const head = request.split('\r\n\r\n', 1)[0]!
  return head
    .split('\r\n')
    .slice(1)
    .flatMap((line) => {
      const colon = line.indexOf(':')
      return colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()] as const]
    })
}

/** True where two programs may read the path differently. */
function isDoubtful(target: string): boolean {
  const path = target.split('?', 1)[0]!
  return /\/\/|\\|;|\/\.\.?(?:\/|$)|%2e|%2f|%5c|%00|%3b|%(?![0-9a-f]{2})/i.test(path)
}

/** The kind of an answer. */
export function kindOf(request: string, status: number, lines: readonly Line[]): string {
  const { method, path } = requestLine(request)
  const asked = requestLines(request)
  const hosts = valuesIn(asked, 'host').length
  if (method === '' || hosts !== 1) return 'parser'
  if (method === 'TRACE' || method === 'TRACK' || method === 'CONNECT') return 'refused-method'
  if (isDoubtful(path)) return 'doubtful-path'
  if (
    method === 'OPTIONS' &&
    valuesIn(asked, 'origin').length > 0 &&
    valuesIn(asked, 'access-control-request-method').length > 0
  )
    return valuesIn(lines, 'access-control-allow-origin').length > 0
      ? 'preflight-allowed'
      : 'preflight-denied'
  if (path.startsWith('/.well-known/problems/') && status < 400) return 'problem-page'
  if (path.startsWith('/.well-known/') && status < 400) return 'well-known'
  const known = BY_STATUS[status]
  if (known !== undefined) return known
  if (status >= 500) return 'error'
  if (status >= 400) return '400'
  if (status >= 300) return 'redirect'
  if (method === 'HEAD') return 'head'
  if (/^text\/event-stream/i.test(valuesIn(lines, 'content-type')[0] ?? '')) return 'sse'
  return '200'
}
