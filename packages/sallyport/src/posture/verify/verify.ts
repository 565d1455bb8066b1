// Holds a live deployment against its policy: every probe of every control, every class of answers in every cell,
// judged by what enforcement itself would have sent.

import type { TransportSetting } from '../../controls/transport/setting.ts'
import type { Place } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../../guard/resolve.ts'
import { digest } from '../../policy/digest.ts'
import { sendHttp2 } from '../wire/http2.ts'
import { type SendOptions, send, type Wire, type WireResult } from '../wire/send.ts'
import {
  authorityOf,
  isLoopback,
  originOf,
  parseTarget,
  replicaName,
  type WireTarget,
} from '../wire/target.ts'
import { type Credential, redactor } from './credential.ts'
import { conditionalRequests, http2Requests } from './follow-up.ts'
import { type Account, type Exchanged, openAccount } from './judge.ts'
import { createOracle } from './oracle.ts'
import { inPace, type Pace } from './pace.ts'
import { type Planned, planRun, type Sample } from './plan.ts'
import { SLOW_HEAD } from './raw-classes.ts'
import { CouldNotVerify, type Profile, type Verification } from './result.ts'
import { checkPlainHttp, checkTls } from './tls-checks.ts'

/** How a verification is done; everything has a default. */
export interface VerifyOptions {
  /** `full` adds slow probes and more of each cell; `quick`. */
  readonly profile?: Profile
  /** Where the policy runs: it decides what a path that is not canonical meets. Either will do where nothing is said. */
  readonly place?: Place
  /** Sends requests that may change something. */
  readonly allowWrites?: boolean
  /** Paths that are known to answer in a certain way. */
  readonly samples?: readonly Sample[]
  readonly credentials?: readonly Credential[]
  /** Several servers behind the name; each is verified. */
  readonly replicas?: readonly WireTarget[]
  /** A port without TLS that must refuse; 80 where the target is on 443. */
  readonly plainPort?: number
  /** Requests of the plan, for each replica; 400, or 2,000 in `full`. */
  readonly maxRequests?: number
  /** Requests a second; 10, and unlimited on loopback. */
  readonly perSecond?: number
  /** `sallyport-verify` where nothing is said. */
  readonly userAgent?: string
  readonly signal?: AbortSignal
  /** Told of each answer: how many have come, of how many. */
  readonly onProgress?: (done: number, of: number) => void
  /** Told of each exchange, to keep it. */
  readonly onExchange?: (exchanged: Exchanged) => void
  readonly wire?: Wire
  readonly wireHttp2?: Wire
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
  /** Waits between requests; milliseconds. */
  readonly wait?: (ms: number) => Promise<unknown>
}

const MAX_REQUESTS = { quick: 400, full: 2_000 } as const
const POLITE_PER_SECOND = 10
const SLOW_HEAD_MS = 75_000

/**
 * Verifies a deployment.
 *
 * @param target a URL, or a target with its certificate authority; a path of the URL is taken as a sample
 * @throws PolicyError where the policy is wrong, TypeError where the URL is, CouldNotVerify where nothing answered
 */
export async function verify(
  policy: PolicyDocument | ResolvedPolicy,
  target: string | WireTarget,
  options: VerifyOptions = {},
): Promise<Verification> {
  const clock = options.clock ?? Date.now
  const began = clock()
  const resolved = 'cells' in policy ? policy : resolvePolicy(policy)
  const parsed = typeof target === 'string' ? parseTarget(target) : { target, path: '/' }
  const profile = options.profile ?? 'quick'
  const credentials = options.credentials ?? []
  const replicas = options.replicas?.length ? options.replicas : [parsed.target]
  const oracle = createOracle(resolved, authorityOf(parsed.target), options.place)
  const redact = redactor(credentials)
  const account = openAccount(oracle, redact, curlStandIns(credentials))
  const samples: readonly Sample[] = [
    ...(options.samples ?? []),
    ...(parsed.path === '/' ? [] : [{ class: '200', path: parsed.path } as const]),
  ]
  const run: Run = {
    wire: twice(named(options.wire ?? send, options.userAgent)),
    wireHttp2: named(options.wireHttp2 ?? sendHttp2, options.userAgent),
    transport: resolved.cells.at(-2)!.settings['transport'] as TransportSetting,
    account,
    clock,
    profile,
    options,
    requests: 0,
    notes: [],
  }
  const reached: string[] = []
  let lastReason = ''
  for (const replica of replicas) {
    const name = replicas.length > 1 ? replicaName(replica) : undefined
    const reach = await reachable(run, replica, name)
    if (typeof reach === 'string') {
      lastReason = reach
      const about = {
        class: '200',
        cell: '*',
        curl: '',
        ...(name === undefined ? {} : { replica: name }),
      } as const
      account.note('reachable', 'transport', about, [
        { id: 'verify.unreachable', detail: reach, mend: 'start it, or take it out of the list' },
      ])
      continue
    }
    const plan = planRun(oracle, {
      profile,
      allowWrites: options.allowWrites === true,
      samples,
      credentials: reach.trusted ? credentials : [],
      maxRequests: options.maxRequests ?? MAX_REQUESTS[profile],
    })
    if (!reach.trusted && credentials.length > 0)
      run.notes.push('the certificate is not trusted, so no credential was sent')
    run.notes.push(...plan.notes)
    for (const each of plan.notRun) account.skip(each)
    await verifyReplica(run, reach.target, name, plan.requests, oracle)
    reached.push(replicaName(replica))
  }
  if (reached.length === 0) throw new CouldNotVerify(lastReason)
  refuseBlockPages(account)
  const report = account.report()
  if (report.of === 0)
    throw new CouldNotVerify(
      'no answer could be held against the policy; see that it enforces something, and raise --max-requests',
    )
  return {
    format: 'sallyport-verification/1',
    at: new Date(began).toISOString(),
    target: originOf(parsed.target),
    policyDigest: await digest(resolved.document),
    profile,
    source: 'live',
    durationMs: clock() - began,
    requests: run.requests,
    ...report,
    notes: [...new Set([...run.notes, ...blockNotes(account)])],
    replicas: reached,
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

interface Run {
  readonly wire: Wire
  readonly wireHttp2: Wire
  readonly transport: TransportSetting
  readonly account: Account
  readonly clock: () => number
  readonly profile: Profile
  readonly options: VerifyOptions
  readonly notes: string[]
  requests: number
}

// A certificate that has ended or names another host is a finding, and the rest can still be seen; one that nobody
// trusts may be anybody's server.
async function reachable(
  run: Run,
  target: WireTarget,
  name: string | undefined,
): Promise<string | { readonly target: WireTarget; readonly trusted: boolean }> {
  const result = await run.wire(target, { method: 'GET', path: '/', headers: [] }, limitsFor(target, run))
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
    return `the certificate of ${name ?? at} is not trusted (${result.code}); name its authority with --ca FILE, or look all the same with --insecure`
  }
  // A server that is slow on "/", or gives no answer there, may answer everywhere else.
  if (
    result.phase === 'head' &&
    (result.code === 'timeout' || result.code === 'closed' || result.code === 'ECONNRESET')
  )
    return { target, trusted: true }
  if (result.code === 'not-http')
    return `${at} does not speak HTTP${target.scheme === 'http' ? ' without TLS; write https:// where it speaks TLS' : ''}`
  return `${at} gave no answer: ${result.phase} ${result.code}`
}

async function verifyReplica(
  run: Run,
  target: WireTarget,
  replica: string | undefined,
  planned: readonly Planned[],
  oracle: ReturnType<typeof createOracle>,
): Promise<void> {
  const { account, options, wire, transport } = run
  const limits = limitsFor(target, run)
  const loopback = isLoopback(target)
  const perSecond = options.perSecond ?? (loopback ? undefined : POLITE_PER_SECOND)
  const pace: Pace = {
    concurrency: loopback ? 8 : 4,
    perSecond,
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.wait ? { wait: options.wait } : {}),
  }
  const tagged = { target, ...(replica === undefined ? {} : { replica }) }
  const validators = new Map<string, Planned>()
  let done = 0
  const take = (each: Planned, result: WireResult): void => {
    run.requests++
    const exchanged: Exchanged = { planned: each, result, ...tagged }
    account.take(exchanged)
    options.onExchange?.(exchanged)
    options.onProgress?.(++done, planned.length)
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
    await checkTls(wire, target, transport, account, run.clock, replica)
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

// On this machine nothing is far: what is silent for seconds stays silent.
function limitsFor(target: WireTarget, { options }: Run): SendOptions {
  return {
    ...(options.signal ? { signal: options.signal } : {}),
    ...(isLoopback(target) ? { limits: { headMs: 5_000, bodyMs: 500 } } : {}),
  }
}

function curlStandIns(credentials: readonly Credential[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    credentials.map(({ role, header }) => [
      header.toLowerCase(),
      `$${role.toUpperCase().replaceAll('-', '_')}_CREDENTIAL`,
    ]),
  )
}

function refuseBlockPages({ answers, blocked }: Account): void {
  const count = [...blocked.values()].reduce((sum, each) => sum + each, 0)
  if (answers > 0 && count * 2 > answers)
    throw new CouldNotVerify(
      `${count} of ${answers} answers were a block page of ${[...blocked.keys()].join(', ')}; let this client through, or verify behind it with --replica`,
    )
}

function blockNotes({ blocked }: Account): readonly string[] {
  return Array.from(
    blocked,
    ([vendor, count]) => `${count} answers were a block page of ${vendor}, and were not judged`,
  )
}
