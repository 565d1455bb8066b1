// The socket in front: node:http behind a declared TLS front, else node:https with settings that leave no finding.

import { constants } from 'node:crypto'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions as TlsOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { attach, type Guard, SAFE_SERVER_OPTIONS } from 'sallyport/node'
import { createHttp2Front, type Handler, type Http2Front } from './front/http2.ts'
import { type ProxyRefusal, receiveProxyHeaders } from './proxy-protocol/receive.ts'
import type { ProxyProtocolSetting } from './proxy-protocol/setting.ts'
import { createUnderWay, type Member } from './upstream/under-way.ts'

/** PEM texts. */
export interface ListenerCertificate {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

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
const HANDSHAKE_TIMEOUT_MS = 10_000
// Longer than any silence within a body that a transfer allows: what is left then is a reader that takes nothing.
const SOCKET_IDLE_MS = 120_000
// Slow bodies end by their rate (see the transfer); this is the last limit for a whole request.
const REQUEST_TIMEOUT_MS = 300_000

/** What a listener is made with. */
export interface ListenerOptions {
  readonly certificate: ListenerCertificate | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly http2?: boolean
  /** Where connections begin with the header of a proxy. */
  readonly proxyProtocol?: ProxyProtocolSetting
  /** Hears of requests on HTTP/2 that the guard has answered: they are no events of the server. */
  readonly onRequestRefused?: Handler
  /** Hears of connections that were closed before anything was asked. */
  readonly onConnectionRefused?: (why: ProxyRefusal) => void
}

/** Makes the server; it listens when its owner says so. */
export function createListener(guard: Guard, options: ListenerOptions): Listener {
  const { certificate, minVersion, http2 = true, proxyProtocol } = options
  const { onRequestRefused = () => {}, onConnectionRefused = () => {} } = options
  const settings = { ...SAFE_SERVER_OPTIONS, requestTimeout: REQUEST_TIMEOUT_MS, noDelay: true }
  const server: Server =
    certificate === undefined
      ? createHttpServer(settings)
      : createHttpsServer({ ...settings, ...tlsOptions(certificate, minVersion, http2) })
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
  const front = certificate !== undefined && http2 ? splitByAlpn(server, guard, onRequestRefused) : undefined
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

function tlsOptions(
  certificate: ListenerCertificate,
  minVersion: 'TLSv1.2' | 'TLSv1.3',
  http2: boolean,
): TlsOptions {
  return {
    cert: certificate.cert,
    key: certificate.key,
    minVersion,
    // Without the finite-field groups, whose cost a client can make the server pay (CVE-2002-20001).
    ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384',
    // For TLS 1.2, where it is allowed: forward secrecy and AEAD only.
    ciphers: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
    ].join(':'),
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
  }
}
