// A caller who looks for a window with more than the limit in it: every arrival pattern on a small lattice, and hill
// climbing over longer ones. What it finds is a lower bound, so it is first let loose on counters that are known to leak.

/** One step of a pattern: wait, then ask that many times. */
interface Arrival {
  readonly waitMs: number
  readonly count: number
}

/** What the search attacks: a fresh caller that asks at given moments. Answers whether it was let through. */
export type Attempt = (atMs: number) => boolean

/** The most moments that lie in any window of this length (its end not counted in). `times` ascends. */
export function mostInAnyWindow(times: readonly number[], windowMs: number): number {
  let most = 0
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! >= windowMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}

/** How many a pattern gets through in its best window. */
function replay(arrivals: readonly Arrival[], windowMs: number, attempt: Attempt): number {
  const through: number[] = []
  let now = 0
  for (const { waitMs, count } of arrivals) {
    now += waitMs
    for (let at = 0; at < count; at++) if (attempt(now)) through.push(now)
  }
  return mostInAnyWindow(through, windowMs)
}

/** Numbers below a bound, from a seed (Park and Miller's generator). */
function seeded(seed: number): (below: number) => number {
  let state = (seed % 2_147_483_646) + 1
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return Math.floor((state / 2_147_483_647) * below)
  }
}

export interface ClimbOptions {
  readonly limit: number
  readonly windowMs: number
  readonly seed: number
  readonly rounds: number
  /** A fresh caller for one pattern. */
  readonly caller: () => Attempt
}

/** Climbs from a random pattern and answers the most it got through any window. Stops early above `limit * 2`. */
export function climb({ limit, windowMs, seed, rounds, caller }: ClimbOptions): number {
  const next = seeded(seed)
  // Waits that matter: around whole windows, around slots of a fifteenth and a sixteenth, and anything.
  const wait = () => {
    const unit = [windowMs, windowMs / 15, windowMs / 16, windowMs / 2, windowMs / limit][next(5)]!
    return (
      Math.max(0, Math.round(unit * (1 + next(3))) - 1 + next(3)) * (next(4) === 0 ? 0 : 1) +
      (next(6) === 0 ? next(windowMs) : 0)
    )
  }
  const step = (): Arrival => ({ waitMs: wait(), count: 1 + next(limit + 1) })
  let best = Array.from({ length: 10 }, step)
  let most = replay(best, windowMs, caller())
  for (let round = 0; round < rounds && most < limit * 2; round++) {
    const tried = [...best]
    const at = next(tried.length)
    const kind = next(4)
    if (kind === 0) tried[at] = step()
    else if (kind === 1) tried[at] = { ...tried[at]!, count: 1 + next(limit + 1) }
    else if (kind === 2)
      tried[at] = {
        ...tried[at]!,
        waitMs: Math.max(0, tried[at]!.waitMs + next(windowMs / 4) - windowMs / 8),
      }
    else tried.splice(at, 1, step(), tried[at]!)
    if (tried.length > 16) tried.splice(next(16), 1)
    const found = replay(tried, windowMs, caller())
    // Equals are taken too: most of this landscape is flat.
    if (found >= most) {
      most = found
      best = tried
    }
  }
  return most
}
