// The classes of answers that a server gives, and how each is told from an answer. A class that nothing provoked is
// "not seen", never passed.

import { headerValues } from '../../controls/faces.ts'
import type { ProbeRequest } from '../../guard/control.ts'
import type { WireAnswer } from '../wire/send.ts'

/** Every class, in the order of the report. */
export const CLASSES = {
  '200': 'success',
  head: 'HEAD',
  '304': 'not modified',
  redirect: 'redirect',
  '404': 'not found',
  '405': 'wrong method',
  error: 'server error, such as a thrown one',
  'bad-request': 'request refused',
  'bad-json': 'broken JSON',
  'bad-media-type': 'wrong media type',
  oversize: 'body too large',
  'bad-percent': 'broken percent-encoding',
  '401': 'no credential',
  '403': 'not allowed',
  '429': 'too many requests',
  sse: 'event stream',
  download: 'file download',
  options: 'OPTIONS that is no preflight',
  'preflight-allowed': 'preflight, allowed',
  'preflight-denied': 'preflight, denied',
  http2: 'over HTTP/2',
  'bad-request-line': 'garbage instead of a request line',
  'bad-header-name': 'a header name with a space',
  'headers-too-large': 'headers too large',
  'target-too-long': 'target too long',
  'no-host': 'no Host',
  'two-hosts': 'two Hosts',
  'length-and-chunked': 'Content-Length beside Transfer-Encoding',
  'unknown-expect': 'unknown Expect',
  'bare-lf': 'line feeds alone',
  'unknown-method': 'unknown method',
  trace: 'TRACE',
  connect: 'CONNECT',
  'slow-head': 'head never completed',
  'plain-http': 'plain HTTP',
  'tls-versions': 'TLS versions and certificate',
} as const

export type ClassId = keyof typeof CLASSES

/** What must be said where a class was not seen, for those that need a hint. */
export const HINTS: Readonly<Partial<Record<ClassId, string>>> = {
  '200': 'no path answered so; name one with --path 200=/v1/…',
  '304': 'no answer had an ETag or Last-Modified; name a path with --path 304=/v1/…',
  redirect: 'no answer redirected; name a path with --path redirect=/…',
  error: 'no answer failed; name a path that fails with --path error=/…',
  'bad-json': 'needs --allow-writes and --path bad-json=/v1/…',
  'bad-media-type': 'needs --allow-writes and --path bad-media-type=/v1/…',
  oversize: 'the policy limits no body, or nothing refused one',
  '401': 'no answer asked for a credential; name a path with --path 401=/v1/…',
  '403': 'no answer said so; name a path with --path 403=/v1/…',
  '429':
    'limits are not provoked without consent; use up the smallest bucket with --provoke-limits, or name a path that is over its limit with --path 429=/v1/…',
  sse: 'no route is declared as a stream, or none answered; name one with --path sse=/v1/…',
  download: 'no answer was a file; name one with --path download=/…',
  '405': 'nothing answered 405 or 501',
  http2: 'the server offers no HTTP/2',
  'slow-head': 'only with --profile full',
  'plain-http': 'the target has no other port; name one with --plain-port',
  'tls-versions': 'the target is not https',
}

/** Classes that a sample path may be named for. */
export const SAMPLE_CLASSES: readonly ClassId[] = [
  '200',
  '304',
  'redirect',
  '404',
  '405',
  'error',
  'bad-json',
  'bad-media-type',
  '401',
  '403',
  '429',
  'sse',
  'download',
]

// What was sent decides; the status does not.
const BY_REQUEST: ReadonlySet<ClassId> = new Set<ClassId>([
  'bad-request-line',
  'bad-header-name',
  'headers-too-large',
  'target-too-long',
  'no-host',
  'two-hosts',
  'length-and-chunked',
  'unknown-expect',
  'bare-lf',
  'unknown-method',
  'trace',
  'connect',
  'slow-head',
  'plain-http',
  'bad-percent',
  'http2',
])

// A refusal of one of these statuses is what the class is about.
const BY_BOTH: Readonly<Partial<Record<ClassId, (status: number) => boolean>>> = {
  'bad-json': (status) => status >= 400 && status < 500,
  'bad-media-type': (status) => status >= 400 && status < 500,
  oversize: (status) => status === 413,
}

/** The class of an answer; `meant` is what the request was sent for. */
export function classOf(request: ProbeRequest, answer: WireAnswer, meant: ClassId | undefined): ClassId {
  if (meant !== undefined && (BY_REQUEST.has(meant) || BY_BOTH[meant]?.(answer.status))) return meant
  const { status } = answer
  if (!('raw' in request)) {
    const has = (name: string) => request.headers.some(([key]) => key.toLowerCase() === name)
    if (request.method === 'OPTIONS') {
      if (!has('origin') || !has('access-control-request-method')) return 'options'
      return status >= 200 && status < 300 ? 'preflight-allowed' : 'preflight-denied'
    }
    if (request.method === 'HEAD') return 'head'
    if (request.method === 'TRACE') return 'trace'
  }
  if (status === 304) return '304'
  if (status >= 300 && status < 400) return 'redirect'
  if (status >= 500) return status === 501 ? '405' : 'error'
  if (status >= 400) return BY_STATUS[status] ?? 'bad-request'
  if (/^text\/event-stream/i.test(headerValues(answer, 'content-type')[0] ?? '')) return 'sse'
  return /^[ \t]*attachment/i.test(headerValues(answer, 'content-disposition')[0] ?? '') ? 'download' : '200'
}

const BY_STATUS: Readonly<Record<number, ClassId>> = {
  401: '401',
  403: '403',
  404: '404',
  405: '405',
  413: 'oversize',
  415: 'bad-media-type',
  429: '429',
}
