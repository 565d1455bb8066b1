// The records of a gateway: keys, failed guesses and the log, on one store.

import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Store, StoreEvent } from '@sallyport/store'
import type { AuditLog } from '@sallyport/store/audit'
import type { Services } from 'sallyport'
import { PlaceFault } from '../config/places.ts'
import { watchSurges } from '../lockout/surge-watch.ts'
import { type Family, single } from '../metrics/families.ts'
import type { Alerts } from './alerts.ts'
import { logRetention, type Retention } from './retention.ts'
import type { Secrets } from './secrets.ts'
import type { StoreSetting } from './setting.ts'
import { expectSharedLockout, logSecret } from './shared-secrets.ts'
import { expectStore } from './store-made.ts'

const PRUNE_MS = 3_600_000
const READY_MS = 5_000

type Environment = Readonly<Record<string, string | undefined>>

/** Records that are open. */
export interface Records {
  readonly services: Pick<Services, 'keys' | 'keyAdministrator' | 'lockouts' | 'audit' | 'risk'>
  readonly store: Store
  readonly audit: AuditLog
  readonly retention: Retention
  warnings(): readonly string[]
  families(): readonly Family[]
  close(): Promise<void>
}

/**
 * Opens them. Everything of the store is loaded late: a gateway without one starts without a database.
 *
 * @throws PlaceFault
 */
export async function openRecords(
  setting: StoreSetting,
  folder: string,
  secrets: Secrets,
  environment: Environment,
  alerts: Pick<Alerts, 'hear'>,
  { onLog, onStore }: { readonly onLog: () => void; readonly onStore?: (event: StoreEvent) => void },
): Promise<Records> {
  const {
    answerNeighbours,
    keyAdministrator,
    keyRecords,
    openPeppers,
    openStore,
    pruneLockouts,
    pushRevocations,
    recordedLockouts,
    StoreFault,
  } = await import('@sallyport/store')
  const { createKeyRing } = await import('sallyport/keys')
  const { fileAnchor, fileSpool, openAuditLog, pruneLog } = await import('@sallyport/store/audit')
  const { createRiskBook, logSigner } = await import('sallyport/audit')
  const asPlaceFault = (error: unknown): never => {
    if (error instanceof StoreFault) throw new PlaceFault(`store: ${error.message}`, { cause: error })
    throw error
  }
  const remember = setting.folder === undefined ? () => {} : expectStore(setting.folder, folder)
  for (const each of [folder, ...(setting.folder === undefined ? [] : [dirname(setting.folder)])])
    mkdirSync(each, { recursive: true, mode: 0o700 })
  const store = await openStore({
    ...storeSettings(setting, environment),
    ...(onStore ? { onEvent: onStore } : {}),
  }).catch(asPlaceFault)
  remember()
  const signing = await expectSharedLockout(store, secrets)
    .then(() => logSecret(store, secrets))
    .catch(async (error: unknown) => {
      await store.close()
      throw error
    })
  const signer = 'secret' in signing ? logSigner(signing.secret) : undefined
  const risk = createRiskBook()
  const audit = await openAuditLog({
    database: store,
    origin: signer?.name ?? 'unsigned',
    ...(signer ? { signer } : {}),
    anchor: fileAnchor(join(folder, 'audit-checkpoint')),
    spool: fileSpool(join(folder, 'audit-spool.jsonl')),
    risk,
    onEvent({ event, risk: worst, at }) {
      alerts.hear(event, worst, at)
      onLog()
    },
    onCheckpoint: onLog,
  })
  audit.record({ action: 'audit.started', outcome: 'success', actor: 'gateway', control: 'SP-AUDIT-01' })
  // The operator's commands reach the records while this process has them.
  const stopAnswering =
    setting.folder === undefined ? undefined : await answerNeighbours(store, setting.folder)
  const peppers = await openPeppers(store, pepperPlace(setting, environment), (bytes) =>
    crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  ).catch(asPlaceFault)
  const records = keyRecords(store, peppers, {
    onExposed: (record, source) =>
      audit.record({
        action: 'key.exposed',
        outcome: 'success',
        organisation: record.organisation,
        target: record.id,
        details: { source: source.slice(0, 100), revoked: true },
      }),
  })
  const ring = createKeyRing(records)
  // Before the first request: what the ring knows of revocations, and a look-up, which is slow the first time.
  await Promise.race([ring.ready, new Promise((resolve) => setTimeout(resolve, READY_MS).unref())])
  await records.find('\0'.repeat(32)).catch(() => undefined)
  const stopPush =
    setting.urlFrom === undefined ? undefined : pushRevocations(environment[setting.urlFrom]!, ring)
  const prune = setInterval(() => void pruneLockouts(store).catch(() => {}), PRUNE_MS)
  prune.unref()
  const lockouts = watchSurges(recordedLockouts(store), () => performance.now())
  const retention = logRetention(store, signer, audit, pruneLog)
  return {
    services: {
      keys: ring,
      keyAdministrator: keyAdministrator(store, { peppers, log: audit, settled: ring.settled }),
      lockouts: lockouts.store,
      audit,
      risk,
    },
    store,
    audit,
    retention,
    warnings() {
      const { problem, fault, lost } = audit.state
      return [
        ...('problem' in signing
          ? [`audit log: events are kept, and nothing is signed: ${signing.problem}`]
          : problem === undefined
            ? []
            : [`audit log: ${problem}`]),
        ...(fault === undefined ? [] : [`audit log: events wait for the store (${fault})`]),
        ...(lost === 0 ? [] : [`audit log: ${lost} events were lost`]),
        ...(ring.state().isFresh ? [] : ['keys: the records can’t be asked, so every key is refused']),
        ...(lockouts.isSurging()
          ? ['lockout: failed sign-ins surge, so strangers are challenged before they may guess']
          : []),
      ]
    },
    families() {
      const { size, waiting, lost } = audit.state
      const { cached, lookUps } = ring.state()
      return [
        single(
          'gauge',
          'sallyport_store_failing',
          '1 while the store has a problem that /readyz names.',
          Number(!store.ready),
          'max',
        ),
        single('gauge', 'sallyport_audit_entries', 'Entries of the audit log.', size, 'max'),
        single('gauge', 'sallyport_audit_waiting_events', 'Events that are not written yet.', waiting),
        single('counter', 'sallyport_audit_lost_events_total', 'Events that nothing could take.', lost),
        single(
          'gauge',
          'sallyport_lockout_surge',
          'Whether failed sign-ins surge, as this gateway last heard.',
          lockouts.isSurging() ? 1 : 0,
          'max',
        ),
        single('gauge', 'sallyport_keys_cached', 'API keys known without asking the records.', cached),
        single('gauge', 'sallyport_key_lookups_active', 'Look-ups of API keys under way.', lookUps),
      ]
    },
    async close() {
      clearInterval(prune)
      retention.close()
      await stopPush?.()
      await stopAnswering?.()
      await ring.close()
      await audit.close()
      await store.close()
    },
  }
}

// The pepper of an embedded store is a file beside it; of a server, variables that every gateway has.
function pepperPlace({ folder }: StoreSetting, environment: Environment) {
  return folder === undefined ? { environment } : { directory: folder }
}

function storeSettings(setting: StoreSetting, environment: Environment) {
  const { folder, urlFrom, ownerUrlFrom, connections, preparedStatements } = setting
  if (folder !== undefined) return { directory: folder }
  const read = (name: string): string => {
    const value = environment[name]
    if (value !== undefined && value !== '') return value
    throw new PlaceFault(
      `store: the environment has no ${name}; set it to postgres://USER:PASSWORD@HOST/DATABASE`,
    )
  }
  return {
    url: read(urlFrom!),
    ...(ownerUrlFrom === undefined ? {} : { ownerUrl: read(ownerUrlFrom) }),
    ...(connections === undefined ? {} : { connections }),
    ...(preparedStatements === undefined ? {} : { preparedStatements }),
  }
}
