// The most frequent of any number of names, in little memory: a caller who sends a thousand invented names can't push
// out those that really come often.

/** Names and how often they came. */
export interface Top {
  add(name: string): void
  /** The most frequent first. */
  list(): readonly TopEntry[]
}

/** A name of the list. */
export interface TopEntry {
  readonly name: string
  /** At least as often as it came; more by at most `error`. */
  readonly count: number
  readonly error: number
}

/**
 * Every name that came more often than the total divided by `size` is in the list.
 *
 * @see Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in data streams (2005), "Space-Saving"
 */
export function createTop(size: number): Top {
  const entries = new Map<string, { count: number; error: number }>()
  return {
    add(name) {
      const known = entries.get(name)
      if (known) {
        known.count++
        return
      }
      if (entries.size < size) {
        entries.set(name, { count: 1, error: 0 })
        return
      }
      let least = ''
      let leastCount = Number.POSITIVE_INFINITY
      for (const [candidate, { count }] of entries)
        if (count < leastCount) {
          least = candidate
          leastCount = count
        }
      entries.delete(least)
      entries.set(name, { count: leastCount + 1, error: leastCount })
    },
    list: () => [...entries].map(([name, entry]) => ({ name, ...entry })).sort((a, b) => b.count - a.count),
  }
}
