// What tells one organisation's answer from every other: values that stand in it each time it is asked for, that nobody
// sent, and that nobody else is answered by right.

const SHORTEST = 6
const MOST = 200

/** The values of an answer: the leaves of JSON, the longer words of anything else. */
function valuesIn(body: string): ReadonlySet<string> {
  const values = new Set<string>()
  try {
    leaves(JSON.parse(body), values, 0)
  } catch {
    for (const [word] of body.matchAll(/[\p{L}\p{N}@._+-]{8,200}/gu)) values.add(word)
  }
  return values
}

function leaves(value: unknown, into: Set<string>, depth: number): void {
  if (into.size >= 10_000 || depth > 64) return
  if (typeof value === 'string' || typeof value === 'number') into.add(String(value))
  else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) leaves(each, into, depth + 1)
}

/**
 * The marks of an owner's answer.
 *
 * @param answers the same request, answered to the owner more than once
 * @param sent what was sent, which an answer may repeat by right
 * @param known answers that others are given by right
 */
export function marksOf(
  answers: readonly string[],
  sent: string,
  known: readonly string[],
): readonly string[] {
  const [first = '', ...more] = answers
  const others = more.map(valuesIn)
  const marks = [...valuesIn(first)].filter(
    (value) =>
      value.length >= SHORTEST &&
      !sent.includes(value) &&
      others.every((values) => values.has(value)) &&
      !known.some((body) => body.includes(value)),
  )
  return marks.slice(0, MOST)
}

/** The marks that another answer tells, escaped or not. */
export function toldOf(marks: readonly string[], body: string): readonly string[] {
  if (body === '' || marks.length === 0) return []
  const values = valuesIn(body)
  return marks.filter((mark) => values.has(mark) || body.includes(mark))
}

/** True where what is told can't be a coincidence: one value that nothing else has, or most of the plain words. */
export function isTold(marks: readonly string[], told: readonly string[]): boolean {
  return told.some(isUnique) || (told.length >= 2 && told.length * 2 >= marks.length)
}

const DATE = /^\d{4}-\d{2}-\d{2}$/

// An identifier, an address, a name of several words; "shipped" and "2026-11-25" stand in many answers.
function isUnique(mark: string): boolean {
  return (
    mark.length >= 12 || mark.includes('@') || (/\d/.test(mark) && /\p{L}/u.test(mark) && !DATE.test(mark))
  )
}
