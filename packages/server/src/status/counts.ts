// What the gateway tells about itself: that it runs, under which policy, and how many requests it has seen. Nothing
// of a caller, a path or an upstream.

/** What `/v1/status` answers. */
export interface StatusReport {
  readonly status: 'ok' | 'draining'
  readonly version: string
  readonly policyDigest: string
  /** RFC 3339. */
  readonly startedAt: string
  readonly requests: RequestCounts
  /** Absent where there is no audit log. */
  readonly audit?: {
    /** Entries of the log, as far as this process knows. */
    readonly entries: number
    /** Events that are not in it yet. */
    readonly waiting: number
  }
}

/** Requests since the start. */
interface RequestCounts {
  /** All that could be read. */
  readonly total: number
  /** Refused by the policy. */
  readonly refused: number
  /** Failed because of the upstream. */
  readonly failed: number
}

/** The part of a report that is of the audit log. */
export function logCounts(
  state: { readonly size: number; readonly waiting: number } | undefined,
): Pick<StatusReport, 'audit'> {
  return state === undefined ? {} : { audit: { entries: state.size, waiting: state.waiting } }
}

/** Counts, and tells a listener that something changed. */
export interface Counter {
  readonly counts: RequestCounts
  add(name: keyof RequestCounts): void
  onChange(listener: () => void): void
}

export function createCounter(): Counter {
  const counts = { total: 0, refused: 0, failed: 0 }
  const listeners: (() => void)[] = []
  return {
    counts,
    add(name) {
      counts[name]++
      for (const listener of listeners) listener()
    },
    onChange: (listener) => void listeners.push(listener),
  }
}
