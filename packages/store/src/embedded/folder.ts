// What is checked of an embedded store's folder before the database may touch it, and how a new one comes to be: complete
// and synced under another name first, so that a crash leaves either no store or a whole one.

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StoreFault } from '../fault.ts'
import { syncPath } from './durable-files.ts'
import { ROOM, roomAt } from './room.ts'
import { unpackTemplate } from './template.ts'

/** The major version of PostgreSQL inside the pinned PGlite. */
const MAJOR = '18'
const CONTROL_BYTES = 8192
/** Every file of the log is as long from the moment it has its name. */
const LOG_BYTES = 2 ** 24
const LOG_NAME = /^[0-9A-F]{24}$/
/** statfs(2) numbers of file systems whose locks or syncs can't be relied on: NFS, CIFS, SMB2. */
const REMOTE = new Set([0x6969, 0xff534d42, 0xfe534d42])
const RESTORE = 'restore it from an export: sallyport store import'

/** What stands at the place of a store. */
export type FolderState = 'absent' | 'present'

/**
 * Judges a folder; the caller holds its lock.
 *
 * @throws StoreFault `refused`, saying what to do
 */
export function judgeFolder(directory: string): FolderState {
  const parent = dirname(directory)
  writable(parent, 'the folder around the store')
  const places = existsSync(directory) ? [parent, directory] : [parent]
  if (places.some((place) => REMOTE.has(statfsSync(place).type)))
    throw refused(
      'the store’s folder is on a network file system, where locks and syncs can’t be relied on; use a local disk, or a PostgreSQL server',
    )
  // The lock and the marker stand beside the folder: whoever shares the folder alone has others.
  if (new Set(places.map((place) => statSync(place).dev)).size > 1)
    throw refused(
      'the store’s folder is a volume of its own, so its lock would not be on it, and another container could open it too; mount the volume at the folder around it',
    )
  // A new database is as large itself.
  const room = existsSync(directory) ? ROOM : 2 * ROOM
  if (roomAt(parent) < room)
    throw new StoreFault(
      'full',
      `the disk of the store has less than ${room / 2 ** 20} MiB left, which it may need; free space`,
    )
  if (!existsSync(directory)) {
    if (existsSync(markerOf(directory)))
      throw refused(
        `the store’s folder is gone, though a store was made here; mount its volume or ${RESTORE}; to begin anew and lose it, delete the file that ends in .marker beside it`,
      )
    return 'absent'
  }
  writable(directory, 'the store’s folder')
  const version = textOf(join(directory, 'PG_VERSION'))
  if (version === undefined)
    throw refused(`the store’s folder holds no database; name another folder or ${RESTORE}`)
  if (version !== MAJOR)
    throw refused(
      `the store’s folder was written by PostgreSQL ${version}, this version reads ${MAJOR}; export it with the version of Sallyport that wrote it, then ${RESTORE}`,
    )
  const control = join(directory, 'global/pg_control')
  if (!existsSync(control) || statSync(control).size !== CONTROL_BYTES)
    throw refused(`the store’s folder is damaged: its control file is missing or cut; ${RESTORE}`)
  const log = join(directory, 'pg_wal')
  // PostgreSQL takes the end of a cut file for the end of the log, and what was acknowledged behind it would be gone.
  if (
    !existsSync(log) ||
    readdirSync(log).some((name) => LOG_NAME.test(name) && statSync(join(log, name)).size !== LOG_BYTES)
  )
    throw refused(`the store’s folder is damaged: its log is missing or cut; ${RESTORE}`)
  // The lock is ours, so this file says nothing; after a power cut it may be empty, and PostgreSQL would not start.
  rmSync(join(directory, 'postmaster.pid'), { force: true })
  mark(directory)
  return 'present'
}

/** Makes a new store: unpacked beside its place, synced, then renamed there, then marked. */
export async function makeFolder(directory: string): Promise<void> {
  const initial = `${directory}.init`
  rmSync(initial, { recursive: true, force: true })
  mkdirSync(initial, { mode: 0o700 })
  try {
    unpackTemplate(initial)
    await syncTree(initial)
  } catch (error) {
    // A disk that was too small for it is not left full.
    rmSync(initial, { recursive: true, force: true })
    throw error
  }
  renameSync(initial, directory)
  syncPath(dirname(directory))
  mark(directory)
}

// Outside the folder, so that a folder that vanished is never taken for one that was not there yet: lockouts and
// revocations would be gone without a word.
function mark(directory: string): void {
  const marker = markerOf(directory)
  if (existsSync(marker)) return
  writeFileSync(marker, `${JSON.stringify({ store: MAJOR, since: new Date().toISOString() })}\n`, {
    mode: 0o600,
  })
  syncPath(marker)
  syncPath(dirname(marker))
}

function markerOf(directory: string): string {
  return `${directory}.marker`
}

function writable(path: string, what: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'EROFS'
        ? 'is on a read-only file system'
        : code === 'ENOENT'
          ? 'does not exist'
          : 'can’t be written by this user'
    throw new StoreFault('refused', `${what} ${why} (${code}); give it to the user that runs Sallyport`, {
      cause: error,
    })
  }
}

// The files of a folder at once: their syncs share the writes of the file system's journal.
async function syncTree(path: string): Promise<void> {
  const entries = readdirSync(path, { withFileTypes: true })
  for (const entry of entries) if (entry.isDirectory()) await syncTree(join(path, entry.name))
  await Promise.all(entries.filter((entry) => entry.isFile()).map(({ name }) => syncFile(join(path, name))))
  syncPath(path)
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

function refused(message: string): StoreFault {
  return new StoreFault('refused', message)
}

/** What the last lines of a database that did not start mean. */
export function refusalOf(lines: readonly string[]): StoreFault {
  const said = lines.join('\n')
  if (/No space left|ENOSPC/.test(said))
    return new StoreFault('full', 'the disk of the store is full; free space')
  if (
    /checkpoint record|invalid (?:record|magic)|pg_wal|control file|checksum|could not (?:read|open) file/i.test(
      said,
    )
  )
    return refused(
      `the store’s folder is damaged and was not opened, so that nothing more is lost; ${RESTORE}`,
    )
  return refused(
    `the embedded database did not start; ${RESTORE} or look at what it said: ${lines.at(-1) ?? 'nothing'}`,
  )
}
