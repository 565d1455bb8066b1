// The lock of an embedded store's folder: an exclusive transaction of SQLite on a file beside it. The kernel frees it with
// the process, and it holds between containers that share a volume, where process ids mean nothing.

import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { StoreFault } from '../fault.ts'

/** A lock that is held. */
export interface FolderLock {
  release(): void
}

/**
 * Takes the lock of a folder.
 *
 * @throws StoreFault `held`, naming who holds it
 */
export function lockFolder(directory: string): FolderLock {
  makePrivate(`${directory}.lock`)
  const database = new DatabaseSync(`${directory}.lock`)
  try {
    database.exec('pragma busy_timeout = 0; pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    database.close()
    if (!/locked|busy/i.test((error as Error).message)) throw error
    throw new StoreFault(
      'held',
      `the store's folder is in use by ${holder(directory)}; stop it, or give each its own folder (several processes share a PostgreSQL server instead)`,
      { cause: error },
    )
  }
  writeFileSync(
    `${directory}.holder`,
    JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() }),
    { mode: 0o600 },
  )
  return { release: () => database.close() }
}

// Whoever can open the file can hold a lock on it, and keep the store from being opened. A file that is there is not opened
// here: closing it would let go of every lock that this process has on it (POSIX, fcntl).
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    chmodSync(file, 0o600)
  }
}

function holder(directory: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(`${directory}.holder`, 'utf8')) as Record<
      string,
      unknown
    >
    return `process ${String(pid)} on ${String(host)} since ${String(since)}`
  } catch {
    return 'another process'
  }
}
