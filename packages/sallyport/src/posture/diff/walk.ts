// Walks every kind of path that lists of patterns can tell apart, segment by segment, and says one example of each. A kind
// is the set of patterns that are still possible, by the exact reading of a path and by that of a program that ignores
// letter case; of two prefixes with the same set only one is followed, since all that comes after is the same.

import { foldText, type Pattern, type Segment } from '../../policy/pattern.ts'

interface Node {
  readonly number: number
  readonly words: Map<string, Node>
  param: Node | undefined
  hasWildcard: boolean
  /** True where the wildcard is for every method, so that nothing less specific counts behind it. */
  isFinal: boolean
  /** How words were written, by how a forgiving program reads them. */
  readonly spellings: Map<string, Set<string>>
}

/** The nodes that a prefix has reached, most specific first, and, as negative numbers, wildcards that cover all that follows. */
type State = readonly (Node | number)[]

// Patterns that overlap in every way would make more kinds than anybody can look at.
const MOST_KINDS = 500_000

/**
 * @param sides the patterns of each policy
 * @param visit told of each kind of path once: `''` for the root, else `/a/b`, without a slash at its end
 * @throws RangeError where there are more kinds than can be looked at
 */
export function walkPaths(sides: readonly (readonly Pattern[])[], visit: (path: string) => void): void {
  const count = { nodes: 0 }
  const roots = sides.flatMap((patterns) => [
    trie(patterns, (segments) => segments, count),
    trie(patterns, folded, count),
  ])
  // Every second trie reads words as a forgiving program does.
  const other = unusedWord(sides)
  const seen = new Set<string>()
  const start = roots.map((root): State => [root])
  const pending: { readonly path: string; readonly states: readonly State[]; readonly only: Only }[] = []
  const enter = (path: string, states: readonly State[], only: Only): void => {
    const key = states.map(keyOf).join('|')
    if (seen.has(key)) return
    seen.add(key)
    if (seen.size > MOST_KINDS)
      throw new RangeError(
        `the routes overlap in more than ${MOST_KINDS} ways; write fewer routes that begin with a parameter`,
      )
    pending.push({ path, states, only })
  }
  visit('')
  enter('', start, undefined)
  while (pending.length > 0) {
    const { path, states, only } = pending.pop()!
    const rest = states.map((state, side) => step(state, other, side))
    if (only === undefined) {
      visit(`${path}/${other}`)
      enter(`${path}/${other}`, rest, undefined)
    }
    const nodes = nodesOf(states)
    for (const word of wordsOf(only ?? nodes, nodes)) {
      const next = states.map((state, side) => step(state, word, side))
      visit(`${path}/${word}`)
      enter(`${path}/${word}`, next, onlyNew(next, rest))
    }
  }
}

/** The nodes whose words are worth following; `undefined` for all. */
type Only = readonly Node[] | undefined

// Where the nodes that a word has added know nothing but words, every other word leads where it leads without them, which
// is followed from there.
function onlyNew(next: readonly State[], rest: readonly State[]): Only {
  const known = new Set(rest.flat())
  const added = nodesOf(next).filter((node) => !known.has(node))
  return added.some((node) => node.param !== undefined || node.hasWildcard) ? undefined : added
}

function nodesOf(states: readonly State[]): readonly Node[] {
  return states.flat().filter((item) => typeof item === 'object')
}

function keyOf(state: State): string {
  return state.map((item) => (typeof item === 'object' ? item.number : item)).join(' ')
}

function step(state: State, word: string, side: number): State {
  const read = side % 2 === 0 ? word : foldText(word)
  const next: (Node | number)[] = []
  for (const item of state) {
    if (typeof item === 'number') {
      next.push(item)
      if (isFinal(item)) break
      continue
    }
    const child = item.words.get(read)
    if (child) next.push(child)
    if (item.param) next.push(item.param)
    if (!item.hasWildcard) continue
    const settled = settledOf(item)
    next.push(settled)
    if (isFinal(settled)) break
  }
  return next
}

// Odd numbers are final.
function settledOf({ number, isFinal: final }: Node): number {
  return -(number * 2 + (final ? 1 : 2))
}

function isFinal(settled: number): boolean {
  return settled % 2 !== 0
}

/** Every word that some nodes know, in each spelling that one of all nodes has, and in one that none has. */
function wordsOf(some: readonly Node[], all: readonly Node[]): ReadonlySet<string> {
  const words = new Set<string>()
  for (const read of new Set(some.flatMap(({ spellings }) => [...spellings.keys()]))) {
    const written = new Set(all.flatMap(({ spellings }) => [...(spellings.get(read) ?? [])]))
    for (const word of written) if (word !== '') words.add(word)
    const unwritten = otherSpelling(written)
    if (unwritten !== undefined) words.add(unwritten)
  }
  return words
}

// One spelling that a forgiving program takes for the same word, and that stands in no route.
function otherSpelling(written: ReadonlySet<string>): string | undefined {
  const [word = ''] = written
  for (let i = 0; i < word.length; i++) {
    const char = word[i]!
    if (char === '%') {
      i += 2
      continue
    }
    const turned = char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase()
    const changed = turned === char ? escaped(char) : turned
    const spelling = word.slice(0, i) + changed + word.slice(i + 1)
    if (changed !== char && !written.has(spelling)) return spelling
  }
  return undefined
}

// RFC 3986, section 3.3: these may stand in a path as they are, and escaped.
function escaped(char: string): string {
  return /[!$&'()*+,=:@]/.test(char) ? `%${char.charCodeAt(0).toString(16).toUpperCase()}` : char
}

function trie(
  patterns: readonly Pattern[],
  read: (segments: readonly Segment[]) => readonly Segment[],
  count: { nodes: number },
): Node {
  const make = (): Node => ({
    number: count.nodes++,
    words: new Map(),
    param: undefined,
    hasWildcard: false,
    isFinal: false,
    spellings: new Map(),
  })
  const root = make()
  for (const { segments: written, method } of patterns) {
    let at = root
    for (const [index, segment] of read(written).entries()) {
      if (segment.kind === 'wildcard') {
        at.hasWildcard = true
        if (method === undefined) at.isFinal = true
      } else if (segment.kind === 'param') {
        at.param ??= make()
        at = at.param
      } else {
        const spelled = (written[index] as Segment & { readonly text: string }).text
        const folded = foldText(spelled)
        at.spellings.set(folded, (at.spellings.get(folded) ?? new Set<string>()).add(spelled))
        let child = at.words.get(segment.text)
        if (child === undefined) {
          child = make()
          at.words.set(segment.text, child)
        }
        at = child
      }
    }
  }
  return root
}

function folded(segments: readonly Segment[]): readonly Segment[] {
  return segments.map((segment) =>
    segment.kind === 'static' ? { kind: segment.kind, text: foldText(segment.text) } : segment,
  )
}

function unusedWord(sides: readonly (readonly Pattern[])[]): string {
  const used = new Set(
    sides
      .flat()
      .flatMap(({ segments }) =>
        segments.flatMap((each) => (each.kind === 'static' ? [foldText(each.text)] : [])),
      ),
  )
  let word = 'other'
  while (used.has(word)) word += 'x'
  return word
}
