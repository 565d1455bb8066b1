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
/** How long what is broken off has to say goodbye; milliseconds. */
const FAREWELL_MS = 500

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
  /** Breaks off all that is under way; returns how many there were, when they are gone or a moment has passed. */
  abandonAll(): Promise<number>
  report(): readonly UpstreamReport[]
  /**
   * Makes other upstreams and routes ready. They take over when what is returned is called, which says what is new:
   * requests under way end where they are, and an upstream that is as before goes on as it is.
   */
  reconfigure(all: readonly UpstreamOptions[], routes: RoutesSetting | undefined): () => readonly string[]
  destroy(): Promise<void>
}

interface Opened extends Upstream {
  /** All that it was opened with, the content of its files included. */
  readonly made: string
}

/**
 * Opens the upstreams.
 *
 * @param routes the upstream's name by path pattern; without it the only upstream has every path
 * @param onFailure is told of each request that failed because of an upstream, with an error code
 */
export function createForwarder(
  first: readonly UpstreamOptions[],
  firstRoutes: RoutesSetting | undefined,
  onFailure: (exchange: Exchange, reason: string) => void,
): Forwarder {
  const now = () => performance.now()
  const underWay = createUnderWay<Transfer>()
  const held = createShares(HELD_TOTAL, HELD_TOTAL / 4)
  let onEmpty = () => {}
  const ended = (transfer: Transfer, { outcome, reason }: TransferEnd): void => {
    underWay.remove(transfer)
    if (outcome === 'failed') onFailure(transfer.exchange, reason ?? 'unknown')
    if (leaving.size > 0) closeLeaving()
    if (underWay.size === 0) onEmpty()
  }
  const open = (options: UpstreamOptions): Opened => ({
    ...openUpstream(options, now, held, ended),
    made: JSON.stringify(options),
  })
  // Upstreams that get no more requests.
  const leaving = new Set<Opened>()
  let upstreams: ReadonlyMap<string, Opened> = new Map(first.map((one) => [one.name, open(one)]))
  let routes = firstRoutes
  let find = finder(upstreams, routes)
  let sweeper = sweepEvery(first)

  // One timer for all: a timer for each request costs more than the request.
  function sweepEvery(all: readonly UpstreamOptions[]): NodeJS.Timeout {
    const times = all.flatMap(({ limits: l }) => [
      l.bodyIdleMs,
      l.uploadStartMs,
      l.headMs,
      l.queueMs,
      l.tunnelIdleMs,
    ])
    const sweep = () => {
      const at = now()
      for (const transfer of underWay.all()) transfer.sweep(at)
    }
    return setInterval(sweep, Math.min(1_000, ...times.map((ms) => ms / 4))).unref()
  }

  function closeLeaving(): void {
    const busy = new Set(underWay.all().map((transfer) => transfer.site))
    for (const one of leaving)
      if (!busy.has(one.site)) {
        leaving.delete(one)
        void one.destroy()
      }
  }

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
    async abandonAll() {
      const left = underWay.all()
      for (const transfer of left) transfer.abandon()
      // A WebSocket is told, and its connection must live until that is written.
      if (underWay.size > 0)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, FAREWELL_MS)
          onEmpty = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      return left.length
    },
    report: () => [...upstreams.values()].map((upstream) => upstream.report()),
    reconfigure(all, nextRoutes) {
      const made = all.map((options) => [options, JSON.stringify(options)] as const)
      return () => {
        const before = upstreams
        const same = (name: string, text: string) => {
          const known = before.get(name)
          return known?.made === text ? known : undefined
        }
        upstreams = new Map(
          made.map(([options, text]) => [options.name, same(options.name, text) ?? open(options)]),
        )
        const notes = changes(before, upstreams)
        if (JSON.stringify(routes) !== JSON.stringify(nextRoutes))
          notes.push('the routes to upstreams have changed')
        routes = nextRoutes
        find = finder(upstreams, routes)
        clearInterval(sweeper)
        sweeper = sweepEvery(all)
        for (const [name, one] of before) if (upstreams.get(name) !== one) leaving.add(one)
        closeLeaving()
        return notes
      }
    },
    async destroy() {
      clearInterval(sweeper)
      await Promise.all([...upstreams.values(), ...leaving].map((upstream) => upstream.destroy()))
    },
  }
}

function changes(before: ReadonlyMap<string, Opened>, after: ReadonlyMap<string, Opened>): string[] {
  const notes: string[] = []
  for (const [name, one] of after)
    if (!before.has(name)) notes.push(`the upstream ${name} is new`)
    else if (before.get(name) !== one) notes.push(`the upstream ${name} has changed`)
  for (const name of before.keys()) if (!after.has(name)) notes.push(`the upstream ${name} is gone`)
  return notes
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
