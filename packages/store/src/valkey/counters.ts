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
import { inTime } from './deadline.ts'
import { counterScript, counterScriptDigest } from './script.ts'

/** What is used of a client: `ioredis` or `iovalkey`, made with `valkeyClientOptions`. */
export interface ValkeyClient {
  readonly options: { readonly enableOfflineQueue?: boolean | undefined }
  evalsha(digest: string, keys: number, ...rest: string[]): Promise<unknown>
  eval(script: string, keys: number, ...rest: string[]): Promise<unknown>
}

// A primary that has become a replica keeps its connections. Servers before 7 say it within the error of the script.
const NOT_HERE = /(?:^|-)(?:READONLY|MOVED|MASTERDOWN) /

/**
 * How a client for counters is made: nothing is queued while the store is away and nothing is sent a second time, so
 * that what was answered without the store is never counted later. A server that says that another one counts is left:
 * the name is resolved anew.
 */
export const valkeyClientOptions = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 500,
  retryStrategy: (): number => 250,
  reconnectOnError: (error: Error): boolean => NOT_HERE.test(error.message),
} as const

export interface ValkeyCountersOptions {
  readonly client: ValkeyClient
  /** How many processes share the limits; a bucket that counts locally gets its part. */
  readonly nodes: number
  /** Before each key in the store; `sallyport:`. */
  readonly prefix?: string
  /** How long a request waits for the store while the process could read its answer; 50. */
  readonly deadlineMs?: number
  /** Milliseconds that never step back; `performance.now()`. */
  readonly clock?: () => number
  /** Calls back after a time and answers how to call that off; `setTimeout`. */
  readonly timer?: (ms: number, fire: () => void) => () => void
  /** Calls back once what has arrived meanwhile was read; `setImmediate`. */
  readonly afterReads?: (then: () => void) => void
  /** Hears when the store is taken to be away, and when it is back. */
  readonly onAway?: (isAway: boolean) => void
  /** Who counts while the store is away; its own counters in memory. */
  readonly local?: MemoryCounters
}

/** How the store answers. */
export interface ValkeyState {
  /** True while no request waits for the store: it did not answer five times in a row, and has not been seen since. */
  readonly open: boolean
  /** Questions in a row that it did not answer. */
  readonly failures: number
  /** Questions so far that were decided without it. */
  readonly withoutStore: number
}

/** Counters that say how their store answers. */
export interface ValkeyCounters extends Counters {
  /** Looks whether a store that is away is back, where that is due; the answer is in the next state. */
  state(): ValkeyState
}

/** How long a caller whom a `closed` bucket refused should wait: by then the breaker has looked again. */
const closedRetryMs = 1000

/** What came of a question: its answer, or that one may still come. */
interface Run {
  readonly answer?: number[]
  readonly late?: Promise<number[] | undefined>
}

function timeout(ms: number, fire: () => void): () => void {
  const handle = setTimeout(fire, ms)
  return () => clearTimeout(handle)
}

/**
 * Counters in Valkey or Redis 6 or later. A verdict's `by` says whether the store counted it.
 * On a cluster all keys of one question must belong to one principal: the hash tag is the principal's digest.
 * @throws TypeError for a client that queues commands while it has no connection.
 */
export function valkeyCounters(options: ValkeyCountersOptions): ValkeyCounters {
  const { client, nodes, prefix = 'sallyport:', deadlineMs = 50, timer = timeout } = options
  if (client.options.enableOfflineQueue !== false)
    throw new TypeError(
      'The Valkey client queues commands while it has no connection, so requests would be counted long after they were answered; make it with valkeyClientOptions.',
    )
  const clock = options.clock ?? (() => performance.now())
  const local = options.local ?? memoryCounters({ clock })
  const deadline = { ms: deadlineMs, clock, timer, afterReads: options.afterReads ?? setImmediate }
  const tell = (isAway: boolean): void => {
    try {
      options.onAway?.(isAway)
    } catch {
      // Whoever can't write it down must not cost the request.
    }
  }
  const circuit = breaker(clock, () => inTime(send('probe', '0', [`${prefix}{probe}`], []), deadline), tell)

  let decidedHere = 0
  // Verdicts made here: those that the store counted after all, by when it did, and those that were given back before.
  const countedThere = new WeakMap<CounterVerdict, number>()
  const givenBack = new WeakSet<CounterVerdict>()

  /** Runs the script; what was sent is counted, however late its answer comes. */
  function send(mode: string, takenAtUs: string, keys: string[], rest: string[]): Promise<unknown> {
    const parameters = [...keys, mode, takenAtUs, ...rest]
    return client.evalsha(counterScriptDigest, keys.length, ...parameters).catch((cause: unknown) => {
      if (!String(cause instanceof Error ? cause.message : cause).startsWith('NOSCRIPT')) throw cause
      return client.eval(counterScript, keys.length, ...parameters)
    })
  }

  async function run(mode: string, requests: readonly CounterRequest[], takenAtUs = '0'): Promise<Run> {
    if (!circuit.closed()) return {}
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
    const reply = send(mode, takenAtUs, keys, rest).then(numbers)
    try {
      const answer = await inTime(reply, deadline)
      circuit.succeeded()
      return { answer }
    } catch {
      circuit.failed()
      return { late: reply.catch(() => undefined) }
    }
  }

  async function decide(requests: readonly CounterRequest[], mode: 'take' | 'peek'): Promise<CounterVerdict> {
    checkCounterRequests(requests)
    const { answer, late } = await run(mode, requests)
    if (answer) return verdictOf(requests, answer)
    decidedHere++
    const verdict = withoutStore(requests, mode)
    if (mode === 'take' && late) void settleLate(requests, verdict, late)
    return verdict
  }

  /** What was decided here and then counted by the store too is counted once: there where it passed, nowhere else. */
  async function settleLate(
    requests: readonly CounterRequest[],
    verdict: CounterVerdict,
    late: Promise<number[] | undefined>,
  ): Promise<void> {
    const answer = await late
    if (answer?.[0] !== 1) return
    if (verdict.allowed && !givenBack.has(verdict)) {
      local.refund(localOf(requests), verdict)
      countedThere.set(verdict, answer[1]!)
    } else await run('refund', requests, `${answer[1]}`)
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
    state: () => ({
      open: !circuit.closed(),
      failures: circuit.failures(),
      withoutStore: decidedHere,
    }),
    take: (requests) => decide(requests, 'take'),
    peek: (requests) => decide(requests, 'peek'),
    async refund(requests, verdict) {
      checkCounterRequests(requests)
      if (!verdict.allowed) return
      const there = verdict.by === 'valkey' ? verdict.takenAtUs : countedThere.get(verdict)
      if (there !== undefined) await run('refund', requests, `${there}`)
      else {
        givenBack.add(verdict)
        if (verdict.by === 'local') local.refund(localOf(requests), verdict)
      }
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
