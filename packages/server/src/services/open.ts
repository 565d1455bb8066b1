// Opens what a gateway remembers by: the records, the counters, the log, the secrets; and closes them again.

import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@sallyport/store'
import type { AuditLog } from '@sallyport/store/audit'
import type { Services } from 'sallyport'
import { PlaceFault } from '../config/places.ts'
import { type Family, single } from '../metrics/families.ts'
import { openCounters } from './counters.ts'
import { secretsOf } from './secrets.ts'
import type { PlacesSetting, StoreSetting } from './setting.ts'

/** What is open. */
export interface OpenServices {
  readonly services: Services
  readonly store: Store | undefined
  readonly audit: AuditLog | undefined
  /** Sentences for `/readyz`: why no request should come here. */
  notReady(): readonly string[]
  /** Sentences for `/readyz`: what somebody should look at. */
  warnings(): readonly string[]
  families(): readonly Family[]
  close(): Promise<void>
}

const PRUNE_MS = 3_600_000

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Opens what the configuration names.
 *
 * @param folder the state folder: secrets of the gateway's own, the last checkpoint, events that wait
 * @throws PlaceFault, with a sentence for the operator
 */
export async function openServices(
  places: PlacesSetting,
  folder: string,
  workers: number,
  environment: Environment = process.env,
): Promise<OpenServices> {
  const secrets = secretsOf(places.secrets ?? {}, folder, environment)
  const closing: (() => void | Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end()
  }
  try {
    const counting = places.counters && (await openCounters(places.counters, workers, environment))
    if (counting) closing.push(() => counting.close())
    const records = places.store && (await openRecords(places.store, folder, secrets, environment))
    if (records) closing.push(records.close)
    const isShared = places.store?.urlFrom !== undefined
    return {
      services: {
        secret: (name) => secrets.get(name),
        ...(counting ? { counters: counting.counters } : {}),
        ...(records ? records.services : {}),
      },
      store: records?.store,
      audit: records?.audit,
      notReady: () => (records && !records.store.ready ? ['the embedded store is being opened again'] : []),
      warnings: () => [
        ...[counting?.problem()].filter((each) => each !== undefined),
        ...(records?.warnings() ?? []),
        ...(isShared && secrets.own.size > 0
          ? [
              `made here and needed by every gateway of this store: the secrets ${[...secrets.own].sort().join(', ')}; name them under "secrets"`,
            ]
          : []),
      ],
      families: () => records?.families() ?? [],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

interface Records {
  readonly services: Pick<Services, 'keys' | 'lockouts' | 'audit' | 'risk'>
  readonly store: Store
  readonly audit: AuditLog
  warnings(): readonly string[]
  families(): readonly Family[]
  close(): Promise<void>
}

// Loaded late: a gateway without a store starts without a database.
async function openRecords(
  setting: StoreSetting,
  folder: string,
  secrets: ReturnType<typeof secretsOf>,
  environment: Environment,
): Promise<Records> {
  const {
    answerNeighbours,
    keyRecords,
    openPeppers,
    openStore,
    pruneLockouts,
    pushRevocations,
    recordedLockouts,
    StoreFault,
  } = await import('@sallyport/store')
  const { createKeyRing } = await import('sallyport/keys')
  const { fileAnchor, fileSpool, openAuditLog } = await import('@sallyport/store/audit')
  const { createRiskBook, signerOf } = await import('sallyport/audit')
  const asPlaceFault = (error: unknown): never => {
    if (error instanceof StoreFault) throw new PlaceFault(`store: ${error.message}`, { cause: error })
    throw error
  }
  const store = await openStore(storeSettings(setting, environment)).catch(asPlaceFault)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const name = `${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}/sallyport`
  const risk = createRiskBook()
  const audit = await openAuditLog({
    database: store,
    origin: name,
    signer: signerOf(name, Buffer.from(secrets.get('audit')!, 'base64url').subarray(0, 32)),
    anchor: fileAnchor(join(folder, 'audit-checkpoint')),
    spool: fileSpool(join(folder, 'audit-spool.jsonl')),
    risk,
  })
  // The operator's commands reach the records while this process has them.
  const stopAnswering =
    setting.folder === undefined ? undefined : await answerNeighbours(store, setting.folder)
  const peppers = await openPeppers(store, pepperPlace(setting, environment), (bytes) =>
    crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  ).catch(asPlaceFault)
  const ring = createKeyRing(
    keyRecords(store, peppers, {
      onExposed: (record, source) =>
        audit.record({
          action: 'key.exposed',
          outcome: 'success',
          organisation: record.organisation,
          target: record.id,
          details: { source: source.slice(0, 100), revoked: true },
        }),
    }),
  )
  const stopPush =
    setting.urlFrom === undefined ? undefined : pushRevocations(environment[setting.urlFrom]!, ring)
  const prune = setInterval(() => void pruneLockouts(store).catch(() => {}), PRUNE_MS)
  prune.unref()
  return {
    services: { keys: ring, lockouts: recordedLockouts(store), audit, risk },
    store,
    audit,
    warnings() {
      const { problem, fault, lost } = audit.state
      return [
        ...(problem === undefined ? [] : [`audit log: ${problem}`]),
        ...(fault === undefined ? [] : [`audit log: events wait for the store (${fault})`]),
        ...(lost === 0 ? [] : [`audit log: ${lost} events were lost`]),
        ...(ring.state().isFresh ? [] : ['keys: the records can’t be asked, so every key is refused']),
      ]
    },
    families() {
      const { size, waiting, lost } = audit.state
      const { cached, lookUps } = ring.state()
      return [
        single('gauge', 'sallyport_audit_entries', 'Entries of the audit log.', size, 'max'),
        single('gauge', 'sallyport_audit_waiting_events', 'Events that are not written yet.', waiting),
        single('counter', 'sallyport_audit_lost_events_total', 'Events that nothing could take.', lost),
        single('gauge', 'sallyport_keys_cached', 'API keys known without asking the records.', cached),
        single('gauge', 'sallyport_key_lookups_active', 'Look-ups of API keys under way.', lookUps),
      ]
    },
    async close() {
      clearInterval(prune)
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
