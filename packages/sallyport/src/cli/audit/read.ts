// `sallyport audit search` and `tail`: what happened, a line for each event.

import { setTimeout as wait } from 'node:timers/promises'
import type { ReadEntry } from '../../audit/index.ts'
import { nearest, show } from '../../policy/problem.ts'
import { AUDIT_ACTIONS } from '../../ports/audit.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { wholeNumber } from '../whole-number.ts'
import { type LogFilter, type LogLine, withLog } from './reach.ts'

const PAGE = 500

/** The newest events that match, the newest last. */
export async function search(invocation: Invocation, terminal: Terminal): Promise<number> {
  const limit = wholeNumber(invocation, 'limit', 1, 100_000) ?? 50
  const filter = filterOf(invocation, Date.now())
  const found = await withLog(invocation, terminal, async (log, store) => {
    const lines: LogLine[] = []
    while (lines.length < limit) {
      const page = await log.searchLog(
        store,
        filter,
        Math.min(PAGE, limit - lines.length),
        lines.at(-1)?.index,
      )
      lines.push(...page)
      if (page.length < Math.min(PAGE, limit - (lines.length - page.length))) break
    }
    return lines
  })
  for (const { entry } of found.reverse()) terminal.out(invocation.flag('json') ? entry : inWords(entry))
  if (found.length === 0 && !invocation.flag('json')) terminal.out('nothing of that kind is in the log')
  return 0
}

const EVERY_MS = 1_000

/** The last events, and each new one until it is ended. */
export async function tail(invocation: Invocation, terminal: Terminal): Promise<number> {
  const limit = wholeNumber(invocation, 'limit', 1, 1_000) ?? 10
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  return withLog(invocation, terminal, async (log, store) => {
    let next = Math.max(0, (await log.logSize(store)) - limit)
    for (;;) {
      const lines = await log.readLog(store, next, PAGE)
      for (const { entry } of lines) terminal.out(invocation.flag('json') ? entry : inWords(entry))
      next = (lines.at(-1)?.index ?? next - 1) + 1
      if (lines.length === PAGE) continue
      if (!invocation.flag('follow') || stop.signal.aborted) return 0
      await wait(EVERY_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  })
}

const LEVELS = ['', 'low', 'medium', 'high', 'critical']

/** One line: when, who, what, from where, how it ended, how risky. */
function inWords(entry: string): string {
  const read = JSON.parse(entry) as ReadEntry & { readonly risk_level_id?: number }
  const { metadata, time, message, status_id, status_code, actor, src_endpoint, resource, risk_score } = read
  const level = LEVELS[read.risk_level_id ?? 0]
  return [
    String(metadata.sequence).padStart(6),
    new Date(time).toISOString(),
    metadata.event_code.padEnd(22),
    message,
    ...(status_id === 1 ? [] : [status_code ? `(${status_code})` : '(refused)']),
    ...(metadata.tenant_uid === undefined ? [] : [`organisation ${metadata.tenant_uid}`]),
    ...(actor?.user?.uid === undefined ? [] : [`by ${actor.user.uid}`]),
    ...(actor?.user?.credential_uid === undefined ? [] : [`with ${actor.user.credential_uid}`]),
    ...(resource?.uid === undefined ? [] : [`on ${resource.uid}`]),
    ...(src_endpoint?.ip === undefined ? [] : [`from ${src_endpoint.ip}`]),
    ...(risk_score === undefined ? [] : [`risk ${risk_score}${level ? ` ${level}` : ''}`]),
  ].join('  ')
}

/** @throws Failure for an action that there is not, or a time that can't be read */
export function filterOf(invocation: Invocation, now: number): LogFilter {
  const action = invocation.text('action')
  if (action !== undefined && !(AUDIT_ACTIONS as readonly string[]).includes(action)) {
    const meant = nearest(action, AUDIT_ACTIONS)
    throw new Failure(
      `${invocation.nameOf('action')}: there is no action ${show(action)}; ${meant ? `did you mean "${meant}"?` : `write one such as "${AUDIT_ACTIONS[0]}"`}`,
    )
  }
  const organisation = invocation.text('organisation')
  const actor = invocation.text('actor')
  const from = timeOf(invocation, 'from', now)
  const to = timeOf(invocation, 'to', now)
  const minRisk = wholeNumber(invocation, 'min-risk', 0, 100)
  return {
    ...(action === undefined ? {} : { action }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(actor === undefined ? {} : { actor }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(minRisk === undefined ? {} : { minRisk }),
  }
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

// A moment as RFC 3339 writes it, or so long ago: 30m, 24h, 7d.
function timeOf(invocation: Invocation, option: string, now: number): number | undefined {
  const text = invocation.text(option)
  if (text === undefined) return undefined
  const ago = /^(\d{1,5})([mhd])$/.exec(text)
  if (ago) return now - Number(ago[1]) * UNITS[ago[2]!]!
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new Failure(
    `${invocation.nameOf(option)}: expected a time, received ${show(text)}; write 24h, 7d or 2026-01-31T12:00:00Z`,
  )
}
