// Verifies again and again, and tells when what is found changes: PCI DSS 11.6.1 asks for exactly this of
// security-impacting headers. Time, state and the teller come from outside.

import { CouldNotVerify, type Verification, type VerifyFinding } from './result.ts'
import { fingerprint } from './sarif.ts'

/** What was found last, and already told. */
export interface WatchState {
  readonly format: 'sallyport-watch/1'
  /** RFC 3339. */
  readonly at: string
  readonly target: string
  readonly policyDigest: string
  readonly known: readonly Known[]
}

/** A finding as the state keeps it. */
export interface Known {
  /** 12 hexadecimal digits, the same whenever the same thing is seen. */
  readonly fingerprint: string
  readonly id: string
  readonly severity: string
  readonly class: string
  readonly cell: string
  readonly detail: string
  readonly mend: string
}

/** A change of what is found. */
export interface Change {
  readonly format: 'sallyport-change/1'
  readonly at: string
  readonly target: string
  readonly policyDigest: string
  readonly appeared: readonly Known[]
  readonly gone: readonly Known[]
  /** Findings after the change. */
  readonly findings: number
}

export interface WatchOptions {
  /** Milliseconds between the beginnings of two runs. */
  readonly everyMs: number
  readonly run: () => Promise<Verification>
  /** The state as it was written last; `undefined` at first. */
  readonly read: () => Promise<WatchState | undefined>
  readonly write: (state: WatchState) => Promise<void>
  /** Tells of a change; where it throws, it is told again after the next run. */
  readonly tell: (change: Change) => Promise<void>
  /** Told of each run: for the terminal. */
  readonly onRun?: (
    outcome: Verification | CouldNotVerify,
    change: Change | undefined,
    failure?: unknown,
  ) => void
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Waits; milliseconds. */
  readonly wait: (ms: number) => Promise<unknown>
  readonly signal?: AbortSignal
}

/** Watches until it is called off. What could not be verified is told like a finding: silence is no proof. */
export async function watch(options: WatchOptions): Promise<void> {
  const { clock, signal } = options
  while (!signal?.aborted) {
    const began = clock()
    await once(options)
    const left = options.everyMs - (clock() - began)
    if (left > 0 && !signal?.aborted) await options.wait(left)
  }
}

async function once(options: WatchOptions): Promise<void> {
  const before = await options.read()
  let outcome: Verification | CouldNotVerify
  try {
    outcome = await options.run()
  } catch (error) {
    if (!(error instanceof CouldNotVerify)) throw error
    outcome = error
  }
  const at = new Date(options.clock()).toISOString()
  const state = stateOf(outcome, at, before)
  const change = changeBetween(before, state)
  if (change !== undefined) {
    try {
      await options.tell(change)
    } catch (error) {
      // The old state stays, so the change is still one after the next run.
      options.onRun?.(outcome, change, error)
      return
    }
  }
  await options.write(state)
  options.onRun?.(outcome, change)
}

function stateOf(
  outcome: Verification | CouldNotVerify,
  at: string,
  before: WatchState | undefined,
): WatchState {
  if (outcome instanceof CouldNotVerify) {
    const unknown: Known = {
      fingerprint: 'could-not-verify',
      id: 'verify.unreachable',
      severity: 'high',
      class: 'any',
      cell: '*',
      detail: outcome.message,
      mend: 'make the deployment answer',
    }
    const known = [
      ...(before?.known ?? []).filter((each) => each.fingerprint !== unknown.fingerprint),
      unknown,
    ]
    return {
      format: 'sallyport-watch/1',
      at,
      target: before?.target ?? '',
      policyDigest: before?.policyDigest ?? '',
      known,
    }
  }
  return {
    format: 'sallyport-watch/1',
    at,
    target: outcome.target,
    policyDigest: outcome.policyDigest,
    known: outcome.findings.map(knownOf),
  }
}

function knownOf(finding: VerifyFinding): Known {
  const { id, severity, class: where, cell, detail, mend } = finding
  return { fingerprint: fingerprint(finding), id, severity, class: where, cell, detail, mend }
}

/** What has changed; `undefined` where nothing has. Before the first run nothing is known. */
export function changeBetween(before: WatchState | undefined, after: WatchState): Change | undefined {
  const ids = (state: WatchState | undefined) => new Set(state?.known.map((each) => each.fingerprint))
  const [old, now] = [ids(before), ids(after)]
  const appeared = after.known.filter((each) => !old.has(each.fingerprint))
  const gone = (before?.known ?? []).filter((each) => !now.has(each.fingerprint))
  if (appeared.length === 0 && gone.length === 0) return undefined
  const { at, target, policyDigest } = after
  return {
    format: 'sallyport-change/1',
    at,
    target,
    policyDigest,
    appeared,
    gone,
    findings: after.known.length,
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const LONGEST_MS = 7 * UNIT_MS['d']!

/** Reads `30m`, `1h`, `7d`; milliseconds. PCI DSS 11.6.1 asks for seven days at most. */
export function readInterval(text: string): number | undefined {
  const match = /^(\d{1,5})([smhd])$/.exec(text)
  if (!match) return undefined
  const ms = Number(match[1]) * UNIT_MS[match[2]!]!
  return ms >= 10_000 && ms <= LONGEST_MS ? ms : undefined
}
