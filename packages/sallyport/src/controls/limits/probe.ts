// What proves `limits` from outside: the lines that tell of a bucket, on an answer that one judged.

import type { Resolved } from '../../guard/cell.ts'
import type { Finding, Observation, Probe } from '../../guard/control.ts'
import { headerValues, sampleRequest } from '../faces.ts'
import { addressBuckets, planBuckets } from './buckets.ts'
import type { LimitsSetting } from './setting.ts'
import { OWNED } from './told.ts'

const LINES = OWNED.slice(0, 7)
const NUMBERS = LINES.slice(1)

export function probeLimits(cells: readonly Resolved<LimitsSetting>[]): readonly Probe[] {
  return cells.flatMap(({ cell, setting }) => {
    const isTold = (setting.mode ?? 'enforce') === 'enforce' && (setting.disclose ?? 'full') === 'full'
    // A caller that nobody knows is counted by its address only.
    if (!isTold || addressBuckets(setting).length === 0 || cell.origin === 'strict') return []
    return [
      {
        id: `limits/told ${cell.id}`,
        title: 'an answer tells which bucket binds, what is left of it and when it is free',
        cell: cell.id,
        request: sampleRequest(cell),
        expect: (seen: Observation) => judgeTold(setting, seen),
      },
    ]
  })
}

function drift(detail: string, mend: string): Finding {
  return { id: 'drift.ratelimit', detail, mend }
}

/** Judges the lines of an answer that must tell of a bucket. */
function judgeTold(setting: LimitsSetting, seen: Observation): readonly Finding[] {
  const absent = LINES.filter((name) => headerValues(seen, name).length === 0)
  // A 503 under load comes before any bucket was asked, and answers to what can't be read before any route was found.
  if (absent.length === LINES.length && (seen.status === 503 || seen.status === 400)) return []
  if (absent.length > 0)
    return absent.map(
      (name): Finding => ({
        id: 'drift.header-missing',
        detail: `${name} is missing`,
        mend: `let the guard write ${name}`,
      }),
    )
  return LINES.flatMap((name) => judgeLimitLine(setting, name, true, seen))
}

/**
 * Judges one owned line of an answer by its meaning: what is left and when depends on who asked before.
 *
 * @param expected whether a bucket surely judged this request; a known caller may have one where a stranger has none
 */
export function judgeLimitLine(
  setting: LimitsSetting,
  name: string,
  expected: boolean,
  seen: Observation,
): readonly Finding[] {
  const found = headerValues(seen, name)
  const isTold = (setting.disclose ?? 'full') === 'full'
  const isStructured = name === 'ratelimit' || name === 'ratelimit-policy'
  if (found.length === 0)
    return expected && isTold && (!isStructured || setting.structuredFields)
      ? [{ id: 'drift.header-missing', detail: `${name} is missing`, mend: `let the guard write ${name}` }]
      : []
  if (!isTold || (isStructured && !setting.structuredFields))
    return [
      { id: 'drift.header-extra', detail: `${name}: ${found.join(' | ')}`, mend: `remove the line ${name}` },
    ]
  const [value = ''] = found
  const wrong = [drift(`${name} is ${found.join(' | ')}`, `let the guard alone write ${name}`)]
  if (found.length > 1) return wrong
  if (isStructured) return value.startsWith('"') ? [] : wrong
  if (name === 'x-ratelimit-bucket') return bucketNames(setting).has(value) ? [] : wrong
  if (!NUMBERS.includes(name as (typeof NUMBERS)[number]) || !/^\d{1,15}$/.test(value)) return wrong
  const limit = Number(headerValues(seen, name.startsWith('x-') ? 'x-ratelimit-limit' : 'ratelimit-limit')[0])
  if (name.endsWith('remaining') && !(Number(value) <= limit)) return wrong
  return name === 'ratelimit-reset' ? judgeRetry(value, setting.cost ?? 1, seen) : []
}

// A refusal of a bucket that is used up says when to come again, and no earlier than its reset.
function judgeRetry(reset: string, cost: number, seen: Observation): readonly Finding[] {
  // An application refuses for reasons of its own too, while there is room.
  if (seen.status !== 429 || !(Number(headerValues(seen, 'ratelimit-remaining')[0]) < cost)) return []
  const [retry] = headerValues(seen, 'retry-after')
  const mend = `Retry-After: ${reset}`
  if (retry === undefined)
    return [{ id: 'ratelimit.no-retry-after', detail: 'a refusal has no Retry-After', mend }]
  return Number(retry) >= Number(reset)
    ? []
    : [{ id: 'ratelimit.inconsistent', detail: `Retry-After is ${retry}, ratelimit-reset ${reset}`, mend }]
}

function bucketNames(setting: LimitsSetting): ReadonlySet<string> {
  return new Set([
    ...Object.keys(setting.plans ?? {}).flatMap((plan) => planBuckets(setting, plan).map(({ name }) => name)),
    ...addressBuckets(setting).map(({ name }) => name),
  ])
}
