// Whose buckets a run uses up on purpose, and by which requests: the route where the fewest are needed.

import { samplePath } from '../../controls/faces.ts'
import { bucketsByPlan, bucketsOfAddress } from '../../controls/limits/refusal.ts'
import type { LimitsSetting } from '../../controls/limits/setting.ts'
import type { ProbeRequest } from '../../guard/control.ts'
import type { ResolvedCell } from '../../guard/resolve.ts'
import type { Credential } from './credential.ts'
import type { Oracle } from './oracle.ts'
import { listedOrigin, type Sample } from './plan.ts'
import { type Binding, type Buckets, bindingOf } from './use-count.ts'

type Request = Exclude<ProbeRequest, { readonly raw: string }>

/** One caller, and the route where its buckets are used up. */
export interface Subject {
  /** `undefined` is a caller that nobody knows. */
  readonly role: string | undefined
  readonly cell: ResolvedCell
  readonly setting: LimitsSetting
  readonly cost: number
  readonly request: Request
  /** The buckets of each plan that may be the caller's. */
  readonly plans: readonly Buckets[]
  /** What is expected to bind: that of the smallest plan. */
  readonly smallest: Binding
}

/** What is asked beside the subject. */
export interface ProvokePlan {
  readonly subjects: readonly Subject[]
  /** Roles that no limited route has let in. */
  readonly closed: readonly string[]
  readonly origin: string | undefined
}

/**
 * Chooses the callers: each role first, since an address that is used up is refused before anybody looks who calls.
 *
 * @param opened the cells that let a role in, by role
 */
export function planProvoking(
  oracle: Oracle,
  samples: readonly Sample[],
  credentials: readonly Credential[],
  opened: ReadonlyMap<string, ReadonlySet<string>>,
): ProvokePlan {
  const cells = oracle.policy.cells.filter(isAsked)
  const subjects: Subject[] = []
  const closed: string[] = []
  const hasPlans = cells.some((cell) => bucketsByPlan(limitsOf(cell)).size > 0)
  for (const [role, shown] of Map.groupBy(credentials, (each) => each.role)) {
    const chosen = cheapest(
      cells.filter(({ id }) => opened.get(role)?.has(id)),
      (cell) => [...bucketsByPlan(limitsOf(cell)).values()],
    )
    if (chosen !== undefined)
      subjects.push({
        ...chosen,
        role,
        request: shown.reduce(showing, requestTo(chosen.cell, oracle, samples)),
      })
    else if (hasPlans) closed.push(role)
  }
  const address = cheapest(cells, (cell) => [bucketsOfAddress(limitsOf(cell))])
  if (address !== undefined)
    subjects.push({ ...address, role: undefined, request: requestTo(address.cell, oracle, samples) })
  return { subjects, closed, origin: listedOrigin(oracle.policy.cells) }
}

/** A route that a used-up bucket leaves alone: it does not count there, or the route has a reserve. */
export function sparedRoute(
  { role, cell, request }: Subject,
  bucket: string,
  oracle: Oracle,
  samples: readonly Sample[],
  opened: ReadonlyMap<string, ReadonlySet<string>>,
): { readonly request: Request; readonly cell: ResolvedCell } | undefined {
  const isSpared = (other: ResolvedCell): boolean => {
    const limits = limitsOf(other)
    const buckets = [
      ...bucketsOfAddress(limits),
      ...(role === undefined ? [] : [...bucketsByPlan(limits).values()].flat()),
    ]
    const { critical = false, reservePercent = 0, cost = 1 } = limits
    // A request that costs more than what is kept may not pass.
    const hasReserve =
      role !== undefined &&
      critical &&
      reservePercent > 0 &&
      buckets.every(
        ({ limit, name }) => name !== bucket || Math.floor((limit * reservePercent) / 100) >= cost,
      )
    return hasReserve || !buckets.some(({ name }) => name === bucket)
  }
  const other = oracle.policy.cells
    .filter(isAsked)
    .find(
      (each) =>
        each.id !== cell.id && (role === undefined || opened.get(role)?.has(each.id)) && isSpared(each),
    )
  if (other === undefined) return undefined
  return { cell: other, request: { ...requestTo(other, oracle, samples), headers: request.headers } }
}

function limitsOf({ settings }: ResolvedCell): LimitsSetting {
  return settings['limits'] as LimitsSetting
}

function isAsked({ origin, method = 'GET', data, path }: ResolvedCell): boolean {
  return origin !== 'strict' && method === 'GET' && data !== 'stream' && !path.startsWith('/.well-known/')
}

type Chosen = Pick<Subject, 'cell' | 'setting' | 'cost' | 'plans' | 'smallest'>

function cheapest(
  cells: readonly ResolvedCell[],
  plansOf: (cell: ResolvedCell) => readonly Buckets[],
): Chosen | undefined {
  let best: Chosen | undefined
  for (const cell of cells) {
    const setting = limitsOf(cell)
    const { cost = 1 } = setting
    const plans = plansOf(cell).filter((buckets) => buckets.length > 0)
    for (const buckets of plans) {
      const smallest = bindingOf(buckets, cost)
      if (smallest !== undefined && (best === undefined || smallest.passes < best.smallest.passes))
        best = { cell, setting, cost, plans, smallest }
    }
  }
  return best
}

function showing(request: Request, { header, value }: Credential): Request {
  return { ...request, headers: [...request.headers, [header, value]] }
}

function requestTo(cell: ResolvedCell, oracle: Oracle, samples: readonly Sample[]): Request {
  const get = (path: string) => ({
    method: 'GET',
    path,
    headers: [] as readonly (readonly [string, string])[],
  })
  const named = samples.find(
    ({ path, method = 'GET', class: id }) =>
      method === 'GET' && id === '200' && oracle.cellOf(get(path)) === cell.id,
  )
  return get(named?.path ?? samplePath(cell.path))
}
