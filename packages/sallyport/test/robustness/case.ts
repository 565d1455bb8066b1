// What a robustness case is, and the few words in which cases are written.

/** A whole request, as the application or the upstream must read it. */
export interface Reached {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** The decoded body, one character for a byte. */
  readonly body: string
}

/**
 * What must become of the bytes:
 * - `refuse`: a complete answer of 400 or more with the whole policy on it, or a closed connection; no whole request
 *   ever reaches the application, not even the good one that follows on the same connection;
 * - `accept`: the application reads exactly `sees`, and the request that follows stays in step;
 * - `either`: both are right, and nothing else is.
 */
export type Expectation = 'refuse' | 'accept' | 'either'

/** One sequence of bytes on a fresh connection. */
export interface RawCase {
  /** Stable and unique. */
  readonly id: string
  /** The bytes, one character for a byte. */
  bytes(): string
  readonly expect: Expectation
  /** The request that is read where the bytes are accepted. */
  readonly sees?: Reached
  /** True where the server closes after the answer, so that the following request is not read. */
  readonly closes?: boolean
  /** True where the client stops in the middle: nothing follows, and the sending side is closed. */
  readonly truncated?: boolean
  readonly reason: string
  /** The section of an RFC, or an advisory. */
  readonly source: string
}

type More = Pick<RawCase, 'sees' | 'closes' | 'truncated'>

/** A row of a table of cases. */
export type Row = readonly [
  id: string,
  bytes: string | (() => string),
  reason: string,
  source: string,
  more?: More,
]

/** Cases of one expectation. */
export function cases(expect: Expectation, rows: readonly Row[]): readonly RawCase[] {
  return rows.map(([id, bytes, reason, source, more = {}]) => ({
    id,
    bytes: typeof bytes === 'string' ? () => bytes : bytes,
    expect,
    reason,
    source,
    ...more,
  }))
}

export const HOST = 'Host: api.example.com\r\n'
const TARGET = '/v1/x'

/** A GET with these header lines, Host included. */
export function get(headers = '', target = TARGET): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${headers}\r\n`
}

/** A GET with these header lines only. */
export function bare(headers: string, target = TARGET): string {
  return `GET ${target} HTTP/1.1\r\n${headers}\r\n`
}

/** A POST with these header lines and bytes after them. */
export function post(headers: string, body = ''): string {
  return `POST ${TARGET} HTTP/1.1\r\n${HOST}${headers}\r\n${body}`
}

/** A POST in chunks: `body` is everything after the head. */
export function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body)
}

/** What the application reads of a request without a body. */
export function sees(method: string, target = TARGET, body = ''): More {
  return { sees: { method, target, body } }
}

/** What the application reads of a POST. */
export function seesBody(body: string): More {
  return sees('POST', TARGET, body)
}

/** What a smuggler hides behind a request that two programs measure differently. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: api.example.com\r\n\r\n'
