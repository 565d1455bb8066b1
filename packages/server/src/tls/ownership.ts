// What lies in the state folder decides which authority a developer trusts, so it is taken only where nobody but the
// running user can have put it there.

import type { Stats } from 'node:fs'
import { lstat, mkdir } from 'node:fs/promises'

const OTHERS_WRITE = 0o022
const OTHERS_READ = 0o044

/**
 * Makes the folder where there is none.
 *
 * @throws Error for a folder that is not the running user's alone to write in
 */
export async function ownFolder(folder: string): Promise<void> {
  const found = await look(folder)
  if (found === undefined) await mkdir(folder, { recursive: true, mode: 0o700 })
  // What was made a moment ago is looked at too: another may have been quicker.
  const stats = found ?? (await lstat(folder))
  if (stats.isSymbolicLink() || !stats.isDirectory())
    throw refusal(folder, 'is not a folder', kindOf(stats), `remove it: rm ${folder}`)
  checkOwner(folder, stats)
  if (canOthers(stats, OTHERS_WRITE))
    throw refusal(folder, 'others can write in it', modeOf(stats), `chmod 700 ${folder}`)
}

/**
 * Looks at a file in a folder that {@link ownFolder} accepted, where nobody else can change it after the look.
 *
 * @returns undefined where there is none
 * @throws Error for what is not a file that the running user alone can write
 */
export async function ownFile(file: string): Promise<Stats | undefined> {
  const stats = await look(file)
  if (stats === undefined) return undefined
  const again = `remove it, and it is made again: rm ${file}`
  if (!stats.isFile()) throw refusal(file, 'is not a regular file', kindOf(stats), again)
  checkOwner(file, stats)
  // Narrower bits would not undo what may have been written already.
  if (canOthers(stats, OTHERS_WRITE)) throw refusal(file, 'others can write it', modeOf(stats), again)
  return stats
}

/** A key that others could read may be known to them, whatever its mode is from now on. */
export const isReadByOthers = (stats: Stats): boolean => canOthers(stats, OTHERS_READ)

async function look(path: string): Promise<Stats | undefined> {
  try {
    // Not through a symbolic link: whoever made that decides what we would read and write.
    return await lstat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

// Windows has neither users by number nor these bits.
const runningUser = (): number | undefined => process.geteuid?.()

function canOthers({ mode }: Stats, bits: number): boolean {
  return runningUser() !== undefined && (mode & bits) !== 0
}

function checkOwner(path: string, { uid }: Stats): void {
  const user = runningUser()
  if (user === undefined || uid === user) return
  throw refusal(
    path,
    'belongs to another user',
    `user ${uid}, running as ${user}`,
    `run as its owner, or name another state folder`,
  )
}

function refusal(path: string, what: string, received: string, mend: string): Error {
  return new Error(`local certificate: ${path}: ${what}, received ${received}; ${mend}`)
}

const modeOf = ({ mode }: Stats): string => `mode ${(mode & 0o777).toString(8).padStart(3, '0')}`

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link'
  if (stats.isDirectory()) return 'a folder'
  return stats.isFile() ? 'a file' : 'a device, pipe or socket'
}
