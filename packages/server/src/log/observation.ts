// Watches a request from its arrival to the end of its answer, for the log and the counts.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { TLSSocket } from 'node:tls'
import { catalogue } from 'sallyport'
import { type Exchange, exchangeOf } from 'sallyport/node'

/** What became of a request: it passed, a control refused it, or a control answered it (a preflight, a page). */
type Decision = 'pass' | 'deny' | 'answer'

/** One request that is over. */
export interface Observation {
  readonly exchange: Exchange
  /** 0 where the client left before an answer. */
  readonly status: number
  /** Milliseconds since the epoch. */
  readonly endedAtMs: number
  readonly durationMs: number
  /** Bytes of the connection since the request before, heads included; not known on HTTP/2. */
  readonly requestBytes: number | undefined
  readonly responseBytes: number | undefined
  /** `1.3`; absent where TLS does not end here. */
  readonly tlsVersion: string | undefined
  readonly decision: Decision
  /** The register id of the control that decided. */
  readonly rule: string | undefined
  /** The code of the refusal. */
  readonly code: string | undefined
  /** Why it failed behind the gateway. */
  readonly error: string | undefined
}

/** Takes each request that is over. */
export type OnObserved = (seen: Observation) => void

interface Bytes {
  read: number
  written: number
  readonly tls: string | undefined
}

const BYTES = Symbol('sallyport.bytes')

type Counted = IncomingMessage['socket'] & { [BYTES]?: Bytes }

/** Watches requests. */
export interface Observer {
  /** Puts the watch around a server that has its guard already. */
  watch(server: Server): void
  /** Watches one request whose exchange is open; for fronts that have no such server. */
  begin(request: IncomingMessage, response: ServerResponse, startedAt?: number): void
  /** Says why a request failed behind the gateway. */
  failed(exchange: Exchange, reason: string): void
  /** Tells of an answer that Node gave by itself, which is no event of the server. */
  answeredByNode(exchange: Exchange): void
  /** Tells of what could not be read as a request. */
  unreadable(exchange: Exchange): void
  /** Requests under way. */
  readonly open: number
}

/** @param clock milliseconds since the epoch */
export function createObserver(onObserved: OnObserved, clock: () => number): Observer {
  const failures = new WeakMap<Exchange, string>()
  const watched = new WeakSet<ServerResponse>()
  let open = 0
  let isEntering = false

  function begin(request: IncomingMessage, response: ServerResponse, startedAt = performance.now()): void {
    const exchange = exchangeOf(response)
    // Absent where the connection is refused already; known where HTTP/2 handed the request on.
    if (exchange === undefined || watched.has(response) || isUnread(exchange)) return
    watched.add(response)
    open++
    const socket = request.socket as Counted
    const bytes = bytesOf(socket)
    response.once('close', () => {
      open--
      const { bytesRead, bytesWritten } = socket
      const isCounted = typeof bytesRead === 'number'
      const { decision } = exchange
      onObserved({
        exchange,
        status: response.headersSent ? response.statusCode : 0,
        endedAtMs: clock(),
        durationMs: performance.now() - startedAt,
        requestBytes: isCounted ? bytesRead - bytes.read : undefined,
        responseBytes: isCounted ? bytesWritten - bytes.written : undefined,
        tlsVersion: bytes.tls,
        decision: decision === undefined ? 'pass' : decision.verdict.kind,
        rule: decision?.control,
        code: decision?.verdict.kind === 'deny' ? decision.verdict.code : undefined,
        error: failures.get(exchange),
      })
      if (isCounted) {
        bytes.read = bytesRead
        bytes.written = bytesWritten
      }
    })
  }

  return {
    get open() {
      return open
    },
    begin,
    failed: (exchange, reason) => void failures.set(exchange, reason),
    watch(server) {
      const emit = server.emit as (event: string, ...values: unknown[]) => boolean
      server.emit = function observedEmit(
        event: string,
        first?: unknown,
        second?: unknown,
        third?: unknown,
      ): boolean {
        if (
          event !== 'request' &&
          event !== 'checkContinue' &&
          event !== 'checkExpectation' &&
          event !== 'upgrade'
        )
          // biome-ignore lint/complexity/noArguments: as many values as there were
          return emit.apply(server, arguments as unknown as [string, ...unknown[]])
        const startedAt = performance.now()
        isEntering = true
        try {
          return emit.call(server, event, first, second, third)
        } finally {
          isEntering = false
          if (event === 'upgrade') tellRefusal(exchangeOf(first as IncomingMessage))
          else begin(first as IncomingMessage, second as ServerResponse, startedAt)
        }
      } as typeof server.emit
    },
    answeredByNode(exchange) {
      // On HTTP/2 Node answers nothing, and the front tells of each request itself.
      if (isEntering || exchange.incoming.httpVersion === '2.0') return
      // Node answers two requests before any listener hears of them: one without Host, and one too many on its connection.
      const hasHost = exchange.header('host') !== undefined
      tell(exchange, hasHost ? 503 : 400, hasHost ? 'unavailable' : 'host_invalid')
    },
    unreadable: (exchange) => tell(exchange, 0, 'unreadable'),
  }

  // A request for another protocol that was let in has a response by now, and is watched by it.
  function tellRefusal(exchange: Exchange | undefined): void {
    if (exchange?.decision === undefined) return
    const { control, verdict } = exchange.decision
    if (verdict.kind === 'deny') tell(exchange, catalogue[verdict.code].status, verdict.code, control)
  }

  function tell(exchange: Exchange, status: number, code: string, rule?: string): void {
    onObserved({
      exchange,
      status,
      endedAtMs: clock(),
      durationMs: 0,
      requestBytes: undefined,
      responseBytes: undefined,
      tlsVersion: undefined,
      decision: 'deny',
      rule,
      code,
      error: undefined,
    })
  }
}

// The marks of a connection: what was read and written up to the end of the request before.
function bytesOf(socket: Counted): Bytes {
  const known = socket[BYTES]
  if (known) return known
  const version = (socket as unknown as TLSSocket).getProtocol?.()
  const made = { read: 0, written: 0, tls: version?.replace(/^TLSv/, '') }
  socket[BYTES] = made
  return made
}

// Told already, when the guard was asked for it.
function isUnread(exchange: Exchange): boolean {
  return exchange.incoming.method === ''
}
