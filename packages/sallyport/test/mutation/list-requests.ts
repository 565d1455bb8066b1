// Each refusal of a request, lost: what was refused is answered as if it were a good request.

import { requestLine, requestLines } from './kinds.ts'
import type { Mutation } from './mutation.ts'
import { valuesIn } from './mutation.ts'
import { BODY_LIMIT } from './policies.ts'

const KNOWN = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|TRACK|CONNECT)$/
const path = (request: string) => requestLine(request).path
const values = (request: string, name: string) => valuesIn(requestLines(request), name)
const head = (request: string) => request.split('\r\n\r\n', 1)[0]!

const REFUSED: Readonly<Record<string, (request: string) => boolean>> = {
  trace: (request) => /^TRACE /.test(request),
  connect: (request) => /^CONNECT /.test(request),
  'unknown-method': (request) => /^[A-Z]+ /.test(request) && !KNOWN.test(request.split(' ', 1)[0]!),
  'host-twice': (request) => values(request, 'host').length > 1,
  'host-missing': (request) =>
    /^GET \/\S* HTTP\/1\.1\r\n/.test(request) && values(request, 'host').length === 0,
  'host-malformed': (request) => values(request, 'host').some((host) => !/^[\w.:[\]-]*$/.test(host)),
  'length-and-chunked': (request) =>
    values(request, 'content-length').length > 0 && values(request, 'transfer-encoding').length > 0,
  'length-twice': (request) => new Set(values(request, 'content-length')).size > 1,
  'length-malformed': (request) => values(request, 'content-length').some((length) => !/^\d+$/.test(length)),
  'coding-unknown': (request) =>
    values(request, 'transfer-encoding').some((coding) => coding.toLowerCase() !== 'chunked'),
  'line-feed-alone': (request) => /[^\r]\n/.test(head(request)),
  'folded-line': (request) => /\r\n[ \t]/.test(head(request)),
  'space-before-colon': (request) => /\r\n[\w-]+[ \t]+:/.test(head(request)),
  'name-malformed': (request) => /\r\n[\w-]*[ "(),/<=>?@[\]{}][^:\r]*:/.test(head(request)),
  'nul-in-head': (request) => head(request).includes('\0'),
  'line-malformed': (request) => /^[^ \r\n]+\r\n/.test(request),
  'version-old': (request) => /^GET \S+\r\n/.test(request),
  'version-unknown': (request) => / HTTP\/(?!1\.[01]\r\n)[\d.]+\r\n/.test(request),
  'body-over-limit': (request) =>
    values(request, 'content-length').some((length) => Number(length) > BODY_LIMIT),
  'chunks-over-limit': (request) =>
    values(request, 'transfer-encoding').length > 0 && request.length - head(request).length > BODY_LIMIT,
  'target-too-long': (request) => path(request).length > 8192,
  'too-many-lines': (request) => requestLines(request).length > 100,
  'head-too-large': (request) => head(request).length > 16_384,
  'expectation-unknown': (request) => values(request, 'expect').some((each) => each !== '100-continue'),
  'percent-broken': (request) => /%(?![0-9a-f]{2})/i.test(path(request)),
  'utf-8-broken': (request) => /%(?:e0%a4(?!%[89ab])|c0|ff)/i.test(path(request)),
}

const DOUBTFUL: Readonly<Record<string, RegExp>> = {
  'dot-segments': /\/\.\.?(?:\/|$|\?)/,
  'dot-segments-encoded': /%2e/i,
  'slash-encoded': /%2f/i,
  'slash-twice': /^\/[^?]*\/\/|^\/\//,
  backslash: /\\|%5c/i,
  'nul-in-path': /%00/,
  semicolon: /;/,
}

/** The mutations. */
export function requestMutations(): readonly Mutation[] {
  const lost = (name: string, subject: Mutation['subject'], accepts: (request: string) => boolean) => ({
    id: `request/${subject}/${name}`,
    subject,
    controls: ['request'],
    from: name === 'trace' ? 'method.trace' : 'drift.request',
    accepts,
  })
  return [
    ...Object.entries(REFUSED).map(([name, refused]) => lost(name, 'app', refused)),
    ...Object.entries(REFUSED)
      .filter(([name]) => /^(?:trace|host|length-and|line-feed|percent|version)/.test(name))
      .map(([name, refused]) => lost(name, 'gateway', refused)),
    ...(['gateway', 'rich'] as const).flatMap((subject) =>
      Object.entries(DOUBTFUL).map(([name, pattern]) =>
        lost(name, subject, (request) => pattern.test(path(request))),
      ),
    ),
    {
      id: 'request/app/trace-echoes',
      subject: 'app',
      controls: ['request'],
      from: 'method.trace',
      answer: ({ method, request, lines }) =>
        method === 'TRACE'
          ? {
              status: 200,
              lines: [
                ...lines.filter(([name]) => !/^content-/i.test(name)),
                ['Content-Type', 'message/http'],
              ],
              body: request,
            }
          : undefined,
    },
    {
      id: 'request/app/doubtful-path-public',
      subject: 'app',
      controls: ['cache', 'request'],
      from: 'drift.cache',
      answer: ({ kind, lines }) =>
        kind === 'doubtful-path'
          ? {
              lines: lines.map(
                ([name, value]) =>
                  [name, /^cache-control$/i.test(name) ? 'public, max-age=30' : value] as const,
              ),
            }
          : undefined,
    },
    {
      id: 'request/app/refused-method-without-allow',
      subject: 'app',
      controls: ['request'],
      from: 'drift.request',
      answer: ({ kind, lines }) =>
        kind === 'refused-method' && lines.some(([name]) => /^allow$/i.test(name))
          ? { lines: lines.filter(([name]) => !/^allow$/i.test(name)) }
          : undefined,
    },
  ]
}
