// What one HTTP/2 connection may cost. node:http2's defaults leave streams without a bound and headers at 64 KB.

import type { ServerOptions } from 'node:http2'

/** How long a connection may be without a request; milliseconds. */
export interface Http2Times {
  /** From the handshake to the first request. */
  readonly firstRequestMs: number
  /** From the last answer to the next request, whatever else is sent meanwhile: PING is no reason to be here. */
  readonly idleMs: number
  /** How long the rest of a request is read when its answer is out. */
  readonly restMs: number
  /** How long a client may take to read what is left of an answer that is all written. */
  readonly readMs: number
  /** How long a connection may take to end once it was told to. */
  readonly closeMs: number
}

export const HTTP2_TIMES: Http2Times = {
  firstRequestMs: 10_000,
  idleMs: 65_000,
  restMs: 1_000,
  readMs: 120_000,
  closeMs: 10_000,
}

/** Requests on one connection, as on HTTP/1.1. */
export const MAX_REQUESTS = 10_000

/** RFC 9113, sections 6.5.2 and 10.5. Bytes and counts; `maxSessionMemory` in megabytes. */
export const HTTP2_OPTIONS = {
  settings: {
    enablePush: false,
    enableConnectProtocol: false,
    maxConcurrentStreams: 128,
    maxHeaderListSize: 16_384,
    initialWindowSize: 65_535,
    maxFrameSize: 16_384,
    headerTableSize: 4_096,
  },
  // Over this Node resets the stream; so that the policy's own count answers first, with a 431 that says why. The size
  // above bounds them as well.
  maxHeaderListPairs: 1_010,
  // What the client's settings make us remember of our own header lines.
  maxDeflateDynamicTableSize: 4_096,
  // Bodies that wait to be read; half of what 128 streams with full windows would come to.
  maxSessionMemory: 4,
  maxSessionInvalidFrames: 64,
  maxSessionRejectedStreams: 64,
  maxOutstandingPings: 4,
  maxOutstandingSettings: 4,
  maxSettings: 32,
  // Rapid reset (CVE-2023-44487): a page that is left cancels some hundred requests at most, and does it once.
  streamResetBurst: 256,
  streamResetRate: 25,
  // Upstreams repeat fields that should stand once; on HTTP/1.1 they pass as well, and here Node would throw.
  strictSingleValueFields: false,
  // By itself nghttp2 takes such a field out and serves the rest; so that the front sees it and refuses the request.
  strictFieldWhitespaceValidation: false,
  // Node's types lag behind by two names.
} as const satisfies ServerOptions & {
  readonly maxOutstandingSettings: number
  readonly strictFieldWhitespaceValidation: boolean
}
