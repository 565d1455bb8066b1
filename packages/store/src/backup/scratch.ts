// Folders in which a backup is made and tried: they hold records in clear for a moment, so they are the owner's alone, and
// what a process that was killed left behind goes with the next.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const PREFIX = 'backup-scratch-'
const STALE_MS = 24 * 3_600_000

/** Runs `work` with a folder that goes afterwards. */
export async function inScratch<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(parent).filter((each) => each.startsWith(PREFIX))) {
    const left = join(parent, name)
    if (Date.now() - statSync(left).mtimeMs > STALE_MS) rmSync(left, { recursive: true, force: true })
  }
  const folder = mkdtempSync(join(parent, PREFIX))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
