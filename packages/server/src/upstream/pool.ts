// The connections to one address of an upstream.

import { buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { PeerTls } from './peer-tls.ts'

/** Milliseconds. */
export interface UpstreamTimeouts {
  /** Until a connection stands. */
  readonly connectMs: number
  /** From the end of the request to the whole head of the answer. */
  readonly headMs: number
}

/** An answer's head may be this large; bytes. */
const MAX_HEAD_BYTES = 65_536

/** One connection that comes and goes. */
export interface Line {
  /** Requests that the one which stands now has carried, the one under way among them. */
  requests: number
}

/** A handler that is told which connection it was given. */
export interface OnLine {
  line: Line | undefined
}

/**
 * Opens the pool.
 *
 * @param connections as many as there are slots, so that nothing queues behind another request
 */
export function openPool(
  address: URL,
  timeouts: UpstreamTimeouts,
  connections: number,
  tls: PeerTls = {},
): Pool {
  const connect = strictConnector(timeouts.connectMs, tls)
  return new Pool(address.origin, {
    connections,
    factory: (origin, options) => new LineClient(origin, options as Client.Options, connect),
    // One answer at a time on a connection: streams of HTTP/2 would share it.
    allowH2: false,
    headersTimeout: timeouts.headMs,
    // Idle bodies are watched by the transfer itself, which knows streams and slow readers from dead upstreams.
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEAD_BYTES,
    keepAliveTimeout: 4_000,
    // One request at a time: an answer can't be taken for another request's.
    pipelining: 1,
  })
}

// undici does not say on which connection a request goes, and only a connection that was kept can have been closed by
// the other side before the request reached it.
class LineClient extends Client {
  private readonly line: Line

  constructor(origin: URL, options: Client.Options, connect: Connector) {
    const line: Line = { requests: 0 }
    super(origin, { ...options, connect: onLine(connect, line) })
    this.line = line
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    ;(handler as unknown as OnLine).line = this.line
    return super.dispatch(options, handler)
  }
}

type Connector = ReturnType<typeof buildConnector>

function onLine(connect: Connector, line: Line): Connector {
  return (options, callback) =>
    connect(options, (...result) => {
      line.requests = 0
      callback(...result)
    })
}

/**
 * The upstream's origin.
 *
 * @throws TypeError where the URL names more than an origin
 */
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
function strictConnector(timeoutMs: number, { ca, cert, key, serverName }: PeerTls): Connector {
  const connect = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    minVersion: 'TLSv1.2',
    // Said, since an environment variable could undo the default.
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  })
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
