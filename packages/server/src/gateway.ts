// The gateway: a listener under the guard in front, a pool of connections behind, one transfer for each request.

import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, digest, type PolicyDocument } from 'sallyport'
import { type Exchange, exchangeOf, type Guard, respondWithCode } from 'sallyport/node'
import { createListener, type ListenerCertificate } from './listener.ts'
import { type Counter, createCounter, type StatusReport } from './status/counts.ts'
import { isStatusPath, serveStatus } from './status/serve.ts'
import { createStatusStream, type Timers } from './status/stream.ts'
import { localCertificate } from './tls/local.ts'
import { inTurn } from './turns.ts'
import { reasonOf } from './upstream/failure.ts'
import { createForwarder, type ForwardLimits } from './upstream/forward.ts'
import { upstreamOrigin } from './upstream/pool.ts'
import type { UpstreamKeepAlive } from './upstream/transfer.ts'

/** What a gateway is started with. */
export interface GatewayOptions {
  readonly policy: PolicyDocument
  /** The origin of the API behind: `http://127.0.0.1:9000`. */
  readonly upstream: string | URL
  /** Port 0 takes any that is free. */
  readonly listen: { readonly host: string; readonly port: number }
  /** PEM texts; where the policy ends TLS here and this is missing, a local certificate is made. */
  readonly tls?: ListenerCertificate
  /** Whether HTTP/2 is offered beside HTTP/1.1 where TLS ends here; it is, unless it is said. */
  readonly http2?: boolean
  /** The folder of local state, for the local certificate; `.sallyport`. */
  readonly stateFolder?: string
  /** Whether the gateway answers `/v1/status` and `/v1/status/stream` itself; not unless it is said. */
  readonly status?: boolean
  readonly limits?: Partial<ForwardLimits>
  /** Which connections to the upstream carry another request; `clean`. */
  readonly upstreamKeepAlive?: UpstreamKeepAlive
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number
  readonly timers?: Timers
  /** Takes what an operator should know; nothing of it holds a secret. */
  readonly log?: (event: GatewayEvent) => void
}

/** Something that an operator should know. */
export interface GatewayEvent {
  readonly event: 'upstream-failed' | 'handler-failed' | 'accept-failed'
  /** Empty where there is no request, or the policy asks for no id. */
  readonly requestId: string
  /** The id of the policy's cell; empty where there is no request. */
  readonly route: string
  /** An error code, never a message. */
  readonly reason: string
}

/** A running gateway. */
export interface Gateway {
  /** `https://127.0.0.1:8443`. */
  readonly url: string
  readonly address: AddressInfo
  /** What controls in report mode would have done, as the guard counts it. */
  readonly wouldDo: Guard['wouldDo']
  /** Takes no more requests, lets those under way end, and breaks off what is left after the grace. */
  close(options?: { readonly graceMs?: number }): Promise<{ readonly brokenOff: number }>
}

/** How long requests may take to end when a gateway closes and nothing is said; milliseconds. */
export const DEFAULT_GRACE_MS = 10_000

const IDLE_CHECK_MS = 50

/**
 * Starts a gateway.
 *
 * @throws PolicyError where the policy is wrong, TypeError where the upstream is, the system's error where the
 * port can't be had
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const clock = options.clock ?? Date.now
  const upstream = upstreamOrigin(options.upstream)
  const counter = createCounter()
  const guard = counted(createGuard(options.policy, 'gateway', { clock }), counter)
  const log = (event: GatewayEvent): void => {
    try {
      options.log?.(event)
    } catch {
      // A log that can't be written must not cost the request.
    }
  }

  const startedAt = new Date(clock()).toISOString()
  const fixed = { version: await ownVersion(), policyDigest: await digest(guard.policy.document), startedAt }
  let draining = false
  const report = (): StatusReport => ({
    status: draining ? 'draining' : 'ok',
    ...fixed,
    requests: { ...counter.counts },
  })
  const stream = createStatusStream(clock().toString(36), () => JSON.stringify(report()), options.timers)
  counter.onChange(() => stream.changed())

  const certificate = await certificateFor(guard, options, clock)
  const listener = createListener(guard, certificate, minVersionOf(guard), options.http2)
  const { server } = listener
  const onFailure = (exchange: Exchange, reason: string): void => {
    counter.add('failed')
    log({ event: 'upstream-failed', requestId: exchange.requestId, route: exchange.cell.id, reason })
  }
  const forwarder = createForwarder(upstream, options.limits ?? {}, onFailure, options.upstreamKeepAlive)

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // Node reports a write on a connection that is gone as an error of the response; nobody is left to read it.
    response.on('error', () => {})
    inTurn(request, response, () => answer(request, response))
  })

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const exchange = exchangeOf(response)!
    if (draining) response.shouldKeepAlive = false
    try {
      if (options.status === true && isStatusPath(exchange.path))
        serveStatus(request, response, exchange, report, stream)
      else forwarder.forward(request, response, exchange)
    } catch (error) {
      const { requestId, cell } = exchange
      log({ event: 'handler-failed', requestId, route: cell.id, reason: reasonOf(error) })
      if (response.headersSent) request.socket.destroy()
      else respondWithCode(request, response, exchange, 'internal')
    }
  }

  const address = await listen(server, options.listen).catch(async (error: unknown) => {
    await forwarder.destroy()
    throw error
  })
  // A process out of file descriptors can't accept, and goes on when some are free again.
  server.on('error', (error) => {
    log({ event: 'accept-failed', requestId: '', route: '', reason: reasonOf(error) })
  })
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  let closing: Promise<{ brokenOff: number }> | undefined

  async function close(graceMs: number): Promise<{ brokenOff: number }> {
    draining = true
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    stream.close()
    listener.drain()
    forwarder.drain()
    // A connection whose answer began before the drain is idle afterwards, and nothing tells of it.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
    let grace: NodeJS.Timeout | undefined
    const timeUp = new Promise<void>((resolve) => {
      grace = setTimeout(resolve, graceMs)
    })
    await Promise.race([closed, timeUp])
    clearTimeout(grace)
    const brokenOff = forwarder.abandonAll()
    listener.destroyConnections()
    await Promise.all([closed, forwarder.destroy()])
    clearInterval(idle)
    return { brokenOff }
  }

  return {
    url: `${'setSecureContext' in server ? 'https' : 'http'}://${host}:${address.port}`,
    address,
    wouldDo: guard.wouldDo,
    close: ({ graceMs = DEFAULT_GRACE_MS } = {}) => (closing ??= close(graceMs)),
  }
}

function counted(guard: Guard, counter: Counter): Guard {
  return {
    ...guard,
    admit(exchange) {
      counter.add('total')
      const verdict = guard.admit(exchange)
      if (verdict?.kind === 'deny') counter.add('refused')
      return verdict
    },
  }
}

interface Transport {
  readonly tls?: 'here' | 'in-front'
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

// A listener is one for all routes, so the policy's own top level decides.
function transportOf(guard: Guard): Transport {
  return guard.policy.cells.at(-2)!.settings.transport as Transport
}

function minVersionOf(guard: Guard): 'TLSv1.2' | 'TLSv1.3' {
  return transportOf(guard).minVersion ?? 'TLSv1.3'
}

async function certificateFor(
  guard: Guard,
  options: GatewayOptions,
  clock: () => number,
): Promise<ListenerCertificate | undefined> {
  if (transportOf(guard).tls === 'here')
    return (
      options.tls ?? (await localCertificate({ folder: `${options.stateFolder ?? '.sallyport'}/tls`, clock }))
    )
  if (options.tls !== undefined)
    throw new TypeError(
      'tls: a certificate was given, but the policy says that TLS ends in front; write transport: { tls: "here" } in the policy, or leave the certificate out',
    )
  return undefined
}

function listen(
  server: ReturnType<typeof createListener>['server'],
  where: { readonly host: string; readonly port: number },
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where.port, where.host, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

async function ownVersion(): Promise<string> {
  // By our own name, since sources and the published form lie at different depths.
  const text = await readFile(new URL(import.meta.resolve('@sallyport/server/package.json')), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
