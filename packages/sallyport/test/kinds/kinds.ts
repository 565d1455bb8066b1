// The kinds of answers that an HTTP server gives, each with the bytes that provoke it. An app under test serves the
// routes named below; the checker wants every header of the policy exactly once, with the exact value.

import { type Answer, headIsThere, parseAnswer, send, valuesOf, type Where } from './wire.ts'

// What an app under test serves: the routes, and what each answers.
//   GET /ok: 200 with a small JSON body (also to HEAD)
//   GET /empty: 204
//   GET /same: 304
//   GET /moved: 302 to /ok
//   POST /echo: 200 with the JSON it was sent; bodies over BODY_LIMIT bytes are refused by the app, broken JSON too
//   GET /throws: throws an Error whose message is SECRET
//   GET /rejects: rejects with such an Error
//   GET /unauthorized: 401
//   GET /forbidden: 403
//   OPTIONS /ok: 204 with "Allow: GET, HEAD, OPTIONS", by the app itself
//   GET /events: text/event-stream: one event, then nothing more
//   GET /broken: 200, some bytes of a body, then the connection is cut
//   GET /items/:id: 200

/** Bytes; what the app itself takes. */
export const BODY_LIMIT = 1_000
/** Must never leave the server. */
export const SECRET = 'postgres://root:hunter2@10.0.0.1/prod'
/** The origin that a policy under test lists. */
export const ORIGIN = 'https://app.example.com'

/** One kind of answer. */
export interface Kind {
  readonly name: string
  readonly bytes: string
  /** The statuses by which a guarded app may answer it, under a policy whose `cors` lists ORIGIN and nobody else. */
  readonly statuses: readonly number[]
  /** The answer's body has no end: reading stops after the head. */
  readonly endless?: boolean
}

function request(line: string, headers: readonly string[] = [], body = ''): string {
  return `${[`${line} HTTP/1.1`, 'Host: api.example.com', ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`
}

function json(body: string): [headers: readonly string[], body: string] {
  return [['Content-Type: application/json', `Content-Length: ${body.length}`], body]
}

function preflight(origin: string): readonly string[] {
  return [
    `Origin: ${origin}`,
    'Access-Control-Request-Method: GET',
    'Access-Control-Request-Headers: content-type',
  ]
}

const UPGRADE = [
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]

/** The 25 kinds. */
export const kinds: readonly Kind[] = [
  { name: '200', bytes: request('GET /ok'), statuses: [200] },
  { name: '204', bytes: request('GET /empty'), statuses: [204] },
  { name: '304', bytes: request('GET /same'), statuses: [304] },
  { name: '302', bytes: request('GET /moved'), statuses: [302] },
  { name: '404', bytes: request('GET /nowhere'), statuses: [404] },
  { name: 'wrong method', bytes: request('DELETE /ok'), statuses: [404, 405] },
  { name: 'HEAD', bytes: request('HEAD /ok'), statuses: [200] },
  {
    name: 'body over the limit',
    bytes: request('POST /echo', ...json(`"${'x'.repeat(BODY_LIMIT * 2)}"`)),
    statuses: [413],
  },
  { name: 'broken JSON', bytes: request('POST /echo', ...json('{"a":')), statuses: [400, 415, 422] },
  { name: 'handler throws', bytes: request('GET /throws'), statuses: [500] },
  { name: 'handler rejects', bytes: request('GET /rejects'), statuses: [500] },
  { name: '401', bytes: request('GET /unauthorized'), statuses: [401] },
  { name: '403', bytes: request('GET /forbidden'), statuses: [403] },
  { name: 'preflight, allowed', bytes: request('OPTIONS /ok', preflight(ORIGIN)), statuses: [200, 204] },
  {
    name: 'preflight, denied',
    bytes: request('OPTIONS /ok', preflight('https://evil.example')),
    statuses: [403],
  },
  { name: 'plain OPTIONS', bytes: request('OPTIONS /ok'), statuses: [200, 204] },
  { name: 'server-sent events', bytes: request('GET /events'), statuses: [200], endless: true },
  { name: 'body cut off', bytes: request('GET /broken'), statuses: [200] },
  {
    name: 'upgrade taken as GET',
    bytes: request('GET /ok', UPGRADE).replace('Connection: close', 'Connection: upgrade, close'),
    statuses: [200],
  },
  { name: 'malformed percent-encoding', bytes: request('GET /items/%E0%A4%A'), statuses: [200, 400, 404] },
  { name: 'garbage request line', bytes: 'GARBAGE\r\n\r\n', statuses: [400] },
  { name: 'bad header name', bytes: request('GET /ok', ['Bad Name: x']), statuses: [400] },
  { name: 'no Host', bytes: 'GET /ok HTTP/1.1\r\nConnection: close\r\n\r\n', statuses: [400] },
  {
    name: 'headers too large',
    bytes: request('GET /ok', [`X-Large: ${'x'.repeat(40_000)}`]),
    statuses: [431],
  },
  { name: 'unknown Expect', bytes: request('GET /ok', ['Expect: the-impossible']), statuses: [417] },
]

/** Kinds beyond the 25, which a server may also answer by closing. */
export const extraKinds: readonly Kind[] = [
  { name: 'head never completed', bytes: 'GET /ok HTTP/1.1\r\nHost: api.example.com\r\n', statuses: [408] },
  { name: 'HTTP/0.9', bytes: 'GET /ok\r\n\r\n', statuses: [200, 400, 505] },
  { name: 'CONNECT', bytes: request('CONNECT db.internal:5432'), statuses: [400, 405] },
  { name: 'TRACE', bytes: request('TRACE /ok'), statuses: [405, 501] },
  { name: 'unknown method', bytes: request('BREW /ok'), statuses: [400, 501] },
  {
    name: 'two Content-Lengths',
    bytes: request('POST /echo', ['Content-Length: 1', 'Content-Length: 2'], 'x'),
    statuses: [400],
  },
]

/** Provokes a kind of answer. */
export async function ask(where: Where, kind: Kind): Promise<Answer> {
  return parseAnswer(await send(where, kind.bytes, kind.endless ? headIsThere : undefined))
}

/** What an answer must carry, and what it must not. */
export interface Expected {
  /** Each exactly once, with exactly this value. */
  readonly exact: Readonly<Record<string, string>>
  readonly absent: readonly string[]
}

/** Everything that is wrong with an answer; empty where nothing is. */
export function faults(answer: Answer, expected: Expected): string[] {
  const found: string[] = []
  for (const [name, value] of Object.entries(expected.exact)) {
    const values = valuesOf(answer, name)
    if (values.length !== 1) found.push(`${name} stands ${values.length} times: ${JSON.stringify(values)}`)
    else if (values[0] !== value) found.push(`${name} is ${JSON.stringify(values[0])}`)
  }
  for (const name of expected.absent)
    if (valuesOf(answer, name).length > 0)
      found.push(`${name} is there: ${valuesOf(answer, name).join(' | ')}`)
  if (`${JSON.stringify(answer.headers)}${answer.rest}`.includes(SECRET))
    found.push('the secret left the server')
  return found
}
