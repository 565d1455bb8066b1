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
  /**
   * Where only one policy takes the path for one with two readings: that one gives way to the strictest of both, or 400.
   * The cells are then those of the likelier reading.
   */
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
  const [left, right] = [lookUp(before), lookUp(after)]
  const methods = methodsOf([...before.cells, ...after.cells])
  const found = new Map<string, Region>()
  const see = (path: string): void => {
    for (const method of methods) {
      const [a, b] = [left.keyOf(method, path), right.keyOf(method, path)]
      const key = `${a}|${b}`
      if (found.has(key)) continue
      found.set(key, regionOf(left.cellOf(a), right.cellOf(b), `${method} ${path}`))
    }
  }
  const patterns = [before, after].map(({ cells }) => cells.flatMap(({ pattern }) => pattern ?? []))
  walkPaths(patterns, (path) => {
    see(path === '' ? '/' : path)
    if (path !== '') see(`${path}/`)
    // An empty segment: no program of ours takes it, and others read over it.
    see(`/${path === '' ? '/' : path}`)
  })
  return inOrder([...found.values()], after, before)
}

function regionOf(before: Judging, after: Judging, example: string): Region {
  const id = regionName(before.cell, after.cell)
  const [wasStrict, isStrict] = [before, after].map(({ cell }) => cell.origin === 'strict')
  if (wasStrict === isStrict)
    return { before: before.cell, after: after.cell, strictOnly: undefined, id, example }
  const strictOnly = wasStrict ? 'before' : 'after'
  return { before: before.likelier, after: after.likelier, strictOnly, id, example }
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

/** What judges a request. */
interface Judging {
  readonly cell: ResolvedCell
  /** Of a path with two readings, the cell of the one; else the same. */
  readonly likelier: ResolvedCell
}

interface LookUp {
  /** Names the cell that judges a request, without making it. */
  keyOf(method: string, path: string): string
  cellOf(key: string): Judging
}

function lookUp({ cells }: ResolvedPolicy): LookUp {
  const fallback = cells.length - 2
  const both = (first: number, second: number) =>
    first === fallback && second === fallback ? String(cells.length - 1) : `${first} ${second}`
  const made = new Map<string, Judging>()
  return {
    keyOf: cellLocator(cells, String, both),
    cellOf(key) {
      let judging = made.get(key)
      if (judging === undefined) {
        const [first, second] = key.split(' ').map(Number) as [number, number?]
        const likelier = cells[first]!
        judging =
          second !== undefined
            ? { cell: strictlyBoth(likelier, cells[second]!), likelier }
            : { cell: likelier, likelier: likelier.origin === 'strict' ? cells[fallback]! : likelier }
        made.set(key, judging)
      }
      return judging
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
