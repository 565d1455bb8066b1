// `sallyport keys plan`: which plan an organisation has, and the limits of its own.

import type { PlanOverrides } from '../../guard/principal.ts'
import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { checkNames, knownNames } from './known-names.ts'
import { organisationOf } from './organisation.ts'
import { type Organisation, withKeys } from './package.ts'

type OwnLimits = NonNullable<PlanOverrides['buckets']>

const MOST_REQUESTS = 10_000_000

/** Changes what is given and tells what holds then; where nothing is given, what holds. */
export async function planOf(invocation: Invocation, terminal: Terminal, actor: string): Promise<void> {
  const given = limitsOf(invocation)
  const plan = invocation.text('plan')
  const clears = invocation.flag('clear')
  const known = await knownNames(invocation, terminal)
  const remarks = [
    ...checkNames(known, '--plan', 'plan', 'plans', plan === undefined ? [] : [plan]),
    ...checkNames(known, '--limit', 'bucket', 'buckets', [...given.keys()]),
  ]
  const now = await withKeys(invocation, terminal, undefined, async (administration) => {
    const organisation = await organisationOf(administration, invocation)
    const limits = withOwn(clears ? [] : ownLimits(organisation), given)
    const next = { id: organisation.id, name: organisation.name, plan: plan ?? organisation.plan, limits }
    if (plan !== undefined || clears || given.size > 0)
      await administration.setPlan(
        next.id,
        next.plan,
        limits.length === 0 ? undefined : { buckets: limits },
        actor,
      )
    return next
  })
  const limits = Object.fromEntries(now.limits.map(({ name, limit = 'as the plan' }) => [name, limit]))
  if (invocation.flag('json')) terminal.out(JSON.stringify({ organisation: now.id, plan: now.plan, limits }))
  else {
    const own = Object.entries(limits).map(([name, limit]) => `${name}=${limit}`)
    terminal.out(
      `${now.name}: plan ${now.plan}, ${own.length === 0 ? 'no limits of its own' : own.join(', ')}`,
    )
  }
  for (const remark of remarks) terminal.err(remark)
}

/** `--limit minute=5000`, by bucket. */
function limitsOf(invocation: Invocation): ReadonlyMap<string, number> {
  return new Map(
    invocation.list('limit').map((text) => {
      const match = /^([a-z][a-z0-9-]{0,31})=(\d{1,8})$/.exec(text)
      if (!match || Number(match[2]) > MOST_REQUESTS)
        throw new Failure(
          `--limit: expected BUCKET=REQUESTS of at most ${MOST_REQUESTS}, received ${show(text)}; write one such as minute=5000`,
        )
      return [match[1]!, Number(match[2])]
    }),
  )
}

// The records may hold what another program wrote.
function ownLimits({ plan_overrides: own }: Organisation): OwnLimits {
  const buckets = (own as PlanOverrides | null)?.buckets
  return Array.isArray(buckets) ? (buckets as OwnLimits) : []
}

function withOwn(before: OwnLimits, given: ReadonlyMap<string, number>): OwnLimits {
  const left = new Map(given)
  const kept = before.map((each) => {
    const limit = left.get(each.name)
    left.delete(each.name)
    return limit === undefined ? each : { ...each, limit }
  })
  return [...kept, ...[...left].map(([name, limit]) => ({ name, limit }))]
}
