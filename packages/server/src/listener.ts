// The socket in front: node:http behind a declared TLS front, else node:https with settings that leave no finding.

import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { TLSSocket } from 'node:tls'
import { attach, type Guard, SAFE_SERVER_OPTIONS } from 'sallyport/node'
import { createHttp2Front, type Handler, type Http2Front } from './front/http2.ts'
import { createSlowReaders, READING_LIMITS, type ReadingLimits } from './front/slow-readers.ts'
import { type ProxyRefusal, receiveProxyHeaders } from './proxy-protocol/receive.ts'
import type { ProxyProtocolSetting } from './proxy-protocol/setting.ts'
import type { TlsFront } from './tls/front.ts'
import { createUnderWay, type Member } from './upstream/under-way.ts'

/** A server under the guard, with the means to end all its connections. */
export interface Listener {
  readonly server: Server
  /** Takes no more requests on connections of HTTP/2; those of HTTP/1.1 are told by their next answer. */
  drain(): void
  /** Open connections, those too that have not said anything yet. */
  connections(): number
  /** Ends every connection, those too that have not said anything yet. */
  destroyConnections(): void
}

interface Connection extends Member {
  readonly socket: Socket
}

const MAX_CONNECTIONS = 10_000
// Longer than any silence within a body that a transfer allows: what is left then is a reader that takes nothing.
const SOCKET_IDLE_MS = 120_000
// Slow bodies end by their rate (see the transfer); this is the last limit for a whole request.
const REQUEST_TIMEOUT_MS = 300_000

/** What a listener is made with. */
export interface ListenerOptions {
  /** Absent where TLS ends in front. */
  readonly tls?: TlsFront | undefined
  readonly http2?: boolean
  /** Where connections begin with the header of a proxy. */
  readonly proxyProtocol?: ProxyProtocolSetting
  /** How slowly a client may take what is there for it. */
  readonly reading?: ReadingLimits
  /** Hears of requests on HTTP/2 that the guard has answered: they are no events of the server. */
  readonly onRequestRefused?: Handler
  /** Hears of connections that were closed before anything was asked. */
  readonly onConnectionRefused?: (why: ProxyRefusal) => void
}

/** Makes the server; it listens when its owner says so. */
export function createListener(guard: Guard, options: ListenerOptions): Listener {
  const { tls, http2 = true, proxyProtocol } = options
  const { onRequestRefused = () => {}, onConnectionRefused = () => {} } = options
  const settings = { ...SAFE_SERVER_OPTIONS, requestTimeout: REQUEST_TIMEOUT_MS, noDelay: true }
  const server: Server =
    tls === undefined
      ? createHttpServer(settings)
      : createHttpsServer({ ...settings, ...tls.serverOptions(http2) })
  tls?.keep(server as HttpsServer)
  // Node drops headers over this count without a word; the `request` control counts and refuses them first.
  server.maxHeadersCount = 0
  server.maxConnections = MAX_CONNECTIONS
  server.maxRequestsPerSocket = 10_000
  server.timeout = SOCKET_IDLE_MS
  attach(server, guard)
  if (proxyProtocol) receiveProxyHeaders(server, proxyProtocol, onConnectionRefused)
  const connections = createUnderWay<Connection>()
  server.on('connection', (socket: Socket) => {
    const connection = { socket, place: -1 }
    connections.add(connection)
    socket.once('close', () => connections.remove(connection))
  })
  const front = tls !== undefined && http2 ? splitByAlpn(server, guard, onRequestRefused) : undefined
  if (tls !== undefined) admitFirst(server, tls)
  endSlowReaders(server, tls !== undefined, options.reading)
  return {
    server,
    connections: () => connections.size,
    drain() {
      front?.drain()
    },
    destroyConnections() {
      front?.stop()
      for (const { socket } of connections.all()) socket.destroy()
    },
  }
}

const READERS_CHECK_MS = 1_000

// What waits for the client of an encrypted connection waits in the socket that encrypts.
function endSlowReaders(server: Server, isTls: boolean, limits: ReadingLimits = READING_LIMITS): void {
  const open = createUnderWay<Connection>()
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    const connection = { socket, place: -1 }
    open.add(connection)
    socket.once('close', () => open.remove(connection))
  })
  const slow = createSlowReaders(limits)
  const timer = setInterval(
    () =>
      slow.sweep(
        open.all().map(({ socket }) => socket),
        performance.now(),
      ),
    Math.min(READERS_CHECK_MS, limits.startMs / 4),
  )
  timer.unref()
  server.once('close', () => clearInterval(timer))
}

// Nothing is read of a connection whose client has not shown what it must.
function admitFirst(server: Server, tls: TlsFront): void {
  const own = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket: TLSSocket) => {
    if (tls.admits(socket)) for (const listener of own) listener.call(server, socket)
    else socket.destroy()
  })
}

// Connections of HTTP/1.1 go to Node's own listener, and are served as on a listener without HTTP/2.
function splitByAlpn(server: Server, guard: Guard, onRefused: Handler): Http2Front {
  const front = createHttp2Front(
    guard,
    (request, response) => server.emit('request', request, response),
    undefined,
    onRefused,
  )
  const http1 = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
  server.removeAllListeners('secureConnection')
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') front.accept(socket)
    else for (const listener of http1) listener.call(server, socket)
  })
  return front
}
