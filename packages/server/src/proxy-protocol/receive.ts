// Puts the PROXY protocol before a server: its connections reach it when their header has been read, and have the address
// that the header names. Only listed peers are listened to, so a client can't choose its own address.

import type { Server, Socket } from 'node:net'
import { peerAddress, trustedSet } from 'sallyport/settings'
import { MAX_HEADER, type ProxyHeaderFault, readProxyHeader, type Source } from './header.ts'
import type { ProxyProtocolSetting } from './setting.ts'

/** Why a connection was closed before anything was read of it as a request. */
export type ProxyRefusal = ProxyHeaderFault | 'peer' | 'timeout' | 'left'

/** The specification asks for three seconds at least, for the sake of lost packets. */
const HEADER_MS = 5_000

/**
 * @param onRefused hears why a connection was closed
 * @param timeoutMs how long a header may take
 */
export function receiveProxyHeaders(
  server: Server,
  setting: ProxyProtocolSetting,
  onRefused: (why: ProxyRefusal) => void,
  timeoutMs = HEADER_MS,
): void {
  const peers = trustedSet({ trustedProxies: setting.from ?? [] })
  const own = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const peer = peerAddress(socket.remoteAddress)
    if (peer === undefined || !peers.has(peer)) {
      onRefused('peer')
      socket.destroy()
      return
    }
    readHeader(socket, timeoutMs, onRefused, (source) => {
      // Without its address a client would have the proxy's, and be taken for one that is trusted.
      if (source !== undefined && !takeAddress(socket, source)) socket.destroy()
      else for (const listener of own) listener.call(server, socket)
    })
  })
}

function readHeader(
  socket: Socket,
  timeoutMs: number,
  onRefused: (why: ProxyRefusal) => void,
  proceed: (source: Source | undefined) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  const timer = setTimeout(refuse, timeoutMs, 'timeout')

  function finish(): void {
    clearTimeout(timer)
    socket.off('readable', read)
    socket.off('end', leave)
    socket.off('close', leave)
    // An error is followed by `close`; a connection that is handed on has its new owner's listener by then.
    socket.off('error', ignore)
  }

  function refuse(why: ProxyRefusal): void {
    finish()
    socket.on('error', ignore)
    socket.destroy()
    onRefused(why)
  }

  const leave = (): void => refuse('left')

  function read(): void {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read())
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    // What stands behind the header may come with it, but nothing can be more than the header and not be read.
    const header = readProxyHeader(bytes.length > MAX_HEADER ? bytes.subarray(0, MAX_HEADER) : bytes)
    if (header.kind === 'more') return
    if (header.kind === 'wrong') {
      refuse(header.why)
      return
    }
    finish()
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
    proceed(header.source)
  }

  socket.on('readable', read)
  socket.on('end', leave)
  socket.on('close', leave)
  socket.on('error', ignore)
}

function ignore(): void {}

interface PeerName {
  address?: string
  port?: number
  family?: string
}

// From here on the connection is the client's, for whoever asks: on the socket itself, and below it, where a TLS socket
// over it asks.
function takeAddress(socket: Socket, { address, port }: Source): boolean {
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  for (const [name, value] of [
    ['remoteAddress', address],
    ['remotePort', port],
    ['remoteFamily', family],
  ] as const)
    Object.defineProperty(socket, name, { value, configurable: true })
  const { _handle: handle } = socket as unknown as { _handle?: { getpeername?: (into: PeerName) => number } }
  if (typeof handle?.getpeername !== 'function') return false
  handle.getpeername = (into) => {
    Object.assign(into, { address, port, family })
    return 0
  }
  return true
}
