// Counters shared by processes through Valkey or Redis: one script, one round trip, an own deadline, and a declared
// answer for each bucket while the store is away.

import { hash } from 'node:crypto'
import {
  burstOf,
  type CounterDecision,
  type CounterRequest,
  type Counters,
  type CounterVerdict,
  checkCounterRequests,
  localShare,
  type MemoryCounters,
  memoryCounters,
} from 'sallyport/counters'
import { breaker } from './breaker.ts'
import { counterScript, counterScriptDigest } from './script.ts'

/** What is used of a client: `ioredis` or `iovalkey`, made with `valkeyClientOptions`. */
export interface ValkeyClient {
  readonly options: { readonly enableOfflineQueue?: boolean | undefined }
  evalsha(digest: string, keys: number, ...rest: string[]): Promise<unknown>
  eval(script: string, keys: number, ...rest: string[]): Promise<unknown>
}

/**
 * How a client for counters is made: nothing is queued while the store is away and nothing is sent a second time, so
 * that what was answered without the store is never counted later.
 */
export const valkeyClientOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 500,
  retryStrategy: (): number => 250,
} as const

export interface ValkeyCountersOptions {
  readonly client: ValkeyClient
  /** How many processes share the limits; a bucket that counts locally gets its part. */
  readonly nodes: number
  /** Before each key in the store; `sallyport:`. */
  readonly prefix?: string
  /** How long a request waits for the store; 50. */
  readonly deadlineMs?: number
  /** Milliseconds that never step back; `performance.now()`. */
  readonly clock?: () => number
  /** Calls back after a time and answers how to call that off; `setTimeout`. */
  readonly timer?: (ms: number, fire: () => void) => () => void
  /** Who counts while the store is away; its own counters in memory. */
  readonly local?: MemoryCounters
}

/** How long a caller whom a `closed` bucket refused should wait: by then the breaker has looked again. */
const closedRetryMs = 1000

function timeout(ms: number, fire: () => void): () => void {
  const handle = setTimeout(fire, ms)
  return () => clearTimeout(handle)
}

/**
 * Counters in Valkey or Redis 6 or later. A verdict's `by` says whether the store counted it.
 * On a cluster all keys of one question must belong to one principal: the hash tag is the principal's digest.
 * @throws TypeError for a client that queues commands while it has no connection.
 */
export function valkeyCounters(options: ValkeyCountersOptions): Counters {
  const { client, nodes, prefix = 'sallyport:', deadlineMs = 50, timer = timeout } = options
  if (client.options.enableOfflineQueue !== false)
    throw new TypeError(
      'The Valkey client queues commands while it has no connection, so requests would be counted long after they were answered; make it with valkeyClientOptions.',
    )
  const clock = options.clock ?? (() => performance.now())
  const local = options.local ?? memoryCounters({ clock })
  const circuit = breaker(clock, () => send('probe', '0', [`${prefix}{probe}`], []))

  /** Runs the script and rejects when the deadline passes; a late answer is dropped, a late count stays counted. */
  function send(mode: string, takenAtUs: string, keys: string[], rest: string[]): Promise<unknown> {
    const parameters = [...keys, mode, takenAtUs, ...rest]
    const reply = client.evalsha(counterScriptDigest, keys.length, ...parameters).catch((cause: unknown) => {
      if (!String(cause instanceof Error ? cause.message : cause).startsWith('NOSCRIPT')) throw cause
      return client.eval(counterScript, keys.length, ...parameters)
    })
    return new Promise((resolve, reject) => {
      const off = timer(deadlineMs, () =>
        reject(new Error(`The store did not answer within ${deadlineMs} ms.`)),
      )
      reply.then(
        (value) => {
          off()
          resolve(value)
        },
        (cause: unknown) => {
          off()
          reject(cause)
        },
      )
    })
  }

  async function run(
    mode: string,
    requests: readonly CounterRequest[],
    takenAtUs = '0',
  ): Promise<number[] | undefined> {
    if (!circuit.closed()) return undefined
    const keys: string[] = []
    const rest: string[] = []
    // Mostly one caller asks for all of its buckets.
    let caller: string | undefined
    let digest = ''
    for (const request of requests) {
      const { key, algorithm, limit, windowMs, cost, bucket } = request
      if (key !== caller) {
        caller = key
        digest = hash('sha256', key, 'base64url')
      }
      keys.push(`${prefix}{${digest}}:${algorithm}:${windowMs}:${bucket}`)
      rest.push(algorithm, `${limit}`, `${windowMs}000`, `${cost}`, `${burstOf(request)}`)
    }
    try {
      const answer = numbers(await send(mode, takenAtUs, keys, rest))
      circuit.succeeded()
      return answer
    } catch {
      circuit.failed()
      return undefined
    }
  }

  async function decide(requests: readonly CounterRequest[], mode: 'take' | 'peek'): Promise<CounterVerdict> {
    checkCounterRequests(requests)
    const answer = await run(mode, requests)
    return answer ? verdictOf(requests, answer) : withoutStore(requests, mode)
  }

  function withoutStore(requests: readonly CounterRequest[], mode: 'take' | 'peek'): CounterVerdict {
    const refuses = requests.some((request) => request.onOutage === 'closed')
    const counted = localOf(requests)
    const inner = mode === 'take' && !refuses ? local.take(counted) : local.peek(counted)
    const here = inner.decisions.values()
    const decisions = requests.map((request): CounterDecision => {
      const mode = request.onOutage ?? 'local'
      if (mode === 'local') return here.next().value!
      const { bucket, limit } = request
      const allowed = mode === 'open'
      const retryAfterMs = allowed ? 0 : closedRetryMs
      return {
        bucket,
        limit,
        allowed,
        remaining: allowed ? limit : 0,
        resetAfterMs: retryAfterMs,
        retryAfterMs,
      }
    })
    return {
      allowed: inner.allowed && !refuses,
      decisions,
      retryAfterMs: Math.max(inner.retryAfterMs, refuses ? closedRetryMs : 0),
      takenAtUs: inner.takenAtUs,
      by: refuses ? 'closed' : counted.length > 0 ? 'local' : 'open',
    }
  }

  function localOf(requests: readonly CounterRequest[]): readonly CounterRequest[] {
    return requests
      .filter(({ onOutage = 'local' }) => onOutage === 'local')
      .map((request) => localShare(request, nodes))
  }

  return {
    take: (requests) => decide(requests, 'take'),
    peek: (requests) => decide(requests, 'peek'),
    async refund(requests, verdict) {
      checkCounterRequests(requests)
      if (!verdict.allowed) return
      if (verdict.by === 'local') local.refund(localOf(requests), verdict)
      else if (verdict.by === 'valkey') await run('refund', requests, `${verdict.takenAtUs}`)
    },
  }
}

function numbers(reply: unknown): number[] {
  if (!Array.isArray(reply)) throw new TypeError('The store answered something else than a list.')
  const list = reply.map(Number)
  if (list.length < 2 || list.some((value) => !Number.isFinite(value)))
    throw new TypeError('The store answered something else than numbers.')
  return list
}

function verdictOf(requests: readonly CounterRequest[], answer: readonly number[]): CounterVerdict {
  const decisions = requests.map(({ bucket, limit }, index): CounterDecision => {
    const [fits = 0, remaining = 0, resetUs = 0, retryUs = 0] = answer.slice(2 + index * 4)
    return {
      bucket,
      allowed: fits === 1,
      limit,
      remaining,
      resetAfterMs: Math.ceil(resetUs / 1000),
      retryAfterMs: retryUs < 0 ? Number.POSITIVE_INFINITY : Math.ceil(retryUs / 1000),
    }
  })
  const retryAfterMs = Math.max(0, ...decisions.map((decision) => decision.retryAfterMs))
  return { allowed: answer[0] === 1, decisions, retryAfterMs, takenAtUs: answer[1]!, by: 'valkey' }
}
