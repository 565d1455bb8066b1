// The last signed checkpoint, outside the database: whoever restores yesterday's database, or edits it, is contradicted by
// it. A file here; where it goes besides is told to whoever asks.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { openCheckpoint, rootAt, type Signer, verifierOf } from 'sallyport/audit'
import type { Queries } from '../database.ts'
import { StoreFault } from '../fault.ts'
import { frontierOf, nodesOf } from './tree.ts'

/** Keeps the last checkpoint. */
export interface Anchor {
  /** The note, where there is one. @throws where it can't be read */
  read(): string | undefined
  /** Replaces it; it has reached the disk when this returns. */
  write(note: string): void
}

/** An anchor in a file. */
export function fileAnchor(file: string): Anchor {
  return {
    read() {
      try {
        return readFileSync(file, 'utf8')
      } catch (error) {
        if ((error as { code?: string }).code === 'ENOENT') return undefined
        throw error
      }
    },
    write(note) {
      const fresh = `${file}.new`
      const handle = openSync(fresh, 'w', 0o600)
      try {
        writeSync(handle, note)
        fsyncSync(handle)
      } finally {
        closeSync(handle)
      }
      renameSync(fresh, file)
      const folder = openSync(dirname(file), 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
    },
  }
}

/**
 * Holds the log against the last checkpoint that was signed for it.
 *
 * @returns what is wrong, in a sentence; `undefined` where the log is a continuation of it
 */
export async function contradiction(
  queries: Queries,
  note: string | undefined,
  signer: Signer,
): Promise<string | undefined> {
  if (note === undefined) return undefined
  const last = openCheckpoint(note, verifierOf(signer))
  if (last === undefined)
    return 'the checkpoint kept outside the database is not signed by this key; restore the key, or move the file away once it is explained'
  const { size } = await frontierOf(queries)
  if (size < last.size)
    return `the log holds ${size} entries, and ${last.size} were signed for: the database was rolled back, or entries were cut off`
  const root = await rootAt(last.size, nodesOf(queries)).catch(missing)
  if (root === undefined || !root.equals(last.root))
    return `the first ${last.size} entries are not those that were signed for: some were changed, removed or put in`
  return undefined
}

/** What can't be worked out since something is gone is no root. A database that can't be asked now says nothing of its log. */
export function missing(error: unknown): undefined {
  if (error instanceof StoreFault) throw error
}
