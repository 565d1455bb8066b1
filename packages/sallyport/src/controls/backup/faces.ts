// How `backup` is described and compared.

import type { Resolved } from '../../guard/cell.ts'
import type { Change, Entry, Section, Strength } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import { type BackupSetting, KEEP } from './setting.ts'

/** The entry that says how often; the page puts the age of the last backup behind it. */
export const SCHEDULE = 'Backups of the records'

export function describeBackup(cells: readonly Resolved<BackupSetting>[]): Section {
  // It holds for the whole policy, so every cell says the same.
  const setting = cells[0]?.setting ?? {}
  const { mode, everySeconds } = setting
  return {
    control: 'backup',
    id: 'SP-BACKUP-01',
    title: 'Backups and encryption at rest',
    entries: mode === 'off' ? [] : entries(setting),
    limits: [
      ...(everySeconds === undefined || mode === 'off'
        ? [
            'Not set: nothing is said of backups. What is lost with a disk, or deleted by a person or a program, stays lost.',
          ]
        : [
            'A backup holds the records of this layer, and not the data of the API behind it. Peppers, field keys and the key of the audit log are not in it: they are kept apart, and without them a restored store accepts no key.',
          ]),
      ...(setting.encryptionAtRest === undefined
        ? ['Nothing is declared of encryption at rest: whoever takes a disk may read it.']
        : []),
      ...(setting.pointInTime === undefined
        ? [
            'Point-in-time recovery is not declared: what was written since the last backup is lost with the disk.',
          ]
        : []),
    ],
  }
}

function entries({ everySeconds, keep, encryptionAtRest, pointInTime }: BackupSetting): readonly Entry[] {
  return [
    ...(everySeconds === undefined
      ? []
      : [
          entry(
            SCHEDULE,
            `every ${duration(everySeconds)}, the last ${keep ?? KEEP} are kept`,
            'Each as of one moment, signed (Ed25519), encrypted (AES-256-GCM) to a key that this machine does not have, and proved at once: restored into an empty store and compared row by row. One that was not proved does not count.',
          ),
        ]),
    ...(encryptionAtRest?.by === undefined
      ? []
      : [
          entry(
            'Encryption at rest',
            declared(encryptionAtRest.by, encryptionAtRest.evidence),
            'Whoever takes a disk reads nothing. Neither a request nor a query can see it.',
          ),
        ]),
    ...(pointInTime?.by === undefined
      ? []
      : [
          entry(
            'Point-in-time recovery',
            declared(
              `${pointInTime.by}${pointInTime.reachDays === undefined ? '' : `, ${pointInTime.reachDays} days back`}`,
              pointInTime.evidence,
            ),
            'A wrong statement is undone to the second before it. sallyport backup check looks at the archive of a server.',
          ),
        ]),
  ]
}

function entry(name: string, value: string, why: string): Entry {
  return { name, value, why, cells: [] }
}

function declared(by: string, evidence: string | undefined): string {
  return `declared, not observable: ${by} (${evidence === undefined ? 'no evidence is named' : `evidence: ${evidence}`})`
}

function duration(seconds: number): string {
  for (const [unit, size] of [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const)
    if (seconds % size === 0) return seconds === size ? unit : `${seconds / size} ${unit}s`
  return `${seconds} seconds`
}

/** Oftener, more and evidenced is stronger. */
export function compareBackup(before: BackupSetting, after: BackupSetting): readonly Change[] {
  const often = ({ everySeconds }: BackupSetting) => (everySeconds === undefined ? 0 : 1 / everySeconds)
  const kept = ({ everySeconds, keep }: BackupSetting) => (everySeconds === undefined ? 0 : (keep ?? KEEP))
  return [
    ...compareModes(before, after),
    ...order(
      'everySeconds',
      often(before),
      often(after),
      after.everySeconds === undefined
        ? 'no backup is made: what is deleted or lost with a disk stays lost'
        : `up to ${duration(after.everySeconds)} of changes are lost with a disk`,
      `a backup is made every ${duration(after.everySeconds ?? 0)}`,
    ),
    // Where none is made, none is kept: that is said already.
    ...(before.everySeconds === undefined || after.everySeconds === undefined
      ? []
      : order(
          'keep',
          kept(before),
          kept(after),
          `damage that is found after ${kept(after)} backups is in all of them`,
          `${kept(after)} backups are kept`,
        )),
    ...compareDeclared('encryptionAtRest', before.encryptionAtRest, after.encryptionAtRest),
    ...compareDeclared('pointInTime', before.pointInTime, after.pointInTime),
    ...(before.pointInTime === undefined || after.pointInTime === undefined
      ? []
      : order(
          'pointInTime.reachDays',
          before.pointInTime.reachDays ?? 0,
          after.pointInTime.reachDays ?? 0,
          after.pointInTime.reachDays === undefined
            ? 'nothing is said of how far back the database can be brought'
            : `a mistake that is found after ${after.pointInTime.reachDays} days can’t be undone`,
          `any moment of the last ${after.pointInTime.reachDays} days can be brought back`,
        )),
  ]
}

interface Declared {
  readonly by?: string
  readonly evidence?: string
}

function compareDeclared(
  what: string,
  before: Declared | undefined,
  after: Declared | undefined,
): readonly Change[] {
  const rank = (each: Declared | undefined) => (each === undefined ? 0 : each.evidence === undefined ? 1 : 2)
  const moved = order(
    what,
    rank(before),
    rank(after),
    after === undefined
      ? 'it is not declared any more'
      : 'no evidence is named any more: nobody can check it',
    after?.evidence === undefined ? 'it is declared' : 'it is declared with evidence',
  )
  if (moved.length > 0 || (before?.by === after?.by && before?.evidence === after?.evidence)) return moved
  return [{ strength: 'neutral', what, because: 'it is declared in other words or with other evidence' }]
}

function order(what: string, from: number, to: number, loss: string, gain: string): readonly Change[] {
  if (from === to) return []
  const strength: Strength = to > from ? 'stronger' : 'weaker'
  return [{ strength, what, because: strength === 'stronger' ? gain : loss }]
}
