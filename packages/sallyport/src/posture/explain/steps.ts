// What each control decides on the way in, asked one by one, in the guard's own order.

import type { AdmitFace, CompiledCell } from '../../guard/compile.ts'
import type { Answer, Denial, Mode } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { admitOrder } from '../../guard/register.ts'
import { rules } from '../../guard/resolve.ts'
import { verdictNow } from '../../guard/services.ts'
import { type Ask, incomingOf } from './ask.ts'
import { modeOf, type Passage, type Trial } from './pass.ts'
import { reasonOf } from './reasons.ts'
import { type DecidingRule, fieldsOfVerdict, type RuleFinder } from './rules.ts'

/** What one control decided. */
export interface Step {
  readonly control: string
  readonly id: string
  readonly mode: Mode
  /** `not-asked` behind a control that has decided; `would-deny` and `would-answer` in report mode. */
  readonly decision: 'pass' | 'deny' | 'answer' | 'would-deny' | 'would-answer' | 'off' | 'not-asked'
  /** A code of the error catalogue. */
  readonly code?: string
  readonly because: string
  readonly rules: readonly DecidingRule[]
}

/** The controls that judge requests, in order. */
export function stepsOf({ guard }: Trial, ask: Ask, passage: Passage, find: RuleFinder): readonly Step[] {
  const exchange = guard.open(incomingOf(ask))
  const { admit, admitIds, admitFaces } = exchange.cell.compiled
  let isDecided = false
  // A control that may be left out stands here where the policy uses it somewhere.
  const order = admitOrder.filter(
    ([name, face]) =>
      !OPTIONAL.has(name) || guard.cells.some(({ compiled }) => judges(compiled, idOf(name), face)),
  )
  function placeOf(name: string, face: AdmitFace): number {
    const id = idOf(name)
    return admitIds.findIndex((each, index) => each === id && admitFaces[index] === face)
  }
  return order.map(([name, face]): Step => {
    const { id } = rules.find((rule) => rule.name === name)!
    const mode = modeOf(exchange, name)
    const shared = { control: name, id, mode }
    if (mode === 'off') return { ...shared, decision: 'off', because: 'it is switched off', rules: [] }
    if (isDecided)
      return { ...shared, decision: 'not-asked', because: 'another control has decided', rules: [] }
    const at = placeOf(name, face)
    const verdict = at < 0 ? undefined : verdictNow(admit[at]!(exchange))
    if (verdict !== undefined) isDecided = true
    const would = passage.would.find((each) => each.control === id && !each.what.startsWith('body:'))
    if (verdict === undefined && mode === 'report' && would !== undefined && at >= 0)
      return wouldStep(shared, would.what, find)
    const code = verdict?.kind === 'deny' ? verdict.code : undefined
    const posture = name === 'disclosure' && passage.verdict !== undefined && passage.decidedBy === undefined
    return {
      ...shared,
      decision: verdict === undefined ? 'pass' : verdict.kind === 'deny' ? 'deny' : 'answer',
      ...(code === undefined ? {} : { code }),
      because: posture
        ? 'the posture page stands at this path'
        : mode === 'report'
          ? 'it only counts'
          : reasonOf(name, verdict, exchange),
      rules: find(name, posture ? ['posture'] : relevant(name, verdict, exchange)),
    }
  })
}

const OPTIONAL: ReadonlySet<string> = new Set(['limits', 'keys', 'access', 'lockout', 'audit'])

function idOf(name: string): string {
  return rules.find((rule) => rule.name === name)!.id
}

function judges({ admitIds, admitFaces }: CompiledCell, id: string, face: AdmitFace): boolean {
  return admitIds.some((each, index) => each === id && admitFaces[index] === face)
}

function wouldStep(shared: Pick<Step, 'control' | 'id' | 'mode'>, what: string, find: RuleFinder): Step {
  const isAnswer = /^\d{3}$/.test(what)
  return {
    ...shared,
    decision: isAnswer ? 'would-answer' : 'would-deny',
    ...(isAnswer ? {} : { code: what }),
    because: isAnswer
      ? `it only counts: else it would have answered with ${what}`
      : 'it only counts: else it would have refused this',
    rules: find(shared.control, fieldsOfVerdict(shared.control, what)),
  }
}

// A control that had nothing to say has no rule that decided.
function relevant(name: string, verdict: Denial | Answer | undefined, exchange: Exchange): readonly string[] {
  if (verdict !== undefined)
    return fieldsOfVerdict(name, verdict.kind === 'deny' ? verdict.code : undefined).filter(
      (field) => name !== 'disclosure' || isPageOf(field, exchange.path),
    )
  if (name === 'cors') return exchange.header('origin') === undefined ? [] : ['origins', 'bearer']
  if (name === 'client') return exchange.client.viaProxy ? ['trustedProxies', 'forwarded'] : []
  return name === 'transport' ? ['tls'] : []
}

function isPageOf(field: string, path: string): boolean {
  if (field === 'securityTxt') return path.endsWith('security.txt')
  if (field === 'pgpKey') return path.endsWith('.asc') || path.includes('pgp')
  return field === 'policyPage' && !path.endsWith('.txt') && !path.includes('pgp')
}
