// Why a request is judged by one cell and by no other: which patterns cover its path, and what made one of them win.

import type { Exchange } from '../../guard/exchange.ts'
import type { ResolvedCell, ResolvedPolicy } from '../../guard/resolve.ts'
import { pathFault } from '../../policy/canonical.ts'
import { foldPath, loosePath, type Pattern, type Segment } from '../../policy/pattern.ts'
import { buildRouter } from '../../policy/router.ts'

/** The cell and the reason. */
export interface CellChoice {
  readonly id: string
  readonly data: string
  readonly credentials: string
  /** True where every program reads the path as the same one. */
  readonly canonical: boolean
  readonly why: string
  /** Other patterns that stand near, and why they did not win. */
  readonly over: readonly { readonly pattern: string; readonly why: string }[]
}

/** Says why the exchange has its cell. */
export function cellChoice(policy: ResolvedPolicy, exchange: Exchange, judgedAs: string): CellChoice {
  const { cell, path } = exchange
  const fault = pathFault(path)
  return {
    id: cell.id,
    data: cell.data,
    credentials: cell.credentials,
    canonical: fault === undefined,
    why: reason(policy, exchange, judgedAs, fault),
    over: cell.origin === 'strict' ? [] : beaten(policy.cells, cell.id, path, judgedAs),
  }
}

function reason(
  policy: ResolvedPolicy,
  { cell, path }: Exchange,
  judgedAs: string,
  fault: string | undefined,
): string {
  if (cell.origin === 'default') return 'no route covers it'
  if (cell.origin === 'route')
    return cell.method === undefined ? 'this route covers it' : `this route covers it for ${judgedAs}`
  const router = routerOf(policy)
  const taken = router.findFolded(judgedAs, fault === undefined ? foldPath(path) : loosePath(path))
  const other = taken === undefined ? 'no route' : policy.cells[taken]!.id
  if (fault !== undefined)
    return `the path is not canonical (${fault.replaceAll('-', ' ')}): programs may read it differently, one of them as ${other}, so it meets the strictest of both`
  return `a program that ignores letter case, a trailing slash or needless escapes takes it for ${other}, so it meets the strictest of both`
}

/** The cells that a request can have to do with: a policy of these alone judges it like the whole. */
export function cellsConcerned(policy: ResolvedPolicy, path: string, judgedAs: string): ResolvedPolicy {
  const router = routerOf(policy)
  const concerned = new Set([
    router.find(judgedAs, path),
    router.findFolded(judgedAs, foldPath(path)),
    router.findFolded(judgedAs, loosePath(path)),
    policy.cells.length - 2,
    policy.cells.length - 1,
  ])
  return { ...policy, cells: policy.cells.filter((_cell, index) => concerned.has(index)) }
}

function routerOf({ cells }: ResolvedPolicy) {
  return buildRouter(cells.flatMap(({ pattern }, index) => (pattern ? [[pattern, index] as const] : [])))
}

// A policy may have thousands of routes under one wildcard; the nearest tell enough.
const SHOWN = 5

function beaten(
  cells: readonly ResolvedCell[],
  winner: string,
  path: string,
  method: string,
): CellChoice['over'] {
  const won = cells.find(({ id }) => id === winner)
  const parts = path.slice(1).split('/')
  const near = cells.filter(({ id, pattern }) => pattern && id !== winner && covers(pattern.segments, parts))
  const own = won?.pattern
  return near
    .sort((a, b) => specificity(b.pattern!, a.pattern!))
    .slice(0, SHOWN)
    .map(({ id, pattern }) => ({ pattern: id, why: lost(pattern!, own, method) }))
}

function covers(segments: readonly Segment[], parts: readonly string[]): boolean {
  for (const [index, segment] of segments.entries()) {
    // Also the bare path: `/x/*` covers `/x`.
    if (segment.kind === 'wildcard') return true
    const part = parts[index]
    if (part === undefined || (segment.kind === 'static' ? part !== segment.text : part === '')) return false
  }
  return segments.length === parts.length
}

const RANK: Readonly<Record<Segment['kind'], number>> = { static: 2, param: 1, wildcard: 0 }

function specificity(a: Pattern, b: Pattern): number {
  const length = Math.max(a.segments.length, b.segments.length)
  for (let i = 0; i < length; i++) {
    const difference = rankAt(a, i) - rankAt(b, i)
    if (difference !== 0) return difference
  }
  return 0
}

function rankAt({ segments }: Pattern, index: number): number {
  const segment = segments[index]
  return segment === undefined ? 3 : RANK[segment.kind]
}

function lost(loser: Pattern, winner: Pattern | undefined, method: string): string {
  if (loser.method !== undefined && loser.method !== method && !(method === 'HEAD' && loser.method === 'GET'))
    return `it is for ${loser.method}`
  if (winner === undefined) return 'it covers the path, and not the method'
  const length = Math.max(loser.segments.length, winner.segments.length)
  for (let i = 0; i < length; i++) {
    if (rankAt(loser, i) === rankAt(winner, i)) continue
    return `its segment ${i + 1} is ${nameOf(loser.segments[i])}, and ${nameOf(winner.segments[i])} is more specific`
  }
  return 'it is for every method, and a route for one method is more specific'
}

function nameOf(segment: Segment | undefined): string {
  if (segment === undefined) return 'the end of the path'
  if (segment.kind === 'static') return `the word "${segment.text}"`
  return segment.kind === 'param' ? `the parameter ":${segment.name}"` : '"*"'
}
