// What one case of the way down from HTTP/2 to HTTP/1.1 is: frames to send, and what may come of them.

import { block, END_HEADERS, END_STREAM, type Fields, frame, headers, TYPE } from '../http2-frames.ts'

/**
 * `refuse`: nothing of it reaches the upstream.
 * `strip`: RFC 9113, section 8.2.1, calls it malformed, but node:http2 takes the field out, serves the rest and tells
 * nobody (its callback for such fields ignores them, and no option changes that); so the request may arrive, and nothing
 * of the field.
 * `pass`: it arrives, as one request of the method and target given, with these lines and without those.
 */
export type Expected =
  | { readonly kind: 'refuse' }
  | { readonly kind: 'strip'; readonly absent: RegExp }
  | {
      readonly kind: 'pass'
      readonly line: string
      readonly present?: readonly RegExp[]
      readonly absent?: RegExp
    }

export interface DowngradeCase {
  readonly name: string
  readonly frames: readonly Buffer[]
  readonly expected: Expected
  /** The section, or the advisory, that it comes from. */
  readonly source: string
}

export const REFUSE: Expected = { kind: 'refuse' }

/** The pseudo-fields of an ordinary request, with some of them changed; `undefined` leaves one out. */
export function pseudo(changes: Readonly<Record<string, string | undefined>> = {}): Fields {
  const all: Record<string, string | undefined> = {
    ':method': 'GET',
    ':scheme': 'https',
    ':authority': 'api.example.com',
    ':path': '/case',
    ...changes,
  }
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}

/** A request without a body. */
export function get(fields: Fields, changes: Readonly<Record<string, string | undefined>> = {}): Buffer[] {
  return [headers(1, [...pseudo(changes), ...fields])]
}

/** A request with a body. */
export function post(fields: Fields, body: string, method = 'POST'): Buffer[] {
  return [headers(1, [...pseudo({ ':method': method }), ...fields], 0), frame(TYPE.data, END_STREAM, 1, body)]
}

/** A request with a body and trailers. */
export function trailing(trailers: Fields, flags = END_STREAM): Buffer[] {
  return [
    headers(1, pseudo({ ':method': 'POST' }), 0),
    frame(TYPE.data, 0, 1, 'body'),
    frame(TYPE.headers, flags | END_HEADERS, 1, block(trailers)),
  ]
}
