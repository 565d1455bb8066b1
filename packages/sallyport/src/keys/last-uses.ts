// When keys were last used, gathered and written each minute: one write for all of a key's requests of that minute.

import type { KeyRecords } from './revocation-watch.ts'

/** Gathers uses. */
export interface LastUses {
  note(id: string, atMs: number): void
  /** Writes what is left and stops. */
  close(): Promise<void>
}

const EVERY_MS = 60_000
const BATCH = 1_000
const MOST = 100_000

/** @param after does something later, and gives what takes that back */
export function lastUses(
  records: Pick<KeyRecords, 'used'>,
  after: (milliseconds: number, work: () => void) => () => void,
): LastUses {
  let uses = new Map<string, number>()
  let stopped = false
  let cancelNext = () => {}

  async function write(): Promise<void> {
    const taken = [...uses]
    uses = new Map()
    for (let at = 0; at < taken.length; at += BATCH) {
      const batch = taken.slice(at, at + BATCH)
      try {
        await records.used(new Map(batch))
      } catch {
        // Kept for the next minute; what was noted since is newer.
        for (const [id, time] of batch) if (!uses.has(id) && uses.size < MOST) uses.set(id, time)
      }
    }
  }

  const plan = () => {
    cancelNext = after(EVERY_MS, () => {
      void write().then(() => {
        if (!stopped) plan()
      })
    })
  }
  plan()
  return {
    note(id, atMs) {
      // Keys of ours alone come here; beyond so many in a minute, some are written with their next use.
      if (uses.size < MOST || uses.has(id)) uses.set(id, atMs)
    },
    async close() {
      stopped = true
      cancelNext()
      await write()
    },
  }
}
