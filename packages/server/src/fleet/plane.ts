// The operator's view of a fleet: what each process says, made one.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ControlPlane } from '../admin/control-plane.ts'
import { type Family, mergeFamilies, single } from '../metrics/families.ts'
import { reloadFamilies } from '../metrics/reloads.ts'
import { mergeRows } from '../metrics/would-do.ts'
import type { ReloadOutcome, ReloadState } from '../reload/reloader.ts'
import type { Member } from './member.ts'

/** What the parent knows by itself. */
export interface FleetFacts {
  members(): readonly Member[]
  readonly workers: number
  isDraining(): boolean
  policyDigest(): string
  reloadState(): ReloadState | undefined
  reload(): Promise<ReloadOutcome | undefined>
  drain(): void
  clock(): number
}

/** A control plane that remembers what processes have counted that are gone. */
export interface FleetPlane extends ControlPlane {
  retire(families: readonly Family[]): void
  restarted(): void
}

// The parent's own, or of no use when it is added up over processes that are gone.
const NOT_KEPT: ReadonlySet<string> = new Set(['sallyport_reloads_total', 'sallyport_reload_failing'])

export function fleetPlane(facts: FleetFacts): FleetPlane {
  const started = facts.clock()
  const loop = monitorEventLoopDelay({ resolution: 20 })
  loop.enable()
  let retired: readonly Family[] = []
  let restarts = 0

  async function all<T>(ask: (member: Member) => Promise<T | undefined>): Promise<readonly T[]> {
    const answers = await Promise.all(facts.members().map(ask))
    return answers.filter((answer) => answer !== undefined)
  }

  return {
    restarted: () => void restarts++,
    retire(families) {
      // A gauge ends with its process; what was counted stays counted, or the sums would fall.
      const counted = families.filter(({ name, type }) => type !== 'gauge' && !NOT_KEPT.has(name))
      retired = mergeFamilies([retired, counted])
    },
    async health() {
      const answers = await all((member) => member.ask('health'))
      const own = Math.max(0, loop.percentile(99) / 1e9 - 0.02)
      loop.reset()
      return {
        status: 'ok',
        version: answers[0]?.version ?? '',
        uptimeSeconds: Math.round((facts.clock() - started) / 1_000),
        eventLoopDelaySeconds: Math.max(own, ...answers.map((answer) => answer.eventLoopDelaySeconds)),
        processes: answers.length,
      }
    },
    async readiness() {
      const answers = await all((member) => member.ask('readiness'))
      const notReady = answers.flatMap(({ reasons }) => reasons)
      const reasons = [
        ...(facts.isDraining() ? ['the gateway is draining'] : []),
        // As long as one is ready the port answers: what connects meets that one or waits for the next.
        ...(answers.some(({ ready }) => ready) ? [] : ['no process of the gateway is ready', ...notReady]),
      ]
      const missing = facts.workers - answers.length
      // All of them look into one folder; the one that looked last knows best.
      const backups = answers.flatMap(({ lastBackup }) => (lastBackup === undefined ? [] : [lastBackup]))
      const [newest] = backups.sort((a, b) => (b?.at ?? '').localeCompare(a?.at ?? ''))
      const problems = facts.reloadState()?.problems
      return {
        ready: reasons.length === 0,
        reasons: [...new Set(reasons)],
        policyDigest: facts.policyDigest(),
        ...(problems ? { reloadProblems: problems } : {}),
        warnings: [
          ...(missing > 0 ? [`${missing} of ${facts.workers} processes do not answer`] : []),
          ...new Set(answers.flatMap(({ warnings }) => warnings)),
        ],
        ...(newest === undefined ? {} : { lastBackup: newest }),
      }
    },
    async metrics() {
      const answers = await all((member) => member.ask('metrics'))
      const kept = answers.map((families) => families.filter(({ name }) => !NOT_KEPT.has(name)))
      return [
        ...mergeFamilies([...kept, retired]),
        ...reloadFamilies(facts.reloadState()),
        single('gauge', 'sallyport_processes', 'Processes that answer requests.', answers.length),
        single(
          'counter',
          'sallyport_process_restarts_total',
          'Processes started after one crashed.',
          restarts,
        ),
      ]
    },
    async report() {
      const answers = await all((member) => member.ask('report'))
      return {
        policyDigest: facts.policyDigest(),
        reporting: answers[0]?.reporting ?? [],
        since: answers.map(({ since }) => since).sort()[0] ?? new Date(facts.clock()).toISOString(),
        requests: answers.reduce((sum, { requests }) => sum + requests, 0),
        rows: mergeRows(answers.map(({ rows }) => rows)),
      }
    },
    async configuration() {
      const [first] = await all((member) => member.ask('configuration'))
      return { ...(first as object | undefined), processes: facts.workers }
    },
    reload: facts.reload,
    drain: facts.drain,
  }
}
