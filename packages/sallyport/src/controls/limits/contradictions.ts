// What is contradictory or insecure in the limits of one cell.

import type { CellInfo } from '../../guard/cell.ts'
import { childPath, type PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import { maxBuckets } from '../../ports/counters.ts'
import { type AddressBucket, addressBuckets, type Bucket, planBuckets } from './buckets.ts'
import type { AddressBucketSetting, LimitsSetting, PlanBucketSetting } from './setting.ts'

// Paths where secrets are guessed; whole words, so `/v1/designs` is none.
const SIGN_IN =
  /(?:^|[/_.-])(?:log-?in|sign-?in|sessions?|passwords?|otp|totp|mfa|oauth|tokens?)(?:[/_.-]|$)/i

export function limitsContradictions(setting: LimitsSetting, cell: CellInfo): readonly PolicyProblem[] {
  const { shed } = setting
  const problems: PolicyProblem[] = [...planProblems(setting)]
  const buckets = bucketSettings(setting)
  for (const [path, bucket] of buckets) problems.push(...bucketProblems(path, bucket))
  // What follows is computed from whole buckets.
  if (problems.length > 0) return problems
  for (const [path, { onOutage }] of buckets)
    if (onOutage === 'open' && SIGN_IN.test(cell.path))
      problems.push(
        problem(
          `${path}.onOutage`,
          'insecure',
          'where a secret can be guessed, an outage would let everybody guess without a limit',
          onOutage,
          'write "local" or "closed"',
        ),
      )
  problems.push(...costProblems(setting), ...addressProblems(setting))
  if (shed && shed.delayMs === undefined)
    problems.push(problem('shed', 'missing', 'delayMs is missing', shed, 'write { delayMs: 200 }'))
  return problems
}

function planProblems(setting: LimitsSetting): readonly PolicyProblem[] {
  const { plans, defaultPlan } = setting
  if (plans === undefined) {
    const idle = (['defaultPlan', 'by', 'reservePercent'] as const).filter(
      (field) => setting[field] !== undefined,
    )
    return idle.map((field) =>
      problem(field, 'contradiction', 'there are no plans for it', setting[field], 'add plans, or remove it'),
    )
  }
  const names = Object.keys(plans)
  const problems = names
    .filter((name) => Object.keys(plans[name]?.buckets ?? {}).length === 0)
    .map((name) =>
      problem(
        childPath('plans', name),
        'missing',
        'the plan has no bucket, so its callers would have no limit',
        plans[name],
        'add buckets: { minute: { limit: 100, windowSeconds: 60 } }',
      ),
    )
  if (defaultPlan === undefined)
    problems.push(
      problem(
        'defaultPlan',
        'missing',
        'nothing says which plan holds for callers who have none',
        undefined,
        `write defaultPlan: ${JSON.stringify(names[0] ?? 'free')}`,
      ),
    )
  else if (!names.includes(defaultPlan))
    problems.push(
      problem(
        'defaultPlan',
        'value',
        'is none of the plans',
        defaultPlan,
        `write one of ${names.join(', ')}`,
      ),
    )
  return problems
}

type AnyBucket = PlanBucketSetting & Pick<AddressBucketSetting, 'ipv6Prefix'>

function bucketSettings({ plans = {}, addresses }: LimitsSetting): (readonly [string, AnyBucket])[] {
  const of = (path: string, buckets: Readonly<Record<string, AnyBucket>> = {}) =>
    Object.entries(buckets).map(([name, bucket]) => [childPath(path, name), bucket] as const)
  return [
    ...Object.entries(plans).flatMap(([name, plan]) =>
      of(`${childPath('plans', name)}.buckets`, plan.buckets),
    ),
    ...of('addresses.buckets', addresses?.buckets),
  ]
}

function bucketProblems(path: string, bucket: AnyBucket): readonly PolicyProblem[] {
  const { limit, windowSeconds, algorithm, burst, ipv6Prefix } = bucket
  const isAddress = path.startsWith('addresses.')
  const found: PolicyProblem[] = []
  const wrong = (field: keyof AnyBucket, message: string, mend: string) =>
    found.push(problem(`${path}.${field}`, 'contradiction', message, bucket[field], mend))
  for (const field of ['limit', 'windowSeconds'] as const)
    if (bucket[field] === undefined)
      found.push(
        problem(path, 'missing', `${field} is missing`, bucket, 'write { limit: 100, windowSeconds: 60 }'),
      )
  if (limit === undefined || windowSeconds === undefined) return found
  if ((algorithm ?? (isAddress ? 'strict' : 'exact')) === 'strict' && limit > 65_535)
    wrong('limit', 'a strict bucket counts to 65535', 'write algorithm: "exact" or "smooth"')
  if (algorithm === 'smooth' && windowSeconds > 2_073_600)
    wrong('windowSeconds', 'a smooth bucket counts over at most 24 days', 'write 2073600 or less')
  if (burst !== undefined && algorithm !== 'smooth')
    wrong('burst', 'only a smooth bucket has a burst', 'add algorithm: "smooth", or remove burst')
  else if (burst !== undefined && burst > limit)
    wrong('burst', 'is more than the limit', `write ${limit} or less`)
  if (ipv6Prefix !== undefined && ipv6Prefix > 64)
    found.push(
      problem(
        `${path}.ipv6Prefix`,
        'insecure',
        'every subscriber has a /64 at least, so one caller could take as many buckets as it likes',
        ipv6Prefix,
        'write 64 or less',
      ),
    )
  return found
}

// A request that costs more than a bucket ever holds would never pass, and no wait would help.
function costProblems(setting: LimitsSetting): readonly PolicyProblem[] {
  const { cost = 1, plans = {} } = setting
  const of = (owner: string, buckets: readonly Bucket[]) =>
    buckets
      .filter(({ limit, burst }) => cost > (burst ?? limit))
      .map(({ name, limit, burst }) =>
        problem(
          'cost',
          'contradiction',
          `is more than the bucket "${name}" of ${owner} lets through at once, ${burst ?? limit}, so no request would ever pass`,
          cost,
          'lower the cost, or raise the limit or the burst',
        ),
      )
  return [
    ...Object.keys(plans).flatMap((plan) => of(`plan "${plan}"`, planBuckets(setting, plan))),
    ...of('addresses', addressBuckets(setting)),
  ]
}

function addressProblems(setting: LimitsSetting): readonly PolicyProblem[] {
  const { plans = {} } = setting
  const addresses: readonly AddressBucket[] = addressBuckets(setting)
  const taken = new Set(Object.values(plans).flatMap(({ buckets = {} }) => Object.keys(buckets)))
  const problems = addresses
    .filter(({ name }) => taken.has(name))
    .map(({ name }) =>
      problem(
        childPath('addresses.buckets', name),
        'contradiction',
        'a plan has a bucket of this name, and callers are told of both by name',
        undefined,
        'give one of them another name',
      ),
    )
  for (const [path, names] of [
    ['addresses.buckets', addresses.map(({ name }) => name)],
    ...Object.entries(plans).map(
      ([name, plan]) => [childPath('plans', name), Object.keys(plan.buckets ?? {})] as const,
    ),
  ] as const)
    if (names.length > maxBuckets)
      problems.push(
        problem(
          path,
          'value',
          `has ${names.length} buckets; a request can be counted in ${maxBuckets}`,
          undefined,
          'remove some',
        ),
      )
  return problems
}
