// The end of the open connections: nothing new is accepted, what is under way may end, and what is left is broken off.

import { Server as NetServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { CloseOptions } from './contract.ts'
import type { Listener } from './listener.ts'
import type { Forwarder } from './upstream/forward.ts'

const IDLE_CHECK_MS = 50

/** Ends them; returns how many were broken off. */
export async function drainConnections(
  listener: Listener,
  forwarder: Forwarder,
  { graceMs, lingerMs = 0 }: Pick<CloseOptions, 'lingerMs'> & { readonly graceMs: number },
): Promise<number> {
  const { server } = listener
  // Node's own close of an HTTP server ends idle connections at once.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
  const lingersUntil = performance.now() + lingerMs
  listener.drain()
  forwarder.drain()
  // A connection whose answer began before the drain is idle afterwards, and nothing tells of it.
  const closeIdle = () => {
    if (performance.now() >= lingersUntil) server.closeIdleConnections()
  }
  closeIdle()
  const idle = setInterval(closeIdle, IDLE_CHECK_MS)
  let grace: NodeJS.Timeout | undefined
  const timeUp = new Promise<void>((resolve) => {
    grace = setTimeout(resolve, graceMs)
  })
  await Promise.race([closed, timeUp])
  clearTimeout(grace)
  const brokenOff = await forwarder.abandonAll()
  listener.destroyConnections()
  await Promise.all([closed, forwarder.destroy()])
  clearInterval(idle)
  // Ends what watches over its connections.
  server.close(() => {})
  // What was broken off is logged when its connection's end has been heard.
  await new Promise((resolve) => setImmediate(resolve))
  return brokenOff
}
