// What the page says of the last proved backup, behind the schedule that the policy declares: from the gateway that makes
// them, or from the file that `sallyport backup --record` leaves.

import { SCHEDULE } from '../../controls/backup/faces.ts'
import type { Entry, Place } from '../../guard/control.ts'
import { PolicyFileError } from '../../policy/load.ts'

/** The record of a backup, which `sallyport backup --record` writes. */
export const BACKUP_FILE = 'sallyport.backup.json'

/** How to make one. */
export const MAKE_BACKUP_RECORD = 'write it with sallyport backup --record'

/** A backup that was restored and compared. */
export interface LastBackup {
  /** RFC 3339: the moment whose records it holds. */
  readonly at: string
  /** RFC 3339: when it was last proved. */
  readonly verifiedAt: string
}

/** Reads a record. @throws PolicyFileError for what is none */
export function lastBackupIn(value: unknown): LastBackup {
  const { format, at, verifiedAt } = (value ?? {}) as Record<string, unknown>
  const isTime = (time: unknown): time is string =>
    typeof time === 'string' && !Number.isNaN(Date.parse(time))
  if (format !== 'sallyport-backup-record/1' || !isTime(at) || !isTime(verifiedAt))
    throw new PolicyFileError(BACKUP_FILE, `${BACKUP_FILE}: is no record of a backup; ${MAKE_BACKUP_RECORD}`)
  return { at, verifiedAt }
}

/** Who keeps the schedule, as far as the page knows. */
export interface Keeping {
  readonly place: Place
  /** Whether the gateway has where to put backups; absent where the page is made apart from one. */
  readonly backups?: 'made' | 'no folder' | undefined
  readonly lastBackup?: LastBackup | undefined
}

/** True where it is known that nobody keeps the schedule: then the page must not say that it is kept. */
export function isOnlyDeclared({ place, backups, lastBackup }: Keeping): boolean {
  return lastBackup === undefined && (backups === 'no folder' || place !== 'gateway')
}

function asKept(entry: Entry, keeping: Keeping): Entry {
  if (keeping.backups === 'no folder')
    return {
      ...entry,
      value: `declared: ${entry.value}; this gateway makes none, since no folder for backups is configured`,
    }
  return keeping.place === 'gateway'
    ? entry
    : { ...entry, value: `declared: ${entry.value}; a guard inside an application makes none` }
}

/** The entries of the control `backup`, with the last proved one; a schedule that nobody has kept says so. */
export function withLastBackup(entries: readonly Entry[], keeping: Keeping, now: number): readonly Entry[] {
  const { lastBackup: last } = keeping
  return entries.flatMap((entry) =>
    entry.name === SCHEDULE
      ? [
          asKept(entry, keeping),
          {
            name: 'Last proved backup',
            value: last === undefined ? 'declared, none was proved yet' : words(last, now),
            why: 'A backup that was never restored is only hoped to be one.',
            cells: [],
          },
        ]
      : [entry],
  )
}

function words({ at, verifiedAt }: LastBackup, now: number): string {
  const day = (time: string) => time.replace('T', ' ').replace(/(?::\d\d)?(?:\.\d+)?Z$/, ' UTC')
  const hours = Math.max(0, Math.round((now - Date.parse(at)) / 3_600_000))
  const age = hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
  const proved = day(verifiedAt) === day(at) ? '' : ` on ${day(verifiedAt)}`
  return `${day(at)}, restored into an empty store and compared${proved}; ${age} old when this page was made`
}
