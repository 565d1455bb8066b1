// Lets entries of the log go once the policy keeps them no longer: soon after the start, then each hour.

import type { Store } from '@sallyport/store'
import type { AuditSink } from 'sallyport'
import type { Signer } from 'sallyport/audit'

const FIRST_MS = 60_000
const EVERY_MS = 3_600_000
const DAY_MS = 86_400_000

/** What lets entries go. */
export interface Retention {
  /** How long entries are kept; without a number they stay. */
  keep(days: number | undefined): void
  /** Does it now. Never rejects: what could not go goes an hour later. */
  prune(now: number): Promise<void>
  close(): void
}

type Prune = (store: Store, signer: Signer, before: number) => Promise<number>

export function logRetention(
  store: Store,
  signer: Signer | undefined,
  audit: AuditSink,
  pruneLog: Prune,
): Retention {
  let days: number | undefined

  async function prune(now: number): Promise<void> {
    // Whatever goes is signed for.
    if (days === undefined || signer === undefined) return
    // Another gateway of the store may do the same at this moment.
    const gone = await pruneLog(store, signer, now - days * DAY_MS).catch(() => 0)
    if (gone > 0)
      audit.record({
        action: 'audit.pruned',
        outcome: 'success',
        control: 'SP-AUDIT-01',
        details: { entries: gone, olderThanDays: days },
      })
  }

  const first = setTimeout(() => void prune(Date.now()), FIRST_MS).unref()
  const every = setInterval(() => void prune(Date.now()), EVERY_MS).unref()
  return {
    keep(next) {
      days = next
    },
    prune,
    close() {
      clearTimeout(first)
      clearInterval(every)
    },
  }
}
