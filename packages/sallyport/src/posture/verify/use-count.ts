// Keeps count while a bucket is used up: what each answer told, and what does not agree with the policy or with itself.

import type { Bucket } from '../../controls/limits/buckets.ts'
import { passesOf, type Told, toldBy } from '../../controls/limits/refusal.ts'
import type { Finding, Observation } from '../../guard/control.ts'

/** The buckets of one plan, or of an address: all must let a request pass. */
export type Buckets = readonly Bucket[]

/** The bucket that binds first, and how many requests it lets through. */
export interface Binding {
  readonly bucket: Bucket
  readonly passes: number
}

/** The bucket of a plan that is used up first. */
export function bindingOf(buckets: Buckets, cost: number, elapsedMs = 0): Binding | undefined {
  return buckets
    .map((bucket) => ({ bucket, passes: passesOf(bucket, cost, elapsedMs) }))
    .reduce<Binding | undefined>(
      (least, each) => (least && least.passes <= each.passes ? least : each),
      undefined,
    )
}

/** The count of one run. */
export interface UseCount {
  readonly through: number
  /** Takes an answer that a bucket let through. */
  letThrough(seen: Observation, elapsedMs: number): void
  /** Takes the first refusal. */
  refused(seen: Observation): void
  /** The bucket that binds first, of the plan that may be the caller's; of the largest where that is not known. */
  binding(elapsedMs?: number): Binding
  /** True where nothing more may pass, by what was told or by what the policy says. */
  isUsedUp(elapsedMs: number): boolean
  /** True where more has passed than may. */
  isOver(elapsedMs: number): boolean
  /** True where somebody else takes from the same bucket. */
  readonly isShared: boolean
  /** A limit that no plan of the policy has. */
  readonly unknownLimit: Told | undefined
  readonly findings: readonly Finding[]
}

const STEPS = 3
const INCONSISTENT = 'ratelimit.inconsistent'

/**
 * Opens a count.
 *
 * @param plans the buckets of each plan that may be the caller's; of an address there is one
 * @param isPlan whether an organisation may have numbers of its own
 */
export function countUse(plans: readonly Buckets[], cost: number, isPlan: boolean): UseCount {
  let candidates = plans
  let through = 0
  let last: Told | undefined
  let unknownLimit: Told | undefined
  const drops: number[] = []
  const findings: Finding[] = []

  const isSteady = () => drops.length >= STEPS && drops.every((drop) => drop === drops[0])
  const isShared = () => drops.some((drop) => drop > cost) && !isSteady()

  function drift(detail: string, mend: string): void {
    if (!findings.some((each) => each.mend === mend)) findings.push({ id: 'drift.ratelimit', detail, mend })
  }

  function compareLimit(told: Told): void {
    const declared = candidates.flat().filter(({ name }) => name === told.bucket)
    if (declared.length === 0 || declared.some(({ limit }) => limit === told.limit)) {
      if (isPlan && declared.length > 0)
        candidates = candidates.filter((buckets) =>
          buckets.some(({ name, limit }) => name === told.bucket && limit === told.limit),
        )
      return
    }
    if (isPlan) {
      unknownLimit ??= told
      candidates = [[{ ...declared[0]!, limit: told.limit }]]
    } else
      drift(
        `x-ratelimit-limit of ${told.bucket} is ${told.limit}, and the policy says ${declared[0]!.limit}`,
        `X-RateLimit-Limit: ${declared[0]!.limit}`,
      )
  }

  function binding(elapsedMs = 0): Binding {
    return candidates
      .flatMap((buckets) => bindingOf(buckets, cost, elapsedMs) ?? [])
      .reduce((most, each) => (each.passes > most.passes ? each : most))
  }

  return {
    get through() {
      return through
    },
    get isShared() {
      return isShared()
    },
    get unknownLimit() {
      return unknownLimit
    },
    get findings() {
      const [drop = cost] = drops
      return isSteady() && drop > cost
        ? [
            ...findings,
            {
              id: INCONSISTENT,
              detail: `each request takes ${drop} of the bucket, and the policy says ${cost}`,
              mend: `take ${cost} for each request, once`,
            },
          ]
        : findings
    },
    binding,
    isUsedUp: (elapsedMs) =>
      (last !== undefined && last.remaining < cost) || through >= binding(elapsedMs).passes,
    isOver: (elapsedMs) => through > binding(elapsedMs).passes,
    letThrough(seen, elapsedMs) {
      through++
      const told = toldBy(seen)
      if (told !== undefined) {
        compareLimit(told)
        if (last?.bucket === told.bucket) drops.push(last.remaining - told.remaining)
        last = told
      }
      const { bucket, passes } = binding(elapsedMs)
      if (through > passes)
        drift(
          `${through} requests were let through in ${(elapsedMs / 1000).toFixed(1)} s, and the bucket ${bucket.name} lets ${passes} through in ${bucket.windowMs / 1000} s`,
          `refuse more than ${passes} with 429`,
        )
    },
    refused(seen) {
      const told = toldBy(seen)
      if (last === undefined || (told !== undefined && told.bucket !== last.bucket)) return
      if (last.remaining < cost || isShared() || (isSteady() && drops[0]! > cost)) return
      drift(
        `refused although the answer before told that ${last.remaining} of ${last.limit} were left`,
        'let everything pass that the headers say is left',
      )
    },
  }
}
