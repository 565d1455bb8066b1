// The difference of two policies: for each region of requests and each control, stronger, weaker, neutral or
// incomparable; and one verdict for the whole.

import { verdictOf } from '../../controls/faces.ts'
import type { Strength } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { gainedRoutes, type ResolvedCell, type ResolvedPolicy, resolvePolicy } from '../../guard/resolve.ts'
import { digest } from '../../policy/digest.ts'
import { controls } from '../register.ts'
import { type ControlChange, compareRegion } from './compare-cells.ts'
import { fingerprintOf } from './fingerprint.ts'
import { type Region, regionsOf } from './regions.ts'

/** One change, wherever it is the same. */
export interface DiffChange {
  /** Stable: the same change has the same, whoever compares. Twelve hexadecimal digits. */
  readonly fingerprint: string
  readonly strength: Strength
  readonly control: string
  /** The register id; empty for what a route says of itself. */
  readonly id: string
  readonly what: string
  /** One sentence; for `weaker`, what has become possible. */
  readonly because: string
  /** Where it is so: patterns, `*` for what no route covers, `! …` for other spellings of such a path. */
  readonly cells: readonly string[]
  /** True where that is everywhere. */
  readonly everywhere: boolean
  /** A request that meets it. */
  readonly example: string
}

/** The whole difference. */
export interface PolicyDiff {
  readonly format: 'sallyport-diff/1'
  readonly before: string
  readonly after: string
  readonly verdict: Strength
  readonly changes: readonly DiffChange[]
  /** How many pairs of cells were compared. */
  readonly regions: number
}

/**
 * Compares two policies.
 *
 * @throws PolicyError where one is wrong
 * @throws RangeError where their routes overlap in more ways than can be looked at
 */
export async function diffPolicies(
  before: PolicyDocument | ResolvedPolicy,
  after: PolicyDocument | ResolvedPolicy,
): Promise<PolicyDiff> {
  const [a, b] = [resolved(before), resolved(after)]
  const regions = regionsOf(a, b).filter(isComparable(a, b))
  const names = new Set(regions.map(({ id }) => id))
  const changes = withoutEchoes([...gathered(regions).values()]).map(
    ({ change, regions: found }): DiffChange => {
      const cells = withoutSpellings(new Set(found.map(({ id }) => id)))
      const [first] = found as [Region]
      return {
        fingerprint: fingerprintOf(change, cells),
        strength: change.strength,
        control: change.control,
        id: controls.find(({ name }) => name === change.control)?.id ?? '',
        what: change.what,
        because: change.because.replaceAll(PLACE, placeName(first.id)),
        cells,
        everywhere: new Set(found.map(({ id }) => id)).size === names.size,
        example: first.example,
      }
    },
  )
  return {
    format: 'sallyport-diff/1',
    before: await digest(a.document),
    after: await digest(b.document),
    verdict: verdictOf(changes),
    changes: changes.sort((x, y) => ORDER[x.strength] - ORDER[y.strength]),
    regions: regions.length,
  }
}

// The pages that a policy publishes of itself bring routes of their own, which nobody wrote. That they are published is a
// change of `disclosure`; a path that the guard answers itself can't be set against one that the application answers.
// Where the other side has written a route for that very path, it has said what holds there, and the two are compared.
function isComparable(before: ResolvedPolicy, after: ResolvedPolicy): (region: Region) => boolean {
  const [left, right] = [before, after].map(({ document: { routes = {}, ...base } }) => {
    const own = new Set(Object.keys(gainedRoutes(base)).filter((id) => !Object.hasOwn(routes, id)))
    return ({ id }: ResolvedCell) => own.has(id.replace(/^! /, ''))
  }) as [(cell: ResolvedCell) => boolean, (cell: ResolvedCell) => boolean]
  return ({ before: was, after: is }) =>
    left(was) === right(is) || (was.id === is.id && was.origin === is.origin)
}

// Stands for the place in sentences while the same change is gathered from many places.
const PLACE = '\u0000'

interface Gathered {
  readonly change: ControlChange
  readonly regions: Region[]
}

function gathered(regions: readonly Region[]): ReadonlyMap<string, Gathered> {
  const found = new Map<string, Gathered>()
  // Routes of equal settings are compared once: thousands of routes are usually a handful of kinds.
  const known = new Map<string, readonly (readonly [key: string, change: ControlChange])[]>()
  const kindOf = kinds()
  for (const region of regions) {
    const [from, to] = [kindOf(region.before), kindOf(region.after)]
    if (from === to && region.strictOnly === undefined) continue
    const kind = `${from} ${to} ${region.strictOnly}`
    let changes = known.get(kind)
    if (changes === undefined) {
      changes = compareRegion(region, PLACE).map((change) => [JSON.stringify(change), change] as const)
      known.set(kind, changes)
    }
    for (const [key, change] of changes) {
      const seen = found.get(key)
      if (seen === undefined) found.set(key, { change, regions: [region] })
      else seen.regions.push(region)
    }
  }
  return found
}

// A number for each kind of cell.
function kinds(): (cell: ResolvedCell) => number {
  const numbers = new Map<string, number>()
  const ofCell = new WeakMap<ResolvedCell, number>()
  return (cell) => {
    let number = ofCell.get(cell)
    if (number === undefined) {
      const key = JSON.stringify([cell.origin === 'strict', cell.data, cell.credentials, cell.settings])
      number = numbers.get(key) ?? numbers.size
      numbers.set(key, number)
      ofCell.set(cell, number)
    }
    return number
  }
}

// A path that may be read in two ways is judged by settings of its own, so the same change has other values there. Where it
// says the same of a route and of the route's other spellings, it is one change.
function withoutEchoes(found: readonly Gathered[]): readonly Gathered[] {
  const sentence = ({ change: { control, what, strength, because } }: Gathered) =>
    JSON.stringify([control, what, strength, because])
  const places = Map.groupBy(found, sentence)
  return found.filter((each) => {
    if (!each.regions.every(({ id }) => id.startsWith('!'))) return true
    const others = places.get(sentence(each))!.filter((other) => other !== each)
    const known = new Set(others.flatMap(({ regions }) => regions.map(({ id }) => id)))
    return !each.regions.every(({ id }) => known.has(id === '!' ? '*' : id.slice(2)))
  })
}

// What is so in a route and in its other spellings is so in the route.
function withoutSpellings(ids: ReadonlySet<string>): readonly string[] {
  return [...ids].filter((id) => !id.startsWith('!') || !ids.has(id === '!' ? '*' : id.slice(2)))
}

function placeName(id: string): string {
  if (id === '*') return 'every path without a route'
  if (id === '!') return 'paths with two readings'
  return id.startsWith('!') ? `other spellings of ${id.slice(2)}` : id
}

const ORDER: Readonly<Record<Strength, number>> = { weaker: 0, incomparable: 1, stronger: 2, neutral: 3 }

function resolved(policy: PolicyDocument | ResolvedPolicy): ResolvedPolicy {
  return 'cells' in policy ? policy : resolvePolicy(policy)
}
