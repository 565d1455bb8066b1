// Opens what a gateway remembers by: the records, the counters, the log, the secrets; and closes them again.

import type { Store, StoreEvent } from '@sallyport/store'
import type { AuditLog } from '@sallyport/store/audit'
import type { Services } from 'sallyport'
import { type Family, single } from '../metrics/families.ts'
import { type Alerts, alertSinks, createAlerts } from './alerts.ts'
import { type Backups, openBackups } from './backups.ts'
import { openCounters } from './counters.ts'
import { openRecords } from './records.ts'
import type { Retention } from './retention.ts'
import { secretsOf } from './secrets.ts'
import type { BackupsSetting, PlacesSetting } from './setting.ts'

/** What is open. */
export interface OpenServices {
  readonly services: Services
  readonly store: Store | undefined
  readonly audit: AuditLog | undefined
  readonly alerts: Alerts
  readonly backups: Backups | undefined
  readonly retention: Retention | undefined
  /** Calls back whenever the log has grown, or something waits to be in it. */
  onLog(listener: () => void): void
  /** Sentences for `/readyz`: why no request should come here. */
  notReady(): readonly string[]
  /** Sentences for `/readyz`: what somebody should look at. */
  warnings(): readonly string[]
  families(): readonly Family[]
  close(): Promise<void>
}

/** Hears of the places. */
export interface ServiceListener {
  /** The server of the counters is taken to be away, or is back. */
  readonly onCountersAway?: (isAway: boolean) => void
  readonly onStore?: (event: StoreEvent) => void
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Opens what the configuration names.
 *
 * @param folder the state folder: secrets of the gateway's own, the last checkpoint, events that wait
 * @param hears what an operator should know of the counters' server and of the store
 * @throws PlaceFault, with a sentence for the operator
 */
export async function openServices(
  places: PlacesSetting,
  folder: string,
  workers: number,
  environment: Environment = process.env,
  hears: ServiceListener = {},
): Promise<OpenServices> {
  const secrets = secretsOf(places.secrets ?? {}, folder, environment)
  const closing: (() => void | Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end()
  }
  try {
    const counting =
      places.counters && (await openCounters(places.counters, workers, environment, hears.onCountersAway))
    if (counting) closing.push(() => counting.close())
    const listeners: (() => void)[] = []
    const alerts = createAlerts(alertSinks(places.alerts ?? [], environment))
    const records =
      places.store &&
      (await openRecords(places.store, folder, secrets, environment, alerts, {
        onLog: () => {
          for (const listener of listeners) listener()
        },
        ...(hears.onStore ? { onStore: hears.onStore } : {}),
      }))
    if (records) closing.push(records.close)
    const backups =
      records &&
      places.backups &&
      (await openBackups(
        places.backups as Required<BackupsSetting>,
        records.store,
        places.store!,
        folder,
        records.audit,
      ))
    if (backups) closing.push(backups.close)
    const isShared = places.store?.urlFrom !== undefined
    return {
      services: {
        secret: (name) => secrets.get(name),
        ...(counting ? { counters: counting.counters } : {}),
        ...(records ? records.services : {}),
      },
      store: records?.store,
      audit: records?.audit,
      alerts,
      backups,
      retention: records?.retention,
      onLog: (listener) => void listeners.push(listener),
      notReady: () => {
        const problem = records?.store.problem
        return problem === undefined ? [] : [`store: ${problem}`]
      },
      warnings: () => [
        ...[counting?.problem()].filter((each) => each !== undefined),
        ...(records?.warnings() ?? []),
        ...(records ? alerts.warnings() : []),
        ...(backups?.warnings() ?? []),
        ...(isShared && secrets.own.size > 0
          ? [
              `made here and needed by every gateway of this store: the secrets ${[...secrets.own].sort().join(', ')}; name them under "secrets"`,
            ]
          : []),
      ],
      families: () => [
        ...(counting?.families() ?? []),
        ...(records
          ? [
              ...records.families(),
              ...(backups?.families() ?? []),
              single(
                'counter',
                'sallyport_alerts_failed_total',
                'Alerts that could not be told.',
                alerts.failed,
              ),
            ]
          : []),
      ],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
