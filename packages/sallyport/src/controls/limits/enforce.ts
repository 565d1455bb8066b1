// Counts. An address is counted before it is known who calls, and given back when it is; then the caller's plan. Whoever
// shows a credential is counted by address only once that turns out to be none, or the many callers behind one address
// would take its bucket from each other while they are looked up.

import type { Denial, Needs, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { type Lines, NO_LINES } from '../../guard/lines.ts'
import {
  burstOf,
  type CounterDecision,
  type CounterRequest,
  type CounterVerdict,
} from '../../ports/counters.ts'
import { type AddressBucket, addressBuckets, type Bucket, planFinder } from './buckets.ts'
import { addressKey, principalKey } from './caller.ts'
import { type Note, notesTo } from './notes.ts'
import { type LimitsSetting, limitsAnything } from './setting.ts'
import { LimitLines, mostExhausted, OWNED, refusal, refusalOf, structuredLines } from './told.ts'

export function compileLimits(setting: LimitsSetting, needs: Needs): Stage {
  if (!limitsAnything(setting)) return {}
  const owed: Owed = new WeakMap()
  const buckets = addressBuckets(setting)
  const mayOwe = !needs.trial && buckets.length > 0 && buckets.every(({ refundable }) => refundable)
  const early = earlyStage(setting, needs, mayOwe ? owed : undefined)
  const admit = admitStage(setting, needs, owed)
  return {
    ...(early ? { early } : {}),
    ...(admit ? { admit } : {}),
    ...(mayOwe ? { denied: collecting(setting, needs, owed) } : {}),
    emit: { owns: OWNED, ...(isTold(setting) ? { perAnswer: linesFor(setting, needs) } : {}) },
  }
}

function isTold(setting: LimitsSetting): boolean {
  return (setting.disclose ?? 'full') === 'full'
}

/** What a request takes from its address if it turns out that nobody knows who calls. */
type Owed = WeakMap<Exchange, readonly CounterRequest[]>

/** True where the request shows something by which a control may find out who calls. */
function showsCredential({ incoming, cookiesIgnored }: Exchange): boolean {
  return (
    incoming.header('authorization') !== undefined ||
    incoming.header('x-api-key') !== undefined ||
    incoming.clientCertificate !== undefined ||
    (!cookiesIgnored && incoming.header('cookie') !== undefined)
  )
}

function earlyStage(setting: LimitsSetting, needs: Needs, owed: Owed | undefined): Stage['early'] {
  const shed = shedding(setting, needs)
  const buckets = addressBuckets(setting)
  if (buckets.length === 0) return shed
  const { cost = 1 } = setting
  const judge = judging(setting, needs)
  const look = judging(setting, needs, 'peek')
  return (exchange) => {
    const shedded = shed?.(exchange)
    if (shedded) return shedded
    if (needs.trial) return judge(exchange, asked(buckets, '', cost))
    const requests = addressRequests(exchange, buckets, cost)
    if (owed === undefined || requests.length === 0 || !showsCredential(exchange))
      return judge(exchange, requests)
    const isFree = (refusal: Settled): Settled => {
      if (refusal === undefined) owed.set(exchange, requests)
      return refusal
    }
    const refusal = look(exchange, requests)
    return refusal instanceof Promise ? refusal.then(isFree) : isFree(refusal)
  }
}

/** Takes from the address of a request that was refused before its plan was asked. */
function collecting(setting: LimitsSetting, needs: Needs, owed: Owed): NonNullable<Stage['denied']> {
  const judge = judging(setting, needs)
  return (exchange) => {
    const requests = owed.get(exchange)
    if (requests === undefined) return undefined
    owed.delete(exchange)
    return judge(exchange, requests)
  }
}

// Less important requests first; what is critical goes on as long as it can.
function shedding({ shed, critical }: LimitsSetting, { services, trial }: Needs) {
  const { load } = services
  if (shed?.delayMs === undefined || critical || trial || load === undefined) return undefined
  const { delayMs, retryAfterSeconds = 5 } = shed
  const denial = refusal('overloaded', retryAfterSeconds)
  return (_exchange: Exchange): Denial | undefined => (load() > delayMs ? denial : undefined)
}

function admitStage(setting: LimitsSetting, needs: Needs, owed: Owed): Stage['admit'] {
  const { cost = 1, by } = setting
  const refunded = addressBuckets(setting).filter(({ refundable }) => refundable)
  const kept = new Set(addressBuckets(setting).flatMap(({ refundable, name }) => (refundable ? [] : name)))
  if (setting.plans === undefined && refunded.length === 0) return undefined
  const bucketsOf = planFinder(setting)
  const judge = judging(setting, needs)
  return (exchange) => {
    const { principal, limits: before } = exchange
    const requests = owed.get(exchange)
    if (requests !== undefined) owed.delete(exchange)
    if (principal === undefined) return requests && judge(exchange, requests)
    if (before && requests === undefined && refunded.length > 0 && !needs.trial)
      void needs.services.counters.refund(addressRequests(exchange, refunded, cost), before)
    const rest = before?.decisions.filter(({ bucket }) => kept.has(bucket)) ?? []
    exchange.limits = before && rest.length > 0 ? { ...before, decisions: rest } : undefined
    const buckets = bucketsOf(principal)
    if (buckets.length === 0) return undefined
    return judge(exchange, asked(buckets, principalKey(principal, by), cost), rest)
  }
}

type Settled = Denial | undefined

/** Takes from all buckets, or looks at them; leaves what they say on the exchange, and refuses where one has no room. */
function judging(setting: LimitsSetting, needs: Needs, question: 'take' | 'peek' = 'take') {
  const { disclose = 'full' } = setting
  const note = needs.trial ? undefined : noteFor(needs)
  return (
    exchange: Exchange,
    requests: readonly CounterRequest[],
    told: readonly CounterDecision[] = [],
  ): Settled | Promise<Settled> => {
    if (requests.length === 0) return undefined
    const settle = (verdict: CounterVerdict): Denial | undefined => {
      exchange.limits =
        told.length === 0 ? verdict : { ...verdict, decisions: [...verdict.decisions, ...told] }
      if (verdict.allowed) return undefined
      if (verdict.by !== 'closed') note?.(exchange, requests, verdict)
      return refusalOf(verdict, disclose)
    }
    const verdict = needs.trial ? untouched(requests) : needs.services.counters[question](requests)
    return verdict instanceof Promise ? verdict.then(settle) : settle(verdict)
  }
}

function asked(buckets: readonly Bucket[], key: string, cost: number): CounterRequest[] {
  const requests: CounterRequest[] = []
  for (const bucket of buckets) requests.push(request(bucket, key, cost))
  return requests
}

// An address that is not known has no bucket: all callers of such a host would share it.
function addressRequests(
  { client }: Exchange,
  buckets: readonly AddressBucket[],
  cost: number,
): CounterRequest[] {
  const requests: CounterRequest[] = []
  const { address } = client
  for (const bucket of buckets) {
    const key = addressKey(address, bucket.ipv6Prefix)
    if (key !== undefined) requests.push(request(bucket, key, cost))
  }
  return requests
}

function request(bucket: Bucket, key: string, cost: number): CounterRequest {
  const { name, limit, windowMs, algorithm, burst, onOutage } = bucket
  return burst === undefined
    ? { bucket: name, key, limit, windowMs, algorithm, cost, onOutage }
    : { bucket: name, key, limit, windowMs, algorithm, cost, burst, onOutage }
}

/** What full buckets would say. */
function untouched(requests: readonly CounterRequest[]): CounterVerdict {
  const decisions = requests.map((each): CounterDecision => {
    const { bucket, limit, windowMs, algorithm, cost } = each
    const most = algorithm === 'smooth' ? burstOf(each) : limit
    const allowed = cost <= most
    const full = algorithm === 'smooth' ? (cost * windowMs) / limit : windowMs
    return {
      bucket,
      allowed,
      limit,
      remaining: allowed ? most - cost : most,
      resetAfterMs: allowed ? Math.ceil(full) : 0,
      retryAfterMs: allowed ? 0 : Number.POSITIVE_INFINITY,
    }
  })
  const allowed = decisions.every((decision) => decision.allowed)
  const retryAfterMs = allowed ? 0 : Number.POSITIVE_INFINITY
  return { allowed, decisions, retryAfterMs, takenAtUs: 0, by: 'memory' }
}

function linesFor(setting: LimitsSetting, { clock }: Needs) {
  const bucketsOf = planFinder(setting)
  const windows = new Map(addressBuckets(setting).map(({ name, windowMs }) => [name, windowMs / 1000]))
  const structured = (exchange: Exchange, decisions: readonly CounterDecision[]): string => {
    const buckets = exchange.principal ? bucketsOf(exchange.principal) : []
    return structuredLines(decisions, (name) => {
      const own = buckets.find((bucket) => bucket.name === name)
      return own ? own.windowMs / 1000 : windows.get(name)
    })
  }
  return (exchange: Exchange): Lines => {
    const { limits } = exchange
    const decision = limits && mostExhausted(limits.decisions)
    if (!decision) return NO_LINES
    return new LimitLines(
      decision,
      clock(),
      setting.structuredFields ? structured(exchange, limits.decisions) : '',
    )
  }
}

// The cells of one guard share their notes, or a caller would be told of once for each kind of cell.
const notes = new WeakMap<object, Note>()

function noteFor({ services, clock }: Needs): Note | undefined {
  const { audit } = services
  if (audit === undefined) return undefined
  let known = notes.get(services)
  if (known === undefined) {
    known = notesTo(audit, clock)
    notes.set(services, known)
  }
  return known
}
