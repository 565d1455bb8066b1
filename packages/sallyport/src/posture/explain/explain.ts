// Explains one request: the cell that judges it, what each control decides and by which setting, every line of the answer
// with its owner, and what another mode would change. The guard itself is asked; nothing is decided here.

import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy, rules } from '../../guard/resolve.ts'
import { type Ask, incomingOf } from './ask.ts'
import { type CellChoice, cellChoice, cellsConcerned } from './cell-choice.ts'
import { type ExplainedLine, linesOf, ownersOf, type RemovedLine, removedOf } from './lines.ts'
import { type OtherMode, otherModes } from './other-modes.ts'
import { type Passage, type Trial, trial } from './pass.ts'
import { ruleFinder } from './rules.ts'
import { type Step, stepsOf } from './steps.ts'

/** The whole explanation. */
export interface Explanation {
  readonly format: 'sallyport-explain/1'
  readonly request: {
    readonly method: string
    readonly target: string
    /** Names alone: values may be secret. */
    readonly headers: readonly string[]
    /** The method by which the route is chosen: of a preflight, that which it announces. */
    readonly judgedAs: string
    readonly preflight: boolean
  }
  readonly cell: CellChoice
  readonly steps: readonly Step[]
  readonly outcome: {
    /** Who answers. */
    readonly by: 'application' | 'guard'
    readonly status: number
    readonly code?: string
    /** The control that decided. */
    readonly control?: string
    readonly bodyReplaced: boolean
    /** True where the application does not see the cookies that came. */
    readonly cookiesIgnored: boolean
  }
  readonly lines: readonly ExplainedLine[]
  readonly removed: readonly RemovedLine[]
  readonly otherModes: readonly OtherMode[]
}

/**
 * Explains what a policy does with a request.
 *
 * @throws PolicyError where the policy is wrong
 */
export async function explain(policy: PolicyDocument, ask: Ask): Promise<Explanation> {
  const whole = resolvePolicy(policy)
  const { path, judgedAs, isPreflight } = readAsk(ask)
  // The cells that it can have to do with judge it as all of them would.
  const concerned = cellsConcerned(whole, path, judgedAs)
  const run = trial(concerned, ask.place, ask.as)
  const passage = await settled(run, ask)
  const { exchange } = passage
  const find = ruleFinder(policy, whole, exchange.cell, ask.place)
  const owners = ownersOf(exchange, ask)
  return {
    format: 'sallyport-explain/1',
    request: {
      method: ask.method,
      target: ask.target,
      headers: ask.headers.map(([name]) => name),
      judgedAs,
      preflight: isPreflight,
    },
    cell: cellChoice(whole, exchange, judgedAs),
    steps: stepsOf(run, ask, passage, find),
    outcome: outcomeOf(passage),
    lines: linesOf(passage, owners, find),
    removed: passage.verdict === undefined ? removedOf(ask, passage, owners, find) : [],
    otherModes: otherModes(concerned, ask, passage),
  }
}

function readAsk(ask: Ask): {
  readonly path: string
  readonly judgedAs: string
  readonly isPreflight: boolean
} {
  const { header } = incomingOf(ask)
  const path = ask.target.split('?', 1)[0]!
  const announced = header('origin') === undefined ? undefined : header('access-control-request-method')
  const isPreflight = ask.method === 'OPTIONS' && announced !== undefined
  return { path, judgedAs: isPreflight ? announced : ask.method, isPreflight }
}

// The posture page is made while the first requests come; until then they get 503.
const PATIENCE = 200

async function settled(run: Trial, ask: Ask): Promise<Passage> {
  for (let i = 0; ; i++) {
    const passage = run.pass(ask)
    const isWaiting = passage.verdict?.kind === 'deny' && passage.verdict.code === 'unavailable'
    if (!isWaiting || i >= PATIENCE) return passage
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function outcomeOf(passage: Passage): Explanation['outcome'] {
  const { verdict, decidedBy, status, bodyReplaced, exchange } = passage
  const control = rules.find(({ id }) => id === decidedBy)?.name
  return {
    by: verdict === undefined ? 'application' : 'guard',
    status,
    ...(verdict?.kind === 'deny' ? { code: verdict.code } : {}),
    ...(control === undefined ? {} : { control }),
    bodyReplaced,
    cookiesIgnored: exchange.cookiesIgnored,
  }
}
