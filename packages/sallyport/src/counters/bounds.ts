// The most that any window can hold, for each state that the counters can be in: data for the posture page.

import { burstOf, type CounterRequest, localShare } from '../ports/counters.ts'

export interface CounterDeployment {
  /** Where is counted: in each process, or in one Valkey for all. */
  readonly store: 'memory' | 'valkey'
  /** How many processes serve. */
  readonly nodes: number
}

export interface CounterBound {
  readonly state:
    | 'one process'
    | 'one process, restarted'
    | 'several processes'
    | 'several processes, restarted'
    | 'several with Valkey'
    | 'outage'
    | 'Valkey restarted empty'
  /** The most requests in any window; `Infinity` where nothing holds. */
  readonly most: number
  readonly sentence: string
}

/** The bounds of one bucket, the ordinary state first. */
export function counterBounds(
  bucket: Omit<CounterRequest, 'key' | 'cost'>,
  { store, nodes }: CounterDeployment,
): readonly CounterBound[] {
  const { limit, onOutage = 'local' } = bucket
  const smooth = bucket.algorithm === 'smooth'
  const ordinary = smooth ? limit + burstOf({ ...bucket, key: '', cost: 1 }) : limit
  const apart = smooth ? `${limit} and a burst of ${ordinary - limit}` : `${limit}`
  if (store === 'memory') {
    // What is in memory only is forgotten; each further restart adds as much again.
    const restarted = (most: number) =>
      `A process that starts again has forgotten what it counted: up to ${most} in a window that reaches over one restart. Valkey keeps the count.`
    if (nodes === 1)
      return [
        { state: 'one process', most: ordinary, sentence: `Never more than ${apart} in any window.` },
        { state: 'one process, restarted', most: ordinary * 2, sentence: restarted(ordinary * 2) },
      ]
    return [
      {
        state: 'several processes',
        most: ordinary * nodes,
        sentence: `Each of ${nodes} processes counts alone: up to ${ordinary * nodes} in a window. Valkey makes it one count.`,
      },
      {
        state: 'several processes, restarted',
        most: ordinary * nodes * 2,
        sentence: restarted(ordinary * nodes * 2),
      },
    ]
  }
  const share = localShare({ ...bucket, key: '', cost: 1 }, nodes)
  const local = (share.limit + (smooth ? burstOf(share) : 0)) * nodes
  const during = { local, open: Number.POSITIVE_INFINITY, closed: 0 }[onOutage]
  const sentences = {
    local: `While Valkey is away, or its answer does not come within 50 ms, each of ${nodes} processes lets ${share.limit} through: together ${local} in a window, and up to ${ordinary + local} in one that reaches over the outage's start or end.`,
    open: 'While Valkey is away nothing is counted and everything passes.',
    closed: 'While Valkey is away nothing passes: 503.',
  }
  return [
    {
      state: 'several with Valkey',
      most: ordinary,
      sentence: `Never more than ${apart} in any window, over all processes.`,
    },
    { state: 'outage', most: ordinary + during, sentence: sentences[onOutage] },
    {
      state: 'Valkey restarted empty',
      most: ordinary * 2 + during,
      sentence: `A Valkey that comes back without its data starts anew: up to ${ordinary * 2} in a window that reaches over the restart${during === 0 || during === Number.POSITIVE_INFINITY ? '' : `, and ${ordinary * 2 + during} with what the processes let through meanwhile`}.`,
    },
  ]
}
