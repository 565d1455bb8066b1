// Sizes and lines of backups.

import type { BackupRecord } from './package.ts'

/** `1.2 MB`. */
export function sizeOf(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** One backup of a list. */
export function recordLine({ file, at, verifiedAt, rows, bytes }: BackupRecord): string {
  return `${file}  as of ${at}  ${rows} rows  ${sizeOf(bytes)}  proved ${verifiedAt}`
}
