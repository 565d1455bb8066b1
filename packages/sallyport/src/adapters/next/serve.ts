// Puts a guard under every HTTP server of this process, also where a framework makes the server and hides it.

import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Guard } from '../../guard/guard.ts'
import { attach, enter } from '../node/attach.ts'
import { http, isHttpServer } from '../node/http.ts'

// On the server itself and under a shared name: next.config.ts and a bundled instrumentation.ts each load a copy of
// this module.
const GUARDED = Symbol.for('sallyport.next.guarded')

let current: Guard | undefined

/** Guards the servers that are there, and each other one at its first connection. */
export function guardServers(guard: Guard): void {
  const subscribed = current !== undefined
  current = guard
  const handles = activeHandles()
  for (const handle of handles) if (isServer(handle)) adopt(handle)
  for (const handle of handles) adoptRequestOf(handle)
  // Published before the server's own "connection" event: no byte of the connection has been parsed yet.
  if (!subscribed)
    subscribe('net.server.socket', (message) => {
      const { server } = (message as { socket: Socket & { server?: unknown } }).socket
      if (isServer(server)) adopt(server)
    })
}

type MarkedServer = (Server | TlsServer) & { [GUARDED]?: Guard }

function isServer(handle: unknown): handle is MarkedServer {
  return isHttpServer(handle)
}

function adopt(server: MarkedServer): void {
  if (server[GUARDED] || current === undefined) return
  server[GUARDED] = current
  attach(server as Server, current)
}

// `next start` listens before it reads its configuration, and lets the requests wait that come in between: they are
// judged now, and their answers written under the policy like all others. Of one that is refused Next finds the answer
// ended, and runs no handler.
function adoptRequestOf(handle: unknown): void {
  const socket = handle as Socket & { server?: unknown; _httpMessage?: unknown }
  const response = socket._httpMessage
  if (!(response instanceof http().ServerResponse) || response.headersSent || !isServer(socket.server)) return
  const guard = socket.server[GUARDED]
  if (guard !== undefined && guard === current) enter(guard, response.req, response, () => {})
}

// Undocumented, and there since Node 0.x; where it is gone, a server is guarded from its next connection on.
function activeHandles(): readonly unknown[] {
  const list = (process as unknown as { _getActiveHandles?: () => unknown[] })._getActiveHandles
  return list ? list.call(process) : []
}
