// The requests that two policies may judge by different pairs of cells, one example for each pair that can meet: the
// patterns of both sides are walked together, segment by segment, so that no place where they overlap is missed.

import type { ResolvedCell, ResolvedPolicy } from '../../guard/resolve.ts'
import { METHODS, type Pattern } from '../../policy/pattern.ts'
import { buildRouter } from '../../policy/router.ts'

/** A pair of cells that judge the same requests, before and after. */
export interface Region {
  readonly before: ResolvedCell
  readonly after: ResolvedCell
  /** A request of the region: `GET /v1/account/other`. */
  readonly example: string
  /** How many kinds of requests fall into it. */
  readonly kinds: number
}

interface Node {
  readonly words: Map<string, Node>
  param: Node | undefined
  hasWildcard: boolean
}

// A word that no route has; found once for both policies.
const OTHER = 'other'

/** Every region of two policies; the strict cells are the last. */
export function regionsOf(before: ResolvedPolicy, after: ResolvedPolicy): readonly Region[] {
  const [left, right] = [lookUp(before), lookUp(after)]
  const methods = methodsOf([...before.cells, ...after.cells])
  const other = unusedWord([...before.cells, ...after.cells])
  const regions = new Map<
    string,
    { before: ResolvedCell; after: ResolvedCell; example: string; kinds: number }
  >()

  const see = (path: string): void => {
    for (const method of methods) {
      const [a, b] = [left(method, path), right(method, path)]
      const key = `${a.id}\n${b.id}`
      const known = regions.get(key)
      if (known === undefined)
        regions.set(key, { before: a, after: b, example: `${method} ${path}`, kinds: 1 })
      else known.kinds++
    }
  }

  const roots = [trie(before), trie(after)]
  const pending: { path: string; alive: readonly Node[] }[] = [{ path: '', alive: roots }]
  see('/')
  while (pending.length > 0) {
    const { path, alive } = pending.pop()!
    const words = new Set(alive.flatMap(({ words: own }) => [...own.keys()]))
    for (const word of words) {
      const next = step(alive, word)
      see(`${path}/${word}`)
      pending.push({ path: `${path}/${word}`, alive: next })
    }
    // Whatever stands in no route, and what a wildcard or the default covers.
    const rest = step(alive, other)
    see(`${path}/${other}`)
    if (rest.length > 0) pending.push({ path: `${path}/${other}`, alive: rest })
    else if (alive.some(({ hasWildcard }) => hasWildcard)) see(`${path}/${other}/${other}`)
  }
  const strict = [before.cells.at(-1)!, after.cells.at(-1)!] as const
  return [
    ...regions.values(),
    { before: strict[0], after: strict[1], example: 'a path with two readings', kinds: 1 },
  ]
}

function step(alive: readonly Node[], word: string): readonly Node[] {
  const next = new Set<Node>()
  for (const { words, param } of alive) {
    const child = words.get(word)
    if (child) next.add(child)
    if (param && word !== '') next.add(param)
  }
  return [...next]
}

function trie({ cells }: ResolvedPolicy): Node {
  const root: Node = { words: new Map(), param: undefined, hasWildcard: true }
  for (const { pattern } of cells) {
    let at = root
    for (const segment of pattern?.segments ?? []) {
      if (segment.kind === 'wildcard') {
        at.hasWildcard = true
        continue
      }
      if (segment.kind === 'param') at = at.param ??= empty()
      else {
        const known = at.words.get(segment.text)
        if (known) at = known
        else {
          const made = empty()
          at.words.set(segment.text, made)
          at = made
        }
      }
    }
  }
  return root
}

function empty(): Node {
  return { words: new Map(), param: undefined, hasWildcard: false }
}

function lookUp({ cells }: ResolvedPolicy): (method: string, path: string) => ResolvedCell {
  const router = buildRouter<number>(
    cells.flatMap(({ pattern }, index) => (pattern ? [[pattern, index] as readonly [Pattern, number]] : [])),
  )
  const fallback = cells.length - 2
  return (method, path) => cells[router.find(method, path) ?? fallback]!
}

// Each method that a route names, and one that none does.
function methodsOf(cells: readonly ResolvedCell[]): readonly string[] {
  const named = new Set(cells.flatMap(({ method }) => (method === undefined ? [] : [method])))
  if (named.has('GET')) named.add('HEAD')
  const free = ['GET', 'POST', ...METHODS].find((method) => !named.has(method))
  return [...(free === undefined ? [] : [free]), ...named]
}

function unusedWord(cells: readonly ResolvedCell[]): string {
  const used = new Set(
    cells.flatMap(
      ({ pattern }) => pattern?.segments.flatMap((each) => (each.kind === 'static' ? [each.text] : [])) ?? [],
    ),
  )
  let word = OTHER
  while (used.has(word)) word += 'x'
  return word
}
