// Backups of the records while the gateway runs: made and proved on the schedule of the policy, and a warning where that
// is not kept.

import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Store } from '@sallyport/store'
import type { BackupRecord } from '@sallyport/store/backup'
import type { AuditSink, ResolvedPolicy } from 'sallyport'
import type { BackupAge } from '../admin/control-plane.ts'
import { PlaceFault } from '../config/places.ts'
import { type Family, single } from '../metrics/families.ts'
import type { BackupsSetting, StoreSetting } from './setting.ts'

/** How often, and how many are kept. */
export interface Schedule {
  readonly everySeconds: number
  readonly keep: number
}

/** The backups of a gateway. */
export interface Backups {
  /** Keeps this schedule from now on; `undefined`: makes none. The first backup is made at once where one is due. */
  use(schedule: Schedule | undefined): void
  /** The last proved one of the folder. */
  last(): BackupRecord | undefined
  /** How old that one is, for `/readyz`. */
  age(): BackupAge | null
  /** Sentences for `/readyz`. */
  warnings(): readonly string[]
  families(): readonly Family[]
  close(): Promise<void>
}

const DAY = 86_400
const KEEP = 7
const TICK_MS = 60_000
// What failed is not tried again at once: a disk is not full for a minute.
const AGAIN_MS = 600_000
const CLOSING_MS = 10_000

function settingOf(policy: ResolvedPolicy): Partial<Schedule> & { readonly mode?: string } {
  return policy.cells.at(-2)!.settings['backup'] ?? {}
}

/** What an operator is told where a policy declares a schedule and the gateway has nowhere to put backups. */
export function unkeptSchedule(policy: ResolvedPolicy): readonly string[] {
  const { mode, everySeconds } = settingOf(policy)
  return everySeconds === undefined || mode === 'off'
    ? []
    : [
        `backups: the policy declares one every ${everySeconds} s, and none is made: name a folder and a recipient under "backups" in the gateway configuration`,
      ]
}

/** The schedule of a policy: each day where it says nothing, none where it switches the control off. */
export function scheduleOf(policy: ResolvedPolicy): Schedule | undefined {
  const setting = settingOf(policy)
  if (setting.mode === 'off') return undefined
  return { everySeconds: setting.everySeconds ?? DAY, keep: setting.keep ?? KEEP }
}

/**
 * Makes ready; nothing is made before a schedule is given.
 *
 * @param state the state folder: the key that signs
 * @param audit hears of each one that was made and proved, and of each try that failed
 * @throws PlaceFault where the recipient's key or the signer's can't be used
 */
export async function openBackups(
  { folder, recipient }: Required<BackupsSetting>,
  store: Store,
  place: StoreSetting,
  state: string,
  audit: AuditSink,
  now: () => number = Date.now,
): Promise<Backups> {
  const backup = await import('@sallyport/store/backup')
  const settings = keysOf()
  const opened = now()
  let schedule: Schedule | undefined
  let last = backup.provedBackups(folder)[0]
  let failure: { readonly says: string; readonly at: number } | undefined
  let failures = 0
  let turn: Promise<void> | undefined
  let isClosed = false

  function keysOf() {
    try {
      return {
        recipient: backup.recipientIn(readFileSync(recipient, 'utf8'), 'backups.recipient'),
        signer: backup.backupSigner(state),
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const says = code === 'refused' ? message : `the recipient’s key can’t be read (${code})`
      throw new PlaceFault(`backups: ${says}`, { cause: error })
    }
  }

  async function takeTurn({ everySeconds, keep }: Schedule): Promise<void> {
    try {
      const { made, pruned } = await backup.takeTurn(store, {
        ...settings,
        folder,
        // Beside what is in clear already.
        scratch: place.folder === undefined ? state : dirname(place.folder),
        now: () => new Date(now()),
        everySeconds,
        keep,
      })
      failure = undefined
      if (made)
        audit.record({
          action: 'backup.made',
          outcome: 'success',
          actor: 'gateway',
          control: 'SP-BACKUP-01',
          target: made.file,
          details: { rows: made.rows, bytes: made.bytes, sha256: made.sha256, removed: pruned.length },
        })
    } catch (error) {
      const { name, code, message } = error as Error & { readonly code?: string }
      // Another process of this folder is at it.
      if (code === 'held') return
      failures += 1
      failure = {
        says: name === 'StoreFault' ? message : `an error of the system (${code ?? name})`,
        at: now(),
      }
      audit.record({
        action: 'backup.failed',
        outcome: 'failure',
        actor: 'gateway',
        control: 'SP-BACKUP-01',
        details: { because: failure.says },
      })
    } finally {
      last = backup.provedBackups(folder)[0]
    }
  }

  const tick = (): void => {
    if (isClosed || turn || schedule === undefined) return
    if (failure && now() - failure.at < AGAIN_MS) return
    turn = takeTurn(schedule).finally(() => {
      turn = undefined
    })
  }
  const timer = setInterval(tick, TICK_MS)
  timer.unref()

  return {
    use(wanted) {
      schedule = wanted
      tick()
    },
    last: () => last,
    age: () =>
      last === undefined
        ? null
        : { at: last.at, ageSeconds: Math.max(0, Math.round((now() - Date.parse(last.at)) / 1_000)) },
    warnings() {
      if (schedule === undefined) return []
      const since = last === undefined ? opened : Date.parse(last.at)
      const late = now() - since > 2_000 * schedule.everySeconds
      return [
        ...(failure ? [`backups: the last try failed: ${failure.says}`] : []),
        ...(late
          ? [
              last === undefined
                ? 'backups: none was proved yet'
                : `backups: the last proved one is ${Math.floor((now() - since) / 3_600_000)} h old, twice as old as the policy allows`,
            ]
          : []),
      ]
    },
    families: () => [
      single(
        'counter',
        'sallyport_backups_failed_total',
        'Backups that could not be made or proved.',
        failures,
      ),
      ...(last === undefined
        ? []
        : [
            single(
              'gauge',
              'sallyport_backup_age_seconds',
              'Age of the last proved backup.',
              (now() - Date.parse(last.at)) / 1_000,
              'max',
            ),
          ]),
    ],
    async close() {
      isClosed = true
      clearInterval(timer)
      let late: NodeJS.Timeout | undefined
      await Promise.race([
        turn,
        new Promise((resolve) => {
          late = setTimeout(resolve, turn ? CLOSING_MS : 0)
        }),
      ])
      clearTimeout(late)
    },
  }
}
