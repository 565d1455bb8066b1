// Holds an answer against what enforcement would have sent, control by control, by meaning and never by string.

import { isRequestId } from '../../controls/client/identifiers.ts'
import { judgeProblem } from '../../controls/errors/faces.ts'
import { headerValues } from '../../controls/faces.ts'
import { judgeHeader } from '../../controls/headers/probe.ts'
import type { HeadersSetting } from '../../controls/headers/setting.ts'
import { judgeLimitLine } from '../../controls/limits/probe.ts'
import type { LimitsSetting } from '../../controls/limits/setting.ts'
import { judgeHsts } from '../../controls/transport/faces.ts'
import type { TransportSetting } from '../../controls/transport/setting.ts'
import type { Finding, Mode, Observation } from '../../guard/control.ts'
import { leaksIn } from '../grade/leaks.ts'
import { controls } from '../register.ts'
import type { WireAnswer } from '../wire/send.ts'
import { compareCache } from './compare-cache.ts'
import { compareCors, compareVary } from './compare-cors.ts'
import type { Expectation } from './oracle.ts'

/** What one control's part of an answer came to. */
export interface Judged {
  /** The control's name. */
  readonly control: string
  readonly findings: readonly Finding[]
}

/**
 * Judges an answer against one reading of its request.
 *
 * @param exactStatus false where any refusal will do: a parser may have refused before the policy could
 * @param nonces those seen in this run, and where
 */
export function compareAnswer(
  expected: Expectation,
  answer: WireAnswer,
  exactStatus: boolean,
  nonces: Map<string, Observation>,
): readonly Judged[] {
  const byControl = new Map<string, Finding[]>()
  const add = (control: string, findings: readonly Finding[]) => {
    const known = byControl.get(control)
    if (known) known.push(...findings)
    else byControl.set(control, [...findings])
  }
  for (const [name, control] of expected.owners)
    add(
      control,
      name === 'vary'
        ? compareVary(expected.vary, answer)
        : compareName(name, control, expected, answer, nonces),
    )
  const status = compareStatus(expected, answer, exactStatus)
  if (status) add(status.control, status.findings)
  if (expected.problem !== undefined && hasBody(expected, answer)) add('errors', judgeProblem(answer))
  const leaks = compareLeaks(expected, answer)
  if (leaks.length > 0 || expected.problem !== undefined) add('errors', leaks)
  if (answer.faults.length > 0)
    add('headers', [
      {
        id: 'answer.malformed',
        detail: answer.faults.slice(0, 3).join('; '),
        mend: 'send only header lines of the form "Name: value"',
      },
    ])
  return Array.from(byControl, ([control, findings]) => ({ control, findings: distinct(findings) }))
}

function compareName(
  name: string,
  control: string,
  expected: Expectation,
  answer: WireAnswer,
  nonces: Map<string, Observation>,
): readonly Finding[] {
  const line = expected.lines.find(([key]) => key.toLowerCase() === name)
  const wanted = line?.[1]
  switch (control) {
    case 'headers':
      return judgeHeader(expected.settings['headers'] as HeadersSetting, name, answer, nonces)
    case 'transport':
      return judgeHsts(expected.settings['transport'] as TransportSetting, wanted, answer)
    case 'cors':
      return compareCors(name, wanted, answer, expected.exchange.header('origin'))
    case 'cache':
      if (name === 'cache-control' && wanted !== undefined) return compareCache(wanted, expected.data, answer)
      return compareExact(name, wanted, answer)
    case 'limits':
      return judgeLimitLine(expected.settings['limits'] as LimitsSetting, name, wanted !== undefined, answer)
    case 'client':
      return compareRequestId(line?.[0] ?? name, answer)
    default:
      return compareExact(name, wanted, answer)
  }
}

function compareExact(name: string, wanted: string | undefined, seen: Observation): readonly Finding[] {
  const found = headerValues(seen, name)
  if (wanted === undefined)
    return found.length === 0
      ? []
      : [
          {
            id: 'drift.header-extra',
            detail: `${name}: ${found.join(' | ')}`,
            mend: `remove the line ${name}`,
          },
        ]
  const mend = `${name}: ${wanted}`
  if (found.length === 0) return [{ id: 'drift.header-missing', detail: `${name} is missing`, mend }]
  return found.length === 1 && found[0] === wanted
    ? []
    : [{ id: 'drift.header-value', detail: `${name} is ${found.join(' | ')}`, mend }]
}

function compareRequestId(name: string, seen: Observation): readonly Finding[] {
  const found = headerValues(seen, name.toLowerCase())
  const mend = `${name}: 32 random hexadecimal digits`
  if (found.length === 0) return [{ id: 'drift.header-missing', detail: `${name} is missing`, mend }]
  if (found.length === 1 && isRequestId(found[0]!)) return []
  return [{ id: 'drift.header-value', detail: `${name} is ${found.join(' | ')}`, mend }]
}

// Whatever the shape of an error's body, it must not tell what is inside (claim H20).
function compareLeaks({ settings }: Expectation, { status, body }: WireAnswer): readonly Finding[] {
  const { mode = 'enforce' } = settings['errors'] as { readonly mode?: Mode }
  if (status < 400 || body === '' || mode !== 'enforce') return []
  return leaksIn(body).map(({ kind, what, sample }) => ({
    id: kind === 'version' ? 'leak.server-version' : 'leak.error-detail',
    detail: `the body tells ${what}: ${sample}`,
    mend: 'errors: { replaceBodies: "unshaped" }, and no cause in bodies of the application',
  }))
}

// A verdict of the guard is a promise about the status, whoever keeps it.
function compareStatus(expected: Expectation, answer: WireAnswer, exact: boolean): Judged | undefined {
  const { verdict, unreadable } = expected
  const { status } = answer
  if (unreadable)
    return status >= 400
      ? undefined
      : { control: 'request', findings: [notRefused(status, 'a request that cannot be read')] }
  if (verdict === undefined) return undefined
  const control = controls.find(({ id }) => id === verdict.control)?.name ?? 'request'
  if (status === verdict.status || (!exact && verdict.denied && status >= 400))
    return { control, findings: [] }
  if (control === 'transport') return { control, findings: [plainHttp(status, verdict.status)] }
  const ids: Readonly<Record<string, string>> = {
    cors: 'drift.cors',
    errors: 'drift.error-shape',
    disclosure: 'drift.posture',
    access: 'drift.access',
    keys: 'drift.keys',
    limits: 'drift.ratelimit',
  }
  return {
    control,
    findings: [
      {
        id: ids[control] ?? 'drift.request',
        detail: `answered ${status} instead of ${verdict.status}`,
        mend: `answer it with ${verdict.status}`,
      },
    ],
  }
}

function notRefused(status: number, what: string): Finding {
  return { id: 'drift.request', detail: `${what} got ${status}`, mend: 'refuse it with 400' }
}

function plainHttp(status: number, wanted: number): Finding {
  const mend = `answer plain HTTP with ${wanted}`
  return status >= 300 && status < 400
    ? { id: 'http.api-redirect', detail: `plain HTTP is redirected with ${status}`, mend }
    : { id: 'http.cleartext', detail: `plain HTTP is answered with ${status}`, mend }
}

function hasBody(expected: Expectation, { bodyState }: WireAnswer): boolean {
  return bodyState === 'whole' && expected.exchange.incoming.method !== 'HEAD'
}

function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>()
  return findings.filter(({ id, detail, mend }) => {
    const key = `${id} ${detail} ${mend}`
    return !seen.has(key) && seen.add(key)
  })
}
