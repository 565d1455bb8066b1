// What the admin listener asks: one gateway, or a parent that asks all of its processes.

import type { Family } from '../metrics/families.ts'
import type { WouldDoRow } from '../metrics/would-do.ts'
import type { ReloadOutcome } from '../reload/reloader.ts'
import type { Reporting } from './reporting.ts'

/** Whether the process lives. */
export interface Health {
  readonly status: 'ok'
  readonly version: string
  readonly uptimeSeconds: number
  /** The 99th percentile since it was asked last. */
  readonly eventLoopDelaySeconds: number
  /** Processes that answer requests. */
  readonly processes: number
}

/** Whether requests should be sent here. */
export interface Readiness {
  readonly ready: boolean
  /** Why not; sentences. */
  readonly reasons: readonly string[]
  readonly policyDigest: string
  /** Why the last reload failed, while the policy before goes on; sentences, as `sallyport check` writes them. */
  readonly reloadProblems?: readonly string[]
  /** Things that need somebody's attention, but no other machine; sentences. */
  readonly warnings: readonly string[]
  /** The last backup that was proved, where the gateway keeps backups; `null` where none was yet. */
  readonly lastBackup?: BackupAge | null
}

/** How old a backup is. */
export interface BackupAge {
  /** RFC 3339. */
  readonly at: string
  readonly ageSeconds: number
}

/** The report of what would be denied. */
export interface WouldDoReport {
  readonly policyDigest: string
  /** The controls in report mode. */
  readonly reporting: readonly Reporting[]
  /** RFC 3339: since when is counted. */
  readonly since: string
  /** Requests in that time. */
  readonly requests: number
  readonly rows: readonly WouldDoRow[]
}

/** The operator's hold on a gateway. */
export interface ControlPlane {
  health(): Promise<Health>
  readiness(): Promise<Readiness>
  metrics(): Promise<readonly Family[]>
  report(): Promise<WouldDoReport>
  /** The effective documents; nothing of it is secret. */
  configuration(): Promise<unknown>
  /** `undefined` where there is nothing to reload from. */
  reload(): Promise<ReloadOutcome | undefined>
  /** Begins to drain; the process ends after it where it is a process of its own. */
  drain(): void
}
