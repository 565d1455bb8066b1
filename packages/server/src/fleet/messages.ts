// What the parent and its processes say to each other.

import type { Health, Readiness, WouldDoReport } from '../admin/control-plane.ts'
import type { Behind, CloseOptions, GatewayEvent, GatewayOptions } from '../contract.ts'
import type { Family } from '../metrics/families.ts'
import type { Documents } from '../operation.ts'
import type { ReloadOutcome } from '../reload/reloader.ts'

/** The options of a gateway that can be sent: all but what is a function, and what the parent keeps. */
export type SentOptions = Omit<
  GatewayOptions,
  'upstream' | 'clock' | 'timers' | 'services' | 'source' | 'admin' | 'onDrain' | 'log' | 'credentialKey'
> & {
  readonly upstream?: string
  readonly credentialKey: string
  /** What `/config` shows. */
  readonly sourceName: string
}

/** The questions of the parent, and what is answered. */
export interface Answers {
  health: Health
  readiness: Readiness
  metrics: readonly Family[]
  report: WouldDoReport
  configuration: unknown
  reload: ReloadOutcome | undefined
  reopenLog: undefined
}

export type Question = keyof Answers

export type ToWorker =
  | { readonly kind: 'start'; readonly options: SentOptions }
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly question: Question
      /** For `reload`. */
      readonly documents?: Documents<Behind>
    }
  | { readonly kind: 'drain'; readonly how: CloseOptions }

export type FromWorker =
  | { readonly kind: 'ready'; readonly url: string; readonly address: { address: string; port: number } }
  | { readonly kind: 'failed'; readonly message: string; readonly name: string; readonly code?: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'event'; readonly event: GatewayEvent }
  /** The last counts, when nothing is under way any more. */
  | { readonly kind: 'drained'; readonly brokenOff: number; readonly families: readonly Family[] }
