// A wrong policy as data: what was wrong, where, what was received and how to mend it.

/** The ways in which a policy can be wrong; stable, for tools. */
export type PolicyProblemKind =
  | 'type'
  | 'value'
  | 'unknown'
  | 'missing'
  | 'contradiction'
  | 'insecure'
  | 'route'

/** One wrong place in a policy. */
export interface PolicyProblem {
  /** Where: `transport.hsts.maxAgeSeconds`, `routes["/v1/x"].cache`. */
  readonly path: string
  readonly kind: PolicyProblemKind
  /** What stood there, as it was written. */
  readonly received: unknown
  /** What is wrong, without path and value. */
  readonly message: string
  /** What to write instead. */
  readonly mend: string
}

/** So many problems are reported; a policy that has more is not read to the end. */
export const PROBLEM_LIMIT = 100

/** Thrown when a policy is refused; carries every problem, not only the first. */
export class PolicyError extends Error {
  readonly problems: readonly PolicyProblem[]
  constructor(problems: readonly PolicyProblem[]) {
    super(problems.map(sentence).join('\n'))
    this.name = 'PolicyError'
    this.problems = problems
  }
}

/** One line for one problem: `path: message, received value; mend`. */
export function sentence(problem: PolicyProblem): string {
  const received = problem.received === undefined ? '' : `, received ${show(problem.received)}`
  return `${cut(problem.path, 240) || 'policy'}: ${problem.message}${received}; ${problem.mend}`
}

const SHOWN = 80

/** A value as it would stand in the policy, cut after 80 characters. Total: no value makes it throw or grow. */
export function show(value: unknown): string {
  return cut(write(value, SHOWN), SHOWN)
}

// JSON with a budget, so that a huge or cyclic value costs no more than what is shown of it.
function write(value: unknown, budget: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, budget + 1))
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (budget <= 0) return '...'
  const isList = Array.isArray(value)
  const parts: string[] = []
  let left = budget - 2
  for (const key of Object.keys(value)) {
    if (left < 0) break
    const member = Object.getOwnPropertyDescriptor(value, key)
    const text = member && 'value' in member ? write(member.value, left) : 'a getter'
    const part = isList ? text : `${JSON.stringify(key.slice(0, budget))}:${text}`
    left -= part.length + 1
    parts.push(part)
  }
  return isList ? `[${parts.join(',')}]` : `{${parts.join(',')}}`
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 3)}...` : text
}

/** A child's path: `a.b`, or `a["x/y"]` where the key is no identifier. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

/** A path in its parts, as `childPath` wrote it: `a.b[2]["x/y"]` is `a`, `b`, `2`, `x/y`. */
export function pathParts(path: string): readonly string[] {
  const parts: string[] = []
  for (const [, word, index, quoted] of path.matchAll(
    /([A-Za-z_$][\w$]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g,
  ))
    parts.push(word ?? index ?? (JSON.parse(quoted!) as string))
  return parts
}

/** The known word nearest to a mistyped one, when it is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const meant = word.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.min(3, Math.max(1, Math.floor(word.length / 3))) + 1
  for (const candidate of known) {
    const distance = editDistance(meant, candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  if (best !== undefined || word.length < 4) return best
  // `maxAge` for `maxAgeSeconds`: units stand in our names, and not in everybody's.
  const longer = known.filter((candidate) => candidate.toLowerCase().includes(meant))
  return longer.length === 1 ? longer[0] : undefined
}

// Levenshtein with swapped neighbours as one slip, given up at `limit`; policies are short, so the plain table is enough.
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, before[j - 2]! + 1)
      next.push(least)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
