// One server of a deployment: whether it can be reached and trusted, then the plan, what its answers make possible, and
// what is seen of its connections.

import type { TransportSetting } from '../../controls/transport/setting.ts'
import type { Finding } from '../../guard/control.ts'
import { sendHttp2 } from '../wire/http2.ts'
import { noAnswer } from '../wire/no-answer.ts'
import { type SendOptions, send, type Wire, type WireResult } from '../wire/send.ts'
import { isLoopback, replicaName, type WireTarget } from '../wire/target.ts'
import { conditionalRequests, http2Requests } from './follow-up.ts'
import type { Account, Exchanged } from './judge.ts'
import type { Oracle } from './oracle.ts'
import { inPace, type Pace } from './pace.ts'
import type { Planned } from './plan.ts'
import { judgePublished, PUBLISHED } from './published.ts'
import { SLOW_HEAD } from './raw-classes.ts'
import type { Profile } from './result.ts'
import { certificateFindings, checkPlainHttp, checkTls } from './tls-checks.ts'
import type { VerifyOptions } from './verify.ts'

const POLITE_PER_SECOND = 10
const SLOW_HEAD_MS = 75_000

/** The wires of a run: those given, or the real ones; each says who asks. */
export function wiresOf(options: VerifyOptions): Pick<Run, 'wire' | 'wireHttp2'> {
  return {
    wire: twice(named(options.wire ?? send, options.userAgent)),
    wireHttp2: named(options.wireHttp2 ?? sendHttp2, options.userAgent),
  }
}

// A server that refuses before it has read everything may reset the connection, and its answer is lost on the way.
function twice(wire: Wire): Wire {
  return async (...given) => {
    const result = await wire(...given)
    const lost = result.kind === 'failure' && (result.code === 'ECONNRESET' || result.code === 'EPIPE')
    return lost ? wire(...given) : result
  }
}

// Whoever reads the server's log should know who asked.
function named(wire: Wire, userAgent = 'sallyport-verify'): Wire {
  return (target, request, options) =>
    wire(
      target,
      'raw' in request ? request : { ...request, headers: [...request.headers, ['User-Agent', userAgent]] },
      options,
    )
}

/** What the servers of one run share. */
export interface Run {
  readonly wire: Wire
  readonly wireHttp2: Wire
  readonly transport: TransportSetting
  readonly account: Account
  readonly clock: () => number
  /** Of the policy that is verified. */
  readonly policyDigest: string
  readonly profile: Profile
  readonly options: VerifyOptions
  readonly notes: string[]
  requests: number
}

/** What a first request came to; a text says why nothing can be verified. */
type Reach =
  | string
  | { readonly target: WireTarget; readonly trusted: boolean }
  | { readonly untrusted: readonly Finding[] }

/**
 * Asks once. A certificate that has ended or names another host is a finding, and
 * the rest can still be seen; one that nobody trusts may be anybody's server, so that is all that is said of it.
 */
export async function reachable(run: Run, target: WireTarget): Promise<Reach> {
  const result = await run.wire(
    target,
    { method: 'GET', path: '/', headers: [] },
    limitsFor(target, run.options),
  )
  run.requests++
  if (result.kind === 'answer') {
    if (result.tls?.authorized === false)
      run.notes.push(`the certificate is not trusted (${result.tls.reason})`)
    return { target, trusted: result.tls?.authorized !== false }
  }
  const at = replicaName(target)
  if (result.phase === 'tls' && result.tls !== undefined) {
    if (result.code === 'CERT_HAS_EXPIRED' || result.code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return { target: { ...target, insecure: true }, trusted: false }
    return { untrusted: certificateFindings(result.tls.certificate, result.tls, run.clock()) }
  }
  // A server that is slow on "/", or gives no answer there, may answer everywhere else.
  if (
    result.phase === 'head' &&
    (result.code === 'timeout' || result.code === 'closed' || result.code === 'ECONNRESET')
  )
    return { target, trusted: true }
  return noAnswer(at, result)
}

/** Sends the plan and what follows from it, and hands every answer to the account. */
export async function verifyReplica(
  run: Run,
  target: WireTarget,
  replica: string | undefined,
  planned: readonly Planned[],
  oracle: Oracle,
): Promise<void> {
  const { account, options, wire, transport } = run
  const limits = limitsFor(target, options)
  const loopback = isLoopback(target)
  const perSecond = perSecondOf(target, options)
  const pace: Pace = {
    concurrency: loopback ? 8 : 4,
    perSecond,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.wait ? { wait: options.wait } : {}),
  }
  const tagged = { target, ...withName(replica) }
  const validators = new Map<string, Planned>()
  let done = 0
  const take = (each: Planned, result: WireResult): void => {
    run.requests++
    const exchanged: Exchanged = { planned: each, result, ...tagged }
    account.take(exchanged)
    options.onExchange?.(exchanged)
    const published = judgePublished(each.request, result, run.policyDigest)
    if (published !== undefined)
      account.note('published', 'disclosure', { ...PUBLISHED, ...withName(replica) }, published)
    done++
    options.onProgress?.(done, Math.max(done, planned.length))
    for (const request of conditionalRequests(each, result))
      validators.set(oracle.cellOf(request.request), request)
  }
  const slow =
    run.profile === 'full'
      ? wire(target, { raw: SLOW_HEAD }, { ...limits, limits: { headMs: SLOW_HEAD_MS } })
      : undefined
  await inPace(planned, pace, (each) => wire(target, each.request, limits), take)
  const fresh = [...validators].filter(([cell]) => !account.sawIn(cell).has('304')).map(([, each]) => each)
  await inPace(fresh, pace, (each) => wire(target, each.request, limits), take)
  if (target.scheme === 'https') {
    await overHttp2(run, target, planned, pace, take)
    await checkTls(wire, target, transport, account, run.clock, replica, options.judgeCertificate)
    await checkPlainHttp(
      wire,
      target,
      options.plainPort ?? (target.port === 443 ? 80 : undefined),
      transport,
      account,
      replica,
    )
  } else if (options.plainPort !== undefined)
    await checkPlainHttp(wire, target, options.plainPort, transport, account, replica)
  if (slow) take({ request: { raw: SLOW_HEAD }, meant: 'slow-head', claims: [], role: undefined }, await slow)
}

function withName(replica: string | undefined): { readonly replica?: string } {
  return replica === undefined ? {} : { replica }
}

async function overHttp2(
  run: Run,
  target: WireTarget,
  planned: readonly Planned[],
  pace: Pace,
  take: (each: Planned, result: WireResult) => void,
): Promise<void> {
  const offered = await run.wire(
    target,
    { method: 'GET', path: '/', headers: [] },
    { alpn: ['h2', 'http/1.1'] },
  )
  if (offered.tls?.alpn !== 'h2') return
  await inPace(
    http2Requests(planned),
    pace,
    (each) => run.wireHttp2(target, each.request),
    (each, result) => take(each, result),
  )
}

/** Requests a second; `undefined` is as fast as the answers come. */
export function perSecondOf(target: WireTarget, options: VerifyOptions): number | undefined {
  return options.perSecond ?? (isLoopback(target) ? undefined : POLITE_PER_SECOND)
}

/** How long an answer is waited for. On this machine nothing is far: what is silent for seconds stays silent. */
export function limitsFor(target: WireTarget, options: VerifyOptions): SendOptions {
  return {
    ...(options.signal ? { signal: options.signal } : {}),
    ...(isLoopback(target) ? { limits: { headMs: 5_000, bodyMs: 500 } } : {}),
  }
}
