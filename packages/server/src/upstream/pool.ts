// The connections to one upstream.

import { buildConnector, Pool } from 'undici'

/** Milliseconds. */
export interface UpstreamTimeouts {
  /** Until a connection stands. */
  readonly connectMs: number
  /** From the end of the request to the whole head of the answer. */
  readonly headMs: number
}

/** An answer's head may be this large; bytes. */
const MAX_HEAD_BYTES = 65_536

/** Requests on their way to one upstream at the same time; more are answered 503, since nothing queues. */
export const MAX_CONNECTIONS = 1_024

/**
 * Opens the pool.
 *
 * @throws TypeError where the URL names more than an origin
 */
export function openPool(upstream: URL, timeouts: UpstreamTimeouts): Pool {
  return new Pool(upstream.origin, {
    connections: MAX_CONNECTIONS,
    connect: strictConnector(timeouts.connectMs),
    headersTimeout: timeouts.headMs,
    // Idle bodies are watched by the transfer itself, which knows streams and slow readers from dead upstreams.
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEAD_BYTES,
    keepAliveTimeout: 4_000,
    // One request at a time: an answer can't be taken for another request's.
    pipelining: 1,
  })
}

/** The upstream's origin. */
export function upstreamOrigin(upstream: string | URL): URL {
  const url = URL.canParse(String(upstream)) ? new URL(String(upstream)) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new TypeError(
      `upstream: expected an http or https URL, received ${JSON.stringify(String(upstream))}; write "http://127.0.0.1:9000"`,
    )
  if (url.username !== '' || url.password !== '')
    throw new TypeError(
      'upstream: a URL with a password in it ends in logs; leave the user name and password out',
    )
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new TypeError(
      `upstream: expected an origin without a path, received ${JSON.stringify(url.href)}; write "${url.origin}"`,
    )
  return url
}

// undici takes a reset connection for the end of an answer that is delimited by closing, and asserts that no such
// answer is paused, outside of any handler of ours. By another name the reset is what it is: a failure.
function strictConnector(timeoutMs: number): ReturnType<typeof buildConnector> {
  const connect = buildConnector({ timeout: timeoutMs })
  return (options, callback) =>
    connect(options, (...result) => {
      const [error, socket] = result
      if (error !== null) return callback(error, null)
      socket.prependListener('error', (failure: NodeJS.ErrnoException) => {
        if (failure.code === 'ECONNRESET') failure.code = 'ERR_UPSTREAM_RESET'
      })
      return callback(null, socket)
    })
}
