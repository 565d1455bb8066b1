// The risk of a subject: what is held against an account, a credential, an address or an organisation, each signal
// fading with its own half-life. Every score carries the signals that it is made of, so nobody has to guess.

import type { AuditEvent } from '../ports/audit.ts'
import { addressSubject, isWatched, noPast, type Past, patternsIn } from './patterns.ts'
import { DEFAULT_SIGNALS, type SignalName, type Signals } from './signals.ts'

export type { Signals }

export const RISK_LEVELS = ['info', 'low', 'medium', 'high', 'critical'] as const
export type RiskLevel = (typeof RISK_LEVELS)[number]

/** The lowest score of each level. */
const FLOORS: Readonly<Record<RiskLevel, number>> = { info: 0, low: 20, medium: 40, high: 60, critical: 80 }

/** One part of a score. */
export interface Contribution {
  readonly signal: SignalName
  /** Points that it still has. */
  readonly points: number
  readonly ageSeconds: number
}

/** What is held against a subject. */
export interface Risk {
  /** `account:…`, `credential:…`, `address:…`, `organisation:…`. */
  readonly subject: string
  /** 0 to 100. */
  readonly score: number
  readonly level: RiskLevel
  /** How long ago the newest signal came; `Infinity` where there is none. */
  readonly sinceSeconds: number
  /** The largest first, at most five. */
  readonly contributions: readonly Contribution[]
}

/** The level of a score. */
export function levelOf(score: number): RiskLevel {
  return [...RISK_LEVELS].reverse().find((level) => score >= FLOORS[level]) ?? 'info'
}

interface Seen {
  readonly signal: SignalName
  readonly weight: number
  readonly halfLifeSeconds: number
  readonly at: number
}

const SHOWN = 5
// What is below a fiftieth of its weight can't move a score.
const FADED = 0.02
const MAX_SIGNALS = 64

function pointsOf(seen: Seen, now: number): number {
  const age = Math.max(0, now - seen.at) / 1_000
  return seen.weight * 2 ** (-age / seen.halfLifeSeconds)
}

// The second signal counts 1 / 2^1.5, the third 1 / 3^1.5: many small things do not make a large one.
function scoreOf(subject: string, signals: readonly Seen[], now: number): Risk {
  const contributions = signals
    .map(
      (seen): Contribution => ({
        signal: seen.signal,
        points: pointsOf(seen, now),
        ageSeconds: Math.round(Math.max(0, now - seen.at) / 1_000),
      }),
    )
    .sort((a, b) => b.points - a.points)
  const sum = contributions.reduce((total, { points }, index) => total + points / (index + 1) ** 1.5, 0)
  const score = Math.min(100, Math.round(sum))
  return {
    subject,
    score,
    level: levelOf(score),
    sinceSeconds: Math.min(...contributions.map(({ ageSeconds }) => ageSeconds)),
    contributions: contributions
      .slice(0, SHOWN)
      .map((each) => ({ ...each, points: Math.round(each.points * 10) / 10 })),
  }
}

interface Held {
  readonly seen: readonly Seen[]
  /** Absent where nothing of it was a pattern’s to count. */
  readonly past: Past | undefined
}

/** Remembers what is held against whom. */
export interface RiskBook {
  /** Takes other signals; what is held against somebody already stays as it was counted. */
  use(signals: Signals): void
  /** Counts an event; the risk of whoever stands worst after it, or `undefined` where it counts for nothing. */
  note(event: AuditEvent, now: number): Risk | undefined
  riskOf(subject: string, now: number): Risk
  /** How many subjects are remembered. */
  readonly size: number
}

// Whoever has found a key can show it where he likes: that is held against the key, and not against those whose it is, or
// he could lock them out with one that was revoked long ago.
const EXPOSURES: ReadonlySet<string> = new Set(['key.exposed', 'credential.exposed'])

/** The subjects that an event is held against. */
function subjectsOf({ action, actor, credential, address, organisation }: AuditEvent): readonly string[] {
  if (EXPOSURES.has(action))
    return [
      ...(credential === undefined ? [] : [`credential:${credential}`]),
      ...(address === undefined ? [] : [addressSubject(address)]),
    ]
  return [
    ...(actor === undefined ? [] : [`account:${actor}`]),
    ...(credential === undefined ? [] : [`credential:${credential}`]),
    ...(address === undefined ? [] : [addressSubject(address)]),
    // An organisation is blamed only where nobody nearer is known.
    ...(organisation !== undefined && actor === undefined && credential === undefined
      ? [`organisation:${organisation}`]
      : []),
  ]
}

/**
 * @param maxSubjects those remembered at once; beyond, whoever stands best of a few is forgotten, never who stands worst
 */
export function createRiskBook(first: Signals = DEFAULT_SIGNALS, maxSubjects = 20_000): RiskBook {
  let signals = first
  const book = new Map<string, Held>()

  // Of the oldest few the one with the least against it: an attacker who fills the book with addresses that did one
  // small thing each pushes out their like.
  function forgetOne(now: number): void {
    let least: string | undefined
    let leastPoints = Number.POSITIVE_INFINITY
    let looked = 0
    for (const [subject, { seen }] of book) {
      const points = seen.reduce((sum, each) => sum + pointsOf(each, now), 0)
      if (points < leastPoints) [least, leastPoints] = [subject, points]
      if (++looked === 16) break
    }
    if (least !== undefined) book.delete(least)
  }

  /** The risk after the event; `undefined` where it counts for nothing. */
  function add(subject: string, event: AuditEvent, at: number, now: number): Risk | undefined {
    const known = book.get(subject)
    const past = known?.past ?? (isWatched(event) ? noPast() : undefined)
    const names = [event.action, ...(past ? patternsIn(past, subject, event, at) : [])]
    const fresh = names.flatMap((signal): readonly Seen[] => {
      const counts = signals[signal]
      return counts === undefined ? [] : [{ signal, ...counts, at }]
    })
    const kept = (known?.seen ?? []).filter((each) => pointsOf(each, now) > each.weight * FADED)
    kept.push(...fresh)
    if (kept.length > MAX_SIGNALS) {
      kept.sort((a, b) => pointsOf(b, now) - pointsOf(a, now))
      kept.length = MAX_SIGNALS
    }
    book.delete(subject)
    if (book.size >= maxSubjects) forgetOne(now)
    book.set(subject, { seen: kept, past })
    return fresh.length === 0 ? undefined : scoreOf(subject, kept, now)
  }

  return {
    use(next) {
      signals = next
    },
    note(event, now) {
      if (signals[event.action] === undefined && !isWatched(event)) return undefined
      const at = event.at ?? now
      return subjectsOf(event)
        .map((subject) => add(subject, event, at, now))
        .reduce<Risk | undefined>(
          (worst, risk) =>
            worst === undefined || (risk !== undefined && risk.score > worst.score) ? risk : worst,
          undefined,
        )
    },
    riskOf: (subject, now) => scoreOf(subject, book.get(subject)?.seen ?? [], now),
    get size() {
      return book.size
    },
  }
}
