// One turn of the schedule: a backup where one is due, then the oldest go. One process at a time, however many share the
// folder.

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lockFolder } from '../embedded/lock.ts'
import type { Store } from '../open.ts'
import { type BackupSettings, makeBackup } from './make.ts'
import { type BackupRecord, provedBackups, prune } from './record.ts'

/** What a turn needs. */
export interface TurnSettings extends BackupSettings {
  /** How many proved backups are kept. */
  readonly keep: number
  /** How old the last one must be before another is made; 0: make one now. */
  readonly everySeconds: number
}

/** What a turn has done. */
export interface Turn {
  /** Undefined where none was due. */
  readonly made: BackupRecord | undefined
  /** The names of the files that are gone. */
  readonly pruned: readonly string[]
}

/**
 * Makes a backup where one is due, and prunes.
 *
 * @throws StoreFault `held` while another process is at it
 */
export async function takeTurn(store: Store, settings: TurnSettings): Promise<Turn> {
  const { folder, keep, everySeconds, now } = settings
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = lockFolder(join(folder, 'sallyport'))
  try {
    removeBegun(folder)
    const [last] = provedBackups(folder)
    const isDue = last === undefined || now().getTime() - Date.parse(last.at) >= 1_000 * everySeconds
    const made = isDue ? await makeBackup(store, settings) : undefined
    return { made, pruned: made ? prune(folder, keep) : [] }
  } finally {
    lock.release()
  }
}

// What a process that was killed had begun; the lock is ours, so nobody writes to it.
function removeBegun(folder: string): void {
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.backup.new')))
    rmSync(join(folder, name), { force: true })
}
