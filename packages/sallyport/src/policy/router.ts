// A radix tree over path characters: 10,000 routes cost as 10. Most specific wins: at each segment a word beats a
// parameter beats a wildcard. Every node is reached by one way only, so a look-up never visits a node twice.

import { foldPath, foldText, type Pattern, type Segment } from './pattern.ts'

interface Leaf<T> {
  any?: T
  byMethod?: Map<string, T>
}

interface Node<T> {
  prefix: string
  children: Map<number, Node<T>>
  /** A parameter that begins here; only after a "/". */
  param?: Node<T>
  /** The route that ends exactly here. */
  leaf?: Leaf<T>
  /** `/x/*` seen at `/x`: weaker than a route for `/x` itself. */
  bare?: Leaf<T>
  /** `/x/*` seen at `/x/`. */
  wildcard?: Leaf<T>
}

/** Finds the value of the most specific route. */
export interface Router<T> {
  /** The value for a canonical path; `undefined` where no route covers it. */
  find(method: string, path: string): T | undefined
  /**
   * True where a program that ignores letter case or a trailing slash would take this path for another route
   * than `find` does; such a path must not be trusted with the looser of the two.
   */
  isAmbiguous(method: string, path: string): boolean
  /** The value that such a program finds, for a path that is folded already. */
  findFolded(method: string, folded: string): T | undefined
}

/** Builds the router from patterns and their values. */
export function buildRouter<T>(routes: readonly (readonly [Pattern, T])[]): Router<T> {
  const exact = node<T>('')
  const folded = node<T>('')
  // Where every route is its own fold, the two trees are equal, and a path that is its own fold finds the same in both.
  let allFolded = true
  for (const [pattern, value] of routes) {
    const segments = foldSegments(pattern.segments)
    if (patternText(segments) !== patternText(pattern.segments)) allFolded = false
    insert(exact, pattern.segments, pattern.method, value)
    insert(folded, segments, pattern.method, value)
  }
  return {
    find: (method, path) => search(exact, path, 0, method),
    findFolded: (method, path) => search(folded, path, 0, method),
    isAmbiguous(method, path) {
      const alias = foldPath(path)
      if (alias === path && allFolded) return false
      return search(folded, alias, 0, method) !== search(exact, path, 0, method)
    },
  }
}

function node<T>(prefix: string): Node<T> {
  return { prefix, children: new Map() }
}

// The segments as a program reads them that ignores letter case and a trailing slash.
function foldSegments(segments: readonly Segment[]): readonly Segment[] {
  const lower = segments.map((segment) =>
    segment.kind === 'static' ? { kind: segment.kind, text: foldText(segment.text) } : segment,
  )
  const last = lower.at(-1)
  return lower.length > 1 && last?.kind === 'static' && last.text === '' ? lower.slice(0, -1) : lower
}

function patternText(segments: readonly Segment[]): string {
  return segments.map((segment) => (segment.kind === 'static' ? segment.text : segment.kind)).join('/')
}

function insert<T>(root: Node<T>, segments: readonly Segment[], method: string | undefined, value: T): void {
  let at = root
  let pending = ''
  let bareAt: Node<T> | undefined
  for (const segment of segments) {
    if (segment.kind === 'static') {
      pending += `/${segment.text}`
      continue
    }
    if (segment.kind === 'wildcard') {
      bareAt = extend(at, pending)
      at = extend(at, `${pending}/`)
      pending = ''
      put(at, 'wildcard', method, value)
      if (bareAt !== root) put(bareAt, 'bare', method, value)
      return
    }
    at = extend(at, `${pending}/`)
    pending = ''
    at.param ??= node('')
    at = at.param
  }
  at = extend(at, pending)
  put(at, 'leaf', method, value)
}

function put<T>(
  at: Node<T>,
  place: 'leaf' | 'bare' | 'wildcard',
  method: string | undefined,
  value: T,
): void {
  at[place] ??= {}
  const leaf = at[place]
  if (method === undefined) leaf.any = value
  else {
    leaf.byMethod ??= new Map()
    leaf.byMethod.set(method, value)
  }
}

// Walks down `text` from a node, splitting edges where needed; returns the node at its end.
function extend<T>(from: Node<T>, text: string): Node<T> {
  let at = from
  let rest = text
  while (rest !== '') {
    const child = at.children.get(rest.charCodeAt(0))
    if (!child) {
      const created = node<T>(rest)
      at.children.set(rest.charCodeAt(0), created)
      return created
    }
    const shared = sharedLength(child.prefix, rest)
    if (shared < child.prefix.length) {
      const upper = node<T>(child.prefix.slice(0, shared))
      child.prefix = child.prefix.slice(shared)
      upper.children.set(child.prefix.charCodeAt(0), child)
      at.children.set(rest.charCodeAt(0), upper)
      at = upper
    } else at = child
    rest = rest.slice(shared)
  }
  return at
}

function sharedLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length)
  let i = 0
  while (i < limit && a.charCodeAt(i) === b.charCodeAt(i)) i++
  return i
}

function search<T>(at: Node<T>, path: string, index: number, method: string): T | undefined {
  if (index === path.length) {
    const end = choose(at.leaf, method) ?? choose(at.bare, method)
    if (end !== undefined) return end
    return choose(at.wildcard, method)
  }
  const child = at.children.get(path.charCodeAt(index))
  if (child !== undefined && path.startsWith(child.prefix, index)) {
    const found = search(child, path, index + child.prefix.length, method)
    if (found !== undefined) return found
  }
  if (at.param !== undefined) {
    const slash = path.indexOf('/', index)
    const end = slash < 0 ? path.length : slash
    if (end > index) {
      const found = search(at.param, path, end, method)
      if (found !== undefined) return found
    }
  }
  return choose(at.wildcard, method)
}

// HEAD is answered by GET's route unless it has one of its own (RFC 9110, section 9.3.2).
function choose<T>(leaf: Leaf<T> | undefined, method: string): T | undefined {
  if (leaf === undefined) return undefined
  if (leaf.byMethod !== undefined) {
    const own = leaf.byMethod.get(method) ?? (method === 'HEAD' ? leaf.byMethod.get('GET') : undefined)
    if (own !== undefined) return own
  }
  return leaf.any
}
