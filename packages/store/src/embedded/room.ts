// Room on the disk of an embedded store. A database that can't write its log ends, and reads with it; so the last of the
// disk is kept for the log: writes are refused while there is still room for what the database itself must write.

import { statfsSync } from 'node:fs'

/** Bytes below which only reads are served and no database is opened: one file of the log (16 MiB), and a checkpoint. */
export const ROOM = 24 * 2 ** 20

/** Bytes that are free for this user where a folder is. */
export function roomAt(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}
