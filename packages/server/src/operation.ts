// What an operator sees of a gateway and does to it: the guard that can be replaced, the counts, the log, the reloads.
// The data path only tells it what happens.

import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import {
  createGuard,
  digest,
  type Guard,
  type PolicyDocument,
  type ResolvedPolicy,
  resolvePolicy,
  type Services,
  servicesFor,
} from 'sallyport'
import type { Exchange } from 'sallyport/node'
import type { BackupAge, ControlPlane } from './admin/control-plane.ts'
import { rulesInReport } from './admin/reporting.ts'
import { accessLine } from './log/line.ts'
import { createObserver, type Observer } from './log/observation.ts'
import type { AccessLogSetting } from './log/setting.ts'
import { type LogSink, openSink } from './log/sink.ts'
import { type Family, labelText, single } from './metrics/families.ts'
import { createGatewayMetrics } from './metrics/gateway-metrics.ts'
import { reloadFamilies } from './metrics/reloads.ts'
import { createWouldDoCounts } from './metrics/would-do.ts'
import { fixedFaults } from './reload/fixed.ts'
import { createLiveGuard, type LiveGuard } from './reload/live-guard.ts'
import { createReloader, type ReloadOutcome, ReloadRefused, type Source } from './reload/reloader.ts'
import { selfCheck } from './reload/self-check.ts'

/** What a gateway is reloaded with. */
export interface Documents<Configuration = unknown> {
  readonly policy: PolicyDocument
  /** Absent where there is no configuration file. */
  readonly configuration?: Configuration
}

/** What the rest of the gateway tells when it is asked. */
export interface GatewayFacts {
  readonly isDraining: boolean
  readonly connections: number
  /** Sentences for `/readyz`. */
  readonly notReady: readonly string[]
  readonly warnings: readonly string[]
  readonly lastBackup?: BackupAge | null
  readonly families: readonly Family[]
  /** The effective configuration; nothing of it is secret. */
  readonly configuration: unknown
}

/** What it is made of. */
export interface OperationOptions<Configuration> {
  readonly policy: PolicyDocument
  readonly clock: () => number
  readonly source: Source<Documents<Configuration>> | undefined
  readonly accessLog: AccessLogSetting
  readonly services?: Services
  /** Keeps the ids of credentials equal in all processes of one gateway. */
  readonly credentialKey?: Buffer
  /**
   * Makes a new configuration ready; lets it take over when what it returns is called, and says what is new and what takes
   * a restart. Throws where it can't be.
   */
  configure(configuration: Configuration): Promise<() => readonly string[]>
  /** Reads what else is read anew, aside; lets it take over when what it returns is called, and says what is new. */
  prepare(): Promise<() => readonly string[]>
  facts(): GatewayFacts
  drain(): void
  onJudged(isRefused: boolean): void
  onReload(outcome: ReloadOutcome): void
}

/** The operation of one gateway. */
export interface Operation {
  readonly guard: LiveGuard
  readonly observer: Observer
  readonly plane: ControlPlane
  readonly version: string
  readonly startedAt: string
  readonly policyDigest: string
  reload(): Promise<ReloadOutcome | undefined>
  upstreamFailed(exchange: Exchange, reason: string): void
  /** Opens the log anew, after rotation. */
  reopenLog(): Promise<void>
  close(): Promise<void>
}

const NO_SINK: LogSink = { write() {}, dropped: 0, async reopen() {}, async close() {} }

/** @throws PolicyError where the policy is wrong; the system's error where the log can't be opened */
export async function createOperation<Configuration>(
  options: OperationOptions<Configuration>,
): Promise<Operation> {
  const { clock } = options
  const started = clock()
  const version = await ownVersion()
  const metrics = createGatewayMetrics()
  const would = createWouldDoCounts(options.credentialKey)
  // One for all policies that this process will have: counts outlive a reload.
  const services = servicesFor(options.services ?? {})
  // The workers of one gateway share this key, and so what they derive from it.
  if (options.credentialKey && services.identitySeed === undefined)
    Object.assign(services, {
      identitySeed: createHmac('sha256', options.credentialKey).update('sallyport identity seed').digest(),
    })
  const sink =
    options.accessLog === false || options.accessLog === undefined ? NO_SINK : openLog(options.accessLog)
  let countedSince = started
  let countedRequests = 0

  const observer = createObserver((seen) => {
    countedRequests++
    metrics.observe(seen)
    if (sink !== NO_SINK) sink.write(accessLine(seen))
  }, clock)

  // A guard that is only tried must not count.
  function compile(resolved: ResolvedPolicy): { readonly guard: Guard; readonly goLive: () => void } {
    let isLive = false
    const guard = createGuard(resolved, 'gateway', {
      clock,
      onWouldDo: (one) => isLive && would.add(one),
      services,
    })
    return {
      guard,
      goLive: () => {
        isLive = true
      },
    }
  }

  const first = compile(resolvePolicy(options.policy))
  first.goLive()
  let policyDigest = await digest(first.guard.policy.document)
  const guard = createLiveGuard(first.guard, {
    opened: observer.answeredByNode,
    judged: (_exchange, verdict) => options.onJudged(verdict?.kind === 'deny'),
    unreadable: observer.unreadable,
  })

  async function apply({ policy, configuration }: Documents<Configuration>) {
    const resolved = resolvePolicy(policy)
    const name = options.source?.name ?? 'policy'
    const faults = fixedFaults(guard.policy, resolved).map((fault) => `${name}: ${fault}`)
    if (faults.length > 0) throw new ReloadRefused(faults)
    const next = compile(resolved)
    const fault = selfCheck(createGuard(resolved, 'gateway', { clock, trial: {} }))
    if (fault !== undefined) throw new ReloadRefused([`${name}: ${fault}`])
    const nextDigest = await digest(resolved.document)
    const takeOver = await options.prepare()
    const configured = configuration === undefined ? undefined : await options.configure(configuration)
    // Last, since from here on nothing can fail any more.
    const notes = [...takeOver(), ...(configured?.() ?? [])]
    const changed = nextDigest !== policyDigest
    if (changed) {
      next.goLive()
      guard.swap(next.guard)
      policyDigest = nextDigest
      would.reset()
      countedSince = clock()
      countedRequests = 0
    }
    return { policyDigest, changed, notes }
  }

  const reloader = options.source && createReloader(options.source, apply, clock)

  async function reload(): Promise<ReloadOutcome | undefined> {
    const outcome = await reloader?.reload()
    if (outcome) options.onReload(outcome)
    return outcome
  }

  const plane: ControlPlane = {
    health: async () => ({
      status: 'ok',
      version,
      uptimeSeconds: Math.round((clock() - started) / 1_000),
      eventLoopDelaySeconds: metrics.eventLoopDelay(),
      processes: 1,
    }),
    async readiness() {
      const { isDraining, notReady, warnings, lastBackup } = options.facts()
      const reasons = [...(isDraining ? ['the gateway is draining'] : []), ...notReady]
      const problems = reloader?.state.problems
      return {
        ready: reasons.length === 0,
        reasons,
        policyDigest,
        ...(problems ? { reloadProblems: problems } : {}),
        warnings,
        ...(lastBackup === undefined ? {} : { lastBackup }),
      }
    },
    async metrics() {
      const facts = options.facts()
      return [
        ...metrics.families(),
        ...would.families(),
        ...facts.families,
        single('gauge', 'http_server_active_requests', 'Requests under way.', observer.open),
        single('gauge', 'sallyport_connections', 'Open connections.', facts.connections),
        single('gauge', 'sallyport_draining', '1 while the gateway drains.', Number(facts.isDraining)),
        single('counter', 'sallyport_access_log_dropped_lines_total', 'Log lines lost.', sink.dropped),
        single('gauge', 'process_start_time_seconds', 'When it began.', started / 1_000, 'max'),
        ...reloadFamilies(reloader?.state),
        infoFamily('sallyport_build_info', 'The version.', { version, node: process.versions.node }),
        infoFamily('sallyport_policy_info', 'The policy that runs.', { digest: policyDigest }),
      ]
    },
    report: async () => ({
      policyDigest,
      reporting: rulesInReport(guard.policy),
      since: new Date(countedSince).toISOString(),
      requests: countedRequests,
      rows: would.rows(),
    }),
    configuration: async () => ({
      version,
      policyDigest,
      policySource: options.source?.name ?? 'a program',
      policy: guard.policy.document,
      gateway: options.facts().configuration,
    }),
    reload,
    drain: options.drain,
  }

  return {
    guard,
    observer,
    plane,
    version,
    startedAt: new Date(started).toISOString(),
    get policyDigest() {
      return policyDigest
    },
    reload,
    upstreamFailed(exchange, reason) {
      observer.failed(exchange, reason)
      metrics.upstreamFailed(reason)
    },
    reopenLog: () => sink.reopen(),
    async close() {
      metrics.stop()
      await sink.close()
    },
  }
}

function openLog(where: Exclude<AccessLogSetting, false>): LogSink {
  return openSink(where === 'stdout' ? where : { file: where.file! })
}

function infoFamily(name: string, help: string, labels: Readonly<Record<string, string>>): Family {
  const text = labelText(Object.keys(labels), Object.values(labels))
  return { name, help, type: 'gauge', merge: 'max', samples: [{ suffix: '', labels: text, value: 1 }] }
}

async function ownVersion(): Promise<string> {
  // By our own name, since sources and the published form lie at different depths.
  const text = await readFile(new URL(import.meta.resolve('@sallyport/server/package.json')), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
