// Holds a live deployment against its policy: every probe of every control, every class of answers in every cell,
// judged by what enforcement itself would have sent.

import type { TransportSetting } from '../../controls/transport/setting.ts'
import type { Finding, Place } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../../guard/resolve.ts'
import { digest } from '../../policy/digest.ts'
import type { Wire } from '../wire/send.ts'
import { authorityOf, originOf, parseTarget, replicaName, type WireTarget } from '../wire/target.ts'
import { type Credential, redactor, standIns } from './credential.ts'
import { type Account, type Exchanged, openAccount } from './judge.ts'
import { blockNotes, refusalNotes, refuseBlockPages, skipClosed } from './not-judged.ts'
import { createOracle } from './oracle.ts'
import type { Owned } from './owned.ts'
import { ASK_PLACE, notJudgedWithout, placeIn, saysPlace } from './place.ts'
import { planRun, type Sample } from './plan.ts'
import { provokeLimits } from './provoke.ts'
import { limitsFor, type Run, reachable, verifyReplica, wiresOf } from './replica.ts'
import { CouldNotVerify, type Profile, type Verification } from './result.ts'
import { verifyTenants } from './tenants.ts'

/** How a verification is done; everything has a default. */
export interface VerifyOptions {
  /** `full` adds slow probes and more of each cell; `quick`. */
  readonly profile?: Profile
  /**
   * Where the policy runs: it decides what a path that is not canonical meets. Where nothing is said, the posture that the
   * deployment publishes says it; where none does, either will do, and the result says so.
   */
  readonly place?: Place
  /** Sends requests that may change something. */
  readonly allowWrites?: boolean
  /**
   * Uses up the smallest bucket of an address and of each credential on purpose, once everything else was asked, and judges
   * the refusals. `full` waits for Retry-After too, up to 90 s for each.
   */
  readonly provokeLimits?: boolean
  /** Paths that are known to answer in a certain way. */
  readonly samples?: readonly Sample[]
  readonly credentials?: readonly Credential[]
  /** Objects of the organisation of a role, which every other role and nobody must be refused. */
  readonly owned?: readonly Owned[]
  /** Several servers behind the name; each is verified. */
  readonly replicas?: readonly WireTarget[]
  /** A port without TLS that must refuse; 80 where the target is on 443. */
  readonly plainPort?: number
  /** False where the certificate is a test's own, which nobody has to trust. */
  readonly judgeCertificate?: boolean
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
  const wires = wiresOf(options)
  const place = options.place ?? (await publishedPlace(resolved, replicas[0]!, wires, options))
  const oracle = createOracle(resolved, authorityOf(parsed.target), place)
  const redact = redactor(credentials)
  const account = openAccount(oracle, redact, standIns(credentials))
  const samples: readonly Sample[] = [
    ...(options.samples ?? []),
    ...(parsed.path === '/' ? [] : [{ class: '200', path: parsed.path } as const]),
  ]
  const policyDigest = await digest(resolved.document)
  const run: Run = {
    ...wires,
    transport: resolved.cells.at(-2)!.settings['transport'] as TransportSetting,
    account,
    clock,
    policyDigest,
    profile,
    options,
    requests: 0,
    notes:
      options.place === undefined && place !== undefined
        ? [`the published posture says that the policy runs in place ${place}`]
        : [],
  }
  const maxRequests = options.maxRequests ?? MAX_REQUESTS[profile]
  let first: { readonly target: WireTarget; readonly trusted: boolean; readonly planned: number } | undefined
  const reached: string[] = []
  let lastReason = ''
  for (const replica of replicas) {
    const name = replicas.length > 1 ? replicaName(replica) : undefined
    const reach = await reachable(run, replica)
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
    if ('untrusted' in reach) {
      noteUntrusted(account, replica, name, reach.untrusted)
      reached.push(replicaName(replica))
      continue
    }
    const plan = planRun(oracle, {
      profile,
      allowWrites: options.allowWrites === true,
      samples,
      credentials: reach.trusted ? credentials : [],
      maxRequests,
    })
    if (!reach.trusted && credentials.length > 0)
      run.notes.push('the certificate is not trusted, so no credential was sent')
    run.notes.push(...plan.notes)
    for (const each of plan.notRun) account.skip(each)
    await verifyReplica(run, reach.target, name, plan.requests, oracle)
    reached.push(replicaName(replica))
    first ??= { ...reach, planned: plan.requests.length }
  }
  run.notes.push(...refusalNotes(account))
  // Servers behind one name may share their counts and their caches, so one of them speaks for all.
  if (first !== undefined) {
    const rest = { run, target: first.target, oracle, credentials: first.trusted ? credentials : [] }
    const { owned = [], allowWrites = false } = options
    const before = run.requests
    const budget = maxRequests - first.planned
    if (first.trusted) await verifyTenants({ ...rest, owned, allowWrites, budget })
    if (options.provokeLimits === true)
      await provokeLimits({ ...rest, samples, budget: budget - (run.requests - before) })
  }
  skipClosed(account, oracle, credentials)
  if (options.signal?.aborted) throw new CouldNotVerify('the verification was called off')
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
    policyDigest,
    profile,
    source: 'live',
    durationMs: clock() - began,
    requests: run.requests,
    ...report,
    notJudged: notJudgedWithout(place, resolved),
    notes: [...new Set([...run.notes, ...blockNotes(account)])],
    replicas: reached,
  }
}

// What a deployment says of itself; whoever knows better says --place.
async function publishedPlace(
  policy: ResolvedPolicy,
  target: WireTarget,
  { wire }: Pick<Run, 'wire'>,
  options: VerifyOptions,
): Promise<Place | undefined> {
  if (!saysPlace(policy)) return undefined
  const result = await wire(target, ASK_PLACE, limitsFor(target, options))
  return result.kind === 'answer' ? placeIn(result) : undefined
}

// Who answers there is not known, so nothing else is asked of it.
function noteUntrusted(
  account: Account,
  target: WireTarget,
  name: string | undefined,
  findings: readonly Finding[],
): void {
  const about = {
    class: 'tls-versions',
    cell: '*',
    curl: `openssl s_client -connect ${replicaName(target)} -servername ${target.host}`,
    ...(name === undefined ? {} : { replica: name }),
  } as const
  account.note('certificate', 'transport', about, findings)
  account.skip({
    probe: `everything else${name === undefined ? '' : ` of ${name}`}`,
    because:
      'the certificate is not trusted; name its authority with --ca FILE, or look all the same with --insecure',
  })
}
