// Hands requests on: finds the upstream of each, starts a transfer for it, watches over all of them.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Exchange, respondWithCode } from 'sallyport/node'
import { buildRouter, isPatternFault, parsePattern } from 'sallyport/settings'
import { clientHandshake } from './handshake.ts'
import type { RoutesSetting } from './setting.ts'
import { createShares, shareKey } from './shares.ts'
import { Transfer } from './transfer.ts'
import type { Opening, TransferEnd } from './transfer-site.ts'
import { createUnderWay } from './under-way.ts'
import { openUpstream, type Upstream, type UpstreamOptions, type UpstreamReport } from './upstream.ts'

/** Beginnings of bodies that wait for the rest, of all requests together; one client has a quarter. Bytes. */
const HELD_TOTAL = 67_108_864

/** What a client asked for beside an answer. */
export interface Asked {
  /** True where it waits for a word before it sends its body. */
  readonly toContinue?: boolean
  /** What came behind the head, where it asked for another protocol on a connection that could change to it. */
  readonly ahead?: Buffer
}

const NOTHING: Asked = {}

/** The way to the upstreams. */
export interface Forwarder {
  /** Hands a request on. */
  forward(request: IncomingMessage, response: ServerResponse, exchange: Exchange, asked?: Asked): void
  /** Makes what is under way the last of its connections. */
  drain(): void
  /** Breaks off all that is under way; returns how many there were. */
  abandonAll(): number
  report(): readonly UpstreamReport[]
  destroy(): Promise<void>
}

/**
 * Opens the upstreams.
 *
 * @param routes the upstream's name by path pattern; without it the only upstream has every path
 * @param onFailure is told of each request that failed because of an upstream, with an error code
 */
export function createForwarder(
  all: readonly UpstreamOptions[],
  routes: RoutesSetting | undefined,
  onFailure: (exchange: Exchange, reason: string) => void,
): Forwarder {
  const now = () => performance.now()
  const underWay = createUnderWay<Transfer>()
  const held = createShares(HELD_TOTAL, HELD_TOTAL / 4)
  const ended = (transfer: Transfer, { outcome, reason }: TransferEnd): void => {
    underWay.remove(transfer)
    if (outcome === 'failed') onFailure(transfer.exchange, reason ?? 'unknown')
  }
  const upstreams = new Map(
    all.map((options) => [options.name, openUpstream(options, now, held, ended)] as const),
  )
  const find = finder(upstreams, routes)

  // One timer for all: a timer for each request costs more than the request.
  const times = all.flatMap(({ limits: l }) => [
    l.bodyIdleMs,
    l.uploadStartMs,
    l.headMs,
    l.queueMs,
    l.tunnelIdleMs,
  ])
  const sweeper = setInterval(
    () => {
      const at = now()
      for (const transfer of underWay.all()) transfer.sweep(at)
    },
    Math.min(1_000, ...times.map((ms) => ms / 4)),
  )
  sweeper.unref()

  return {
    forward(request, response, exchange, asked = NOTHING) {
      // Only a path can be handed on; "*" and the other forms of a target belong to the server that is asked.
      if (!exchange.target.startsWith('/'))
        return respondWithCode(request, response, exchange, 'target_invalid')
      const upstream = find(exchange)
      if (upstream === undefined) return respondWithCode(request, response, exchange, 'not_found')
      let opening: Opening | undefined
      if (asked.ahead !== undefined) {
        const handshake = clientHandshake(exchange)
        // What follows the head is no body for Node any more, so nothing but a WebSocket may have something there.
        if (handshake === undefined && (exchange.webSocket || asked.ahead.length > 0 || hasBody(exchange)))
          return respondWithCode(request, response, exchange, 'header_not_allowed')
        if (handshake !== undefined && exchange.webSocket) opening = { handshake, ahead: asked.ahead }
      }
      const transfer = new Transfer(request, response, exchange, upstream.site, shareKey(exchange), opening)
      underWay.add(transfer)
      transfer.start(asked.toContinue === true)
    },
    drain() {
      for (const transfer of underWay.all()) transfer.closeAfterwards()
    },
    abandonAll() {
      const left = underWay.all()
      for (const transfer of left) transfer.abandon()
      return left.length
    },
    report: () => [...upstreams.values()].map((upstream) => upstream.report()),
    async destroy() {
      clearInterval(sweeper)
      await Promise.all([...upstreams.values()].map((upstream) => upstream.destroy()))
    },
  }
}

function finder(
  upstreams: ReadonlyMap<string, Upstream>,
  routes: RoutesSetting | undefined,
): (exchange: Exchange) => Upstream | undefined {
  if (routes === undefined) {
    const [only] = upstreams.values()
    return () => only
  }
  const router = buildRouter(
    Object.entries(routes).flatMap(([key, name]) => {
      const pattern = parsePattern(key)
      const upstream = upstreams.get(name)
      return isPatternFault(pattern) || upstream === undefined ? [] : [[pattern, upstream] as const]
    }),
  )
  return (exchange) => router.find(methodOf(exchange), exchange.path)
}

// A preflight goes where the request goes that it announces.
function methodOf({ incoming }: Exchange): string {
  const { method } = incoming
  return method === 'OPTIONS' ? (incoming.header('access-control-request-method') ?? method) : method
}

function hasBody(exchange: Exchange): boolean {
  return (
    exchange.header('transfer-encoding') !== undefined || (exchange.header('content-length') ?? '0') !== '0'
  )
}
