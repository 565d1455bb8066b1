// The requests that two policies judge by different pairs of cells, one example for each pair that can meet. Which cell
// judges a path is asked of the guard's own look-up; the walk only makes sure that every kind of path is asked for.

import { cellLocator } from '../../guard/locate.ts'
import { type ResolvedCell, type ResolvedPolicy, strictlyBoth } from '../../guard/resolve.ts'
import { METHODS } from '../../policy/pattern.ts'
import { regionName } from './region-name.ts'
import { walkPaths } from './walk.ts'

/** A pair of cells that judge the same requests, before and after. */
export interface Region {
  readonly before: ResolvedCell
  readonly after: ResolvedCell
  /** Where only one policy takes the path for one with two readings: that one answers 400, or by the strictest of both. */
  readonly strictOnly: 'before' | 'after' | undefined
  /** `GET /v1/account/*`, `*`, or `! /v1/account/*` for other spellings of such a path. */
  readonly id: string
  /** A request of the region: `GET /v1/account/other`. */
  readonly example: string
}

/**
 * Every region of two policies: those of routes first, then what no route covers, then paths with two readings.
 *
 * @throws RangeError where the patterns overlap in more ways than can be looked at
 */
export function regionsOf(before: ResolvedPolicy, after: ResolvedPolicy): readonly Region[] {
  const at = regionAt(before, after)
  const methods = methodsOf([...before.cells, ...after.cells])
  const found = new Set<Region>()
  const see = (path: string): void => {
    for (const method of methods) found.add(at(method, path))
  }
  const patterns = [before, after].map(({ cells }) => cells.flatMap(({ pattern }) => pattern ?? []))
  walkPaths(patterns, (path) => {
    see(path === '' ? '/' : path)
    if (path !== '') see(`${path}/`)
    // An empty segment: no program of ours takes it, and others read over it.
    see(`/${path === '' ? '/' : path}`)
  })
  return inOrder([...found], after, before)
}

/** Finds the region of a request; the same for all of its requests. */
export function regionAt(
  before: ResolvedPolicy,
  after: ResolvedPolicy,
): (method: string, path: string) => Region {
  const [left, right] = [lookUp(before), lookUp(after)]
  const known = new Map<string, Region>()
  return (method, path) => {
    const [a, b] = [left.keyOf(method, path), right.keyOf(method, path)]
    const key = `${a}|${b}`
    let region = known.get(key)
    if (region === undefined) {
      const cells = { before: left.cellOf(a), after: right.cellOf(b) }
      region = {
        ...cells,
        strictOnly: strictOnly(cells.before, cells.after),
        id: regionName(cells.before, cells.after),
        example: `${method} ${path}`,
      }
      known.set(key, region)
    }
    return region
  }
}

function strictOnly(before: ResolvedCell, after: ResolvedCell): Region['strictOnly'] {
  const [wasStrict, isStrict] = [before.origin === 'strict', after.origin === 'strict']
  if (wasStrict === isStrict) return undefined
  return wasStrict ? 'before' : 'after'
}

// Routes as they were written, then the rest.
function inOrder(regions: readonly Region[], ...policies: readonly ResolvedPolicy[]): readonly Region[] {
  const places = new Map(
    policies.flatMap(({ cells }) => cells.map(({ id }) => id)).map((id, index) => [id, index] as const),
  )
  const kindOf = ({ id }: Region) => (id === '!' ? 3 : id.startsWith('!') ? 2 : id === '*' ? 1 : 0)
  const placeOf = ({ before, after }: Region) =>
    Math.min(...[before, after].filter(isRoute).map(({ id }) => places.get(id) ?? 0))
  return [...regions].sort((a, b) => kindOf(a) - kindOf(b) || placeOf(a) - placeOf(b) || 0)
}

function isRoute({ origin }: ResolvedCell): boolean {
  return origin === 'route'
}

interface LookUp {
  /** Names the cell that judges a request, without making it. */
  keyOf(method: string, path: string): string
  cellOf(key: string): ResolvedCell
}

function lookUp({ cells }: ResolvedPolicy): LookUp {
  const fallback = cells.length - 2
  const both = (first: number, second: number) =>
    first === fallback && second === fallback ? String(cells.length - 1) : `${first} ${second}`
  const made = new Map<string, ResolvedCell>()
  return {
    keyOf: cellLocator(cells, String, both),
    cellOf(key) {
      const [first, second] = key.split(' ').map(Number) as [number, number?]
      if (second === undefined) return cells[first]!
      let cell = made.get(key)
      if (cell === undefined) {
        cell = strictlyBoth(cells[first]!, cells[second]!)
        made.set(key, cell)
      }
      return cell
    },
  }
}

// Each method that a route names, and one that none does.
function methodsOf(cells: readonly ResolvedCell[]): readonly string[] {
  const named = new Set(cells.flatMap(({ method }) => (method === undefined ? [] : [method])))
  // A route for GET answers HEAD, unless HEAD has a route of its own.
  if (named.has('GET')) named.add('HEAD')
  return [METHODS.find((method) => !named.has(method)) ?? 'PROPFIND', ...named]
}
