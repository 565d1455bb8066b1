// What a folder of backups knows of each: a record beside the file, written only when the file was proved. A file without a
// record is no backup that anybody should count on.

import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { syncPath } from '../embedded/durable-files.ts'

/** A backup that was proved. */
export interface BackupRecord {
  readonly format: 'sallyport-backup-record/1'
  /** The file's name. */
  readonly file: string
  /** RFC 3339: the moment whose records it holds. */
  readonly at: string
  /** RFC 3339: when it was last decrypted, restored and compared. */
  readonly verifiedAt: string
  readonly rows: number
  readonly bytes: number
  /** Of the file, in hex: as `sha256sum` says it. */
  readonly sha256: string
}

const NAME = /^sallyport-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)-\d{3}Z\.backup$/

/** The name of a backup of this moment; names sort by time. */
export function backupName(at: Date): string {
  return `sallyport-${at.toISOString().replace(/[:.]/g, '-')}.backup`
}

function recordFile(file: string): string {
  return `${file}.json`
}

/** Writes the record of a file, to the disk. */
export function writeRecord(file: string, record: BackupRecord): void {
  const path = recordFile(file)
  const handle = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(handle, `${JSON.stringify(record, undefined, 2)}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(`${path}.new`, path)
  syncPath(dirname(path))
}

/** The proved backups of a folder whose file is there, the newest first. */
export function provedBackups(folder: string): readonly BackupRecord[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  const there = new Set(names)
  return names
    .filter((name) => NAME.test(name) && there.has(recordFile(name)))
    .sort()
    .reverse()
    .flatMap((name) => recordIn(join(folder, name)) ?? [])
}

/** The record of a file; undefined where it has none, or another's. */
export function recordIn(file: string): BackupRecord | undefined {
  try {
    const found = JSON.parse(readFileSync(recordFile(file), 'utf8')) as Partial<BackupRecord> | null
    const isSound =
      found?.format === 'sallyport-backup-record/1' &&
      found.file === basename(file) &&
      isTime(found.at) &&
      isTime(found.verifiedAt) &&
      typeof found.sha256 === 'string'
    return isSound ? (found as BackupRecord) : undefined
  } catch {
    return undefined
  }
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value))
}

/**
 * Deletes all proved backups but the newest `keep`, and never the last one. What was not proved is left for a person.
 *
 * @returns the names of the files that are gone
 */
export function prune(folder: string, keep: number): readonly string[] {
  const old = provedBackups(folder).slice(Math.max(1, keep))
  for (const { file } of old) {
    // The file first: a record without its file says nothing, a file without its record would never be deleted.
    rmSync(join(folder, file), { force: true })
    rmSync(recordFile(join(folder, file)), { force: true })
  }
  return old.map(({ file }) => file)
}
