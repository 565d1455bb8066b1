// The five faces of a control: setting, enforce (compile), describe, probe, compare.

import type { ErrorCode } from '../errors/catalogue.ts'
import type { PolicyProblem } from '../policy/problem.ts'
import type { Schema } from '../policy/schema.ts'
import type { Challenge } from '../ports/challenges.ts'
import type { Counters } from '../ports/counters.ts'
import type { Services } from '../ports/services.ts'
import type { CellInfo, Resolved } from './cell.ts'
import type { Client, Exchange } from './exchange.ts'
import type { Lines } from './lines.ts'
import type { Principal } from './principal.ts'
import type { Tells } from './telling.ts'

/** How a control acts: it acts, it only counts what it would have done, or it does nothing. */
export const MODES = ['enforce', 'report', 'off'] as const
export type Mode = (typeof MODES)[number]

/** What a control's setting has in common with every other. */
interface ModeSetting {
  readonly mode?: Mode
}

/** The requirement ids that a control supports. */
interface StandardsMap {
  /** OWASP ASVS 5.0.0. */
  readonly asvs: readonly string[]
  /** OWASP API Security Top 10, 2023. */
  readonly api: readonly string[]
  /** OWASP Top 10, 2025. */
  readonly top10: readonly string[]
  /** NIST SP 800-53 revision 5. */
  readonly nist: readonly string[]
  /** SOC 2 trust services criteria. */
  readonly soc2: readonly string[]
  /** PCI DSS 4.0.1. */
  readonly pci: readonly string[]
}

/** A refusal, as a value; the pipeline alone writes the answer. */
export interface Denial {
  readonly kind: 'deny'
  readonly code: ErrorCode
  /** Lines that belong to this refusal, such as `Allow` or `Retry-After`. */
  readonly headers?: Lines
  /** What the caller is asked to solve before it is heard. */
  readonly challenge?: Challenge
  /** True where the connection can't be trusted to be in step any more. */
  readonly close?: boolean
  /** What of the request is wrong, for whoever sent it. */
  readonly errors?: readonly InputError[]
  /** The id of the key that this is about. */
  readonly key?: string
}

/** One thing that is wrong with what was sent: where it stands, and a stable code. Never a value, and never a cause. */
export interface InputError {
  /** A place in the body (RFC 6901): `/scopes/0`. */
  readonly pointer?: string
  /** The name of a query parameter or of a header. */
  readonly parameter?: string
  readonly code: string
}

/** An answer that the control gives itself, such as a preflight's. */
export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Lines
  readonly body: string
}

/** `undefined` lets the request pass. */
export type Verdict = Denial | Answer | undefined

/** A verdict, now or after a look-up. */
export type Judgement = Verdict | Promise<Verdict>

/** The headers that the application or the upstream wants to send, by lower-case name; several lines joined by ", ". */
export interface Seen {
  get(name: string): string | undefined
}

/** Facts about the caller, each found out when it is first asked for. */
export interface Identify {
  client?(exchange: Exchange): Client
  requestId?(exchange: Exchange): string
  traceparent?(exchange: Exchange): string | undefined
}

/** What a control does in one cell, compiled from its setting. */
export interface Stage {
  /** Who calls; holds for every answer, also where no control judged. One control of the register has it. */
  readonly identify?: Identify
  /** Judges the request before it is known who calls. */
  early?(exchange: Exchange): Judgement
  /** Judges the request. A promise only where something has to be looked up: a warm request never waits. */
  admit?(exchange: Exchange): Judgement
  /**
   * Hears that a request was refused once `early` had let it pass, and may refuse it in its own way instead. Called when
   * that is decided, whether or not the client still waits for the answer.
   */
  denied?(exchange: Exchange): Denial | undefined | Promise<Denial | undefined>
  /** Answers what the control serves itself, once every control has let the request pass. */
  answer?(exchange: Exchange): Judgement
  /** What it puts on every answer. */
  readonly emit?: EmitStage
}

/** A control's part of every answer's head. */
export interface EmitStage {
  /** Lower-case names that only the policy may set: the application's lines of these names are removed. */
  readonly owns?: readonly string[]
  /** Lower-case names whose application values `perAnswer` wants to see. */
  readonly watches?: readonly string[]
  /** The lines that are the same for every request of the cell. */
  readonly fixed?: Lines
  /**
   * Lines that depend on the request or on what the application sends. Where the request could not be read at all,
   * the exchange is that of the strict cell, with neither method nor headers.
   */
  perAnswer?(exchange: Exchange, status: number, seen: Seen): Lines
  /** Field names added to the application's `Vary`. */
  readonly vary?: readonly string[]
  /** Says whether the application's body is replaced by a problem document, and by which code. */
  replaceBody?(status: number, seen: Seen): ErrorCode | undefined
}

/** What a compiled control may need from outside. */
export interface Needs {
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Fills the array with random bytes. */
  readonly random: (bytes: Uint8Array) => Uint8Array
  readonly place: Place
  readonly services: Services & { readonly counters: Counters }
  /** Set where a policy is only tried: nothing is looked up, counted or told, and every stage answers at once. */
  readonly trial?: Trial
}

/** Who is taken to call where a policy is only tried. */
export interface Trial {
  readonly principal?: Principal
}

/** Where a guard runs; what a place can't do is said by `describe`. */
export type Place = 'gateway' | 'node' | 'fetch'

/** A part of the posture page. */
export interface Section {
  readonly control: string
  readonly id: string
  readonly title: string
  readonly entries: readonly Entry[]
  /** What this control does not do, or can't here. */
  readonly limits: readonly string[]
  /** For whom the section is: `reviewer` where it would help an attacker; the public where nothing is said. */
  readonly audience?: 'public' | 'reviewer'
}

/** One value of the policy, explained. */
export interface Entry {
  readonly name: string
  readonly value: string
  readonly why: string
  /** Cell ids; empty where it holds everywhere. */
  readonly cells: readonly string[]
  /** For whom the entry is, as of a section. */
  readonly audience?: 'public' | 'reviewer'
}

/** What to send, and what must be seen. */
export interface Probe {
  /** Stable: `headers/nosniff`, unique in its control. */
  readonly id: string
  /** A sentence that says what is proved. */
  readonly title: string
  readonly cell: string
  readonly request: ProbeRequest
  /** Judges what was seen; no finding means that the claim holds. */
  expect(seen: Observation): readonly Finding[]
}

/**
 * A request of a probe: either in parts, or the raw bytes to write on a fresh connection, in which `{host}` stands for
 * the host and port that are probed.
 */
export type ProbeRequest =
  | {
      readonly method: string
      readonly path: string
      readonly headers: readonly (readonly [name: string, value: string])[]
      readonly body?: string
    }
  | { readonly raw: string }

/** What a probe saw. */
export interface Observation {
  readonly status: number
  /** Every line in order, names as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly encrypted: boolean
}

/** One thing that does not hold, in the common vocabulary (`hsts.missing`, `drift.cache`, …). */
export interface Finding {
  readonly id: string
  readonly detail: string
  /** The line that mends it. */
  readonly mend: string
}

/** The place of one setting against another in the order of strength. */
export type Strength = 'stronger' | 'weaker' | 'neutral' | 'incomparable'

/** One difference between two settings. */
export interface Change {
  readonly strength: Strength
  /** `hsts.maxAgeSeconds`, `origins`. */
  readonly what: string
  /** One sentence; for `weaker`, what has become possible. */
  readonly because: string
}

/** Why nobody outside can see a control at work. */
interface NotObservable {
  readonly because: string
}

/** What the guard needs of a control: its setting, and how it enforces it. */
export interface Rule<Setting extends ModeSetting = ModeSetting> {
  /** The key of its setting in the policy. */
  readonly name: string
  /** Its register id: `SP-CORS-01`. */
  readonly id: string
  readonly schema: Schema<Setting>
  /** The fields that hold for a whole listener or process; a route that sets one is refused. */
  readonly wholePolicy?: readonly string[]
  /** The setting that holds where the policy says nothing. */
  readonly defaults: Setting
  /** What is contradictory or insecure in the setting of one cell; paths are relative to the setting. */
  contradictions?(setting: Setting, cell: CellInfo): readonly PolicyProblem[]
  /**
   * The setting for paths that two programs may read differently, from those of the two cells that they may take them
   * for: at least as strict as both. Absent: that of the first, the more specific one.
   */
  strict?(setting: Setting, other: Setting): Setting
  /**
   * Routes that a policy gains by its top level, such as those of a page that the control serves; what is written for
   * them lies over them.
   */
  routes?(base: object): { readonly [pattern: string]: object }
  /** What must be given for this setting and is not, in one sentence that says how to mend it. */
  missing?(setting: Setting, cell: CellInfo, services: Services): string | undefined
  /** What the log is told of its refusals; absent where it tells of them itself. */
  readonly tells?: Tells
  /** Which service a store gives: a gateway then says how to name one. */
  readonly keptAs?: keyof Services
  compile?(setting: Setting, cell: CellInfo, needs: Needs): Stage
}

/** A control: its rule, and the faces that show it. They stand apart so that a guard does not carry them. */
export interface Control<Setting extends ModeSetting = ModeSetting> extends Rule<Setting> {
  readonly title: string
  /** The version in which it came. */
  readonly since: string
  readonly standards: StandardsMap
  /** `place` is where the guard runs: what can't be done there stands among the limits. */
  describe(cells: readonly Resolved<Setting>[], place: Place): Section
  readonly probe: ((cells: readonly Resolved<Setting>[]) => readonly Probe[]) | NotObservable
  /** `was` is the cell before, where its data or its credentials were others. */
  compare(before: Setting, after: Setting, cell: CellInfo, was?: CellInfo): readonly Change[]
}
