// Every line of an answer with the control that owns it, and the application's lines that are not sent.

import type { Needs } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { rules } from '../../guard/resolve.ts'
import { servicesFor } from '../../guard/services.ts'
import type { Ask, Pair } from './ask.ts'
import { modeOf, type Passage } from './pass.ts'
import { type DecidingRule, fieldsOfLine, type RuleFinder } from './rules.ts'

/** One line of the answer. */
export interface ExplainedLine {
  readonly name: string
  readonly value: string
  /** The control that owns it; `application`, or `guard` for what belongs to a refusal itself. */
  readonly control: string
  readonly rules: readonly DecidingRule[]
}

/** A line of the application that is not sent. */
export interface RemovedLine {
  readonly name: string
  readonly control: string
  readonly rules: readonly DecidingRule[]
}

/** The control that sets a name, by the stages as the guard compiles them. */
export function ownersOf(exchange: Exchange, ask: Ask): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  const needs: Needs = {
    clock: Date.now,
    random: (bytes) => bytes.fill(0),
    place: ask.place,
    services: servicesFor({}),
    trial: {},
  }
  const { cell } = exchange
  for (const rule of rules) {
    if (modeOf(exchange, rule.name) !== 'enforce') continue
    const stage = rule.compile?.(cell.settings[rule.name] as never, cell, needs)
    for (const name of stage?.emit?.owns ?? []) if (!owners.has(name)) owners.set(name, rule.name)
    if ((stage?.emit?.vary ?? []).length > 0) owners.set('vary', rule.name)
  }
  return owners
}

/** The lines that are sent. */
export function linesOf(
  passage: Passage,
  owners: ReadonlyMap<string, string>,
  find: RuleFinder,
): readonly ExplainedLine[] {
  const decided = rules.find(({ id }) => id === passage.decidedBy)?.name ?? 'guard'
  const own = passage.policyLines.map(([name, value]): ExplainedLine => {
    const control = owners.get(name.toLowerCase()) ?? (passage.bodyReplaced ? 'errors' : 'guard')
    return { name, value, control, rules: rulesOfLine(control, name, find) }
  })
  const control = passage.verdict === undefined ? 'application' : decided
  const others = passage.otherLines.map(
    ([name, value]): ExplainedLine => ({ name, value, control, rules: [] }),
  )
  return [...own, ...others]
}

function rulesOfLine(control: string, name: string, find: RuleFinder): readonly DecidingRule[] {
  const fields = fieldsOfLine(control, name)
  const removal = find(control, ['strip']).flatMap(({ value, ...rest }) => {
    const reason = (value as Record<string, unknown> | undefined)?.[name.toLowerCase()]
    return typeof reason === 'string'
      ? [{ ...rest, setting: `${rest.setting}.${name.toLowerCase()}`, value: reason }]
      : []
  })
  if (fields.control.includes('strip')) return removal
  return [...find('', fields.cell), ...find(control, fields.control)]
}

/** The application's lines that are not. */
export function removedOf(
  { answer }: Ask,
  { otherLines, bodyReplaced }: Passage,
  owners: ReadonlyMap<string, string>,
  find: RuleFinder,
): readonly RemovedLine[] {
  const left = new Set(otherLines.map(([name]: Pair) => name.toLowerCase()))
  return answer.headers.flatMap(([name]): readonly RemovedLine[] => {
    const lower = name.toLowerCase()
    if (left.has(lower) || lower === 'vary') return []
    const control = owners.get(lower) ?? (bodyReplaced ? 'errors' : 'guard')
    return [{ name, control, rules: rulesOfLine(control, name, find) }]
  })
}
