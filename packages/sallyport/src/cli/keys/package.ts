// The part of @sallyport/store that `sallyport keys` uses, and opening it: the records, the pepper, the administration.

import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PlanOverrides } from '../../guard/principal.ts'
import type { KeyFormat } from '../../keys/format.ts'
import type { AuditSink } from '../../ports/audit.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { loadStore, placeOf, type StorePlace, storeFailure } from '../store-package.ts'

/** A key as the records show it. */
export interface ShownKey {
  readonly id: string
  readonly organisation_id: string
  readonly name: string
  readonly kind: string
  readonly environment: string
  readonly display: string
  readonly plan: string | null
  readonly scopes: readonly string[]
  readonly origins: readonly string[]
  readonly cidrs: readonly string[]
  readonly owner_id: string | null
  readonly created_by: string
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly revoked_at: Date | null
  readonly revoked_reason: string | null
  readonly last_used_at: Date | null
}

/** An organisation as the records show it. */
export interface Organisation {
  readonly id: string
  readonly name: string
  readonly plan: string
  readonly plan_overrides: unknown
}

/** What the command does with keys. */
export interface Administration {
  createOrganisation(name: string, plan: string, actor: string): Promise<string>
  organisation(nameOrId: string): Promise<Organisation | undefined>
  setPlan(
    organisation: string,
    plan: string,
    overrides: PlanOverrides | undefined,
    actor: string,
  ): Promise<void>
  create(wanted: {
    readonly organisation: string
    readonly name: string
    readonly kind: 'secret' | 'publishable'
    readonly environment: 'live' | 'test'
    readonly owner?: string
    readonly plan?: string
    readonly scopes: readonly string[]
    readonly origins: readonly string[]
    readonly cidrs: readonly string[]
    readonly createdBy: string
    readonly expiresAt?: number
  }): Promise<{ readonly key: string; readonly id: string }>
  list(organisation: string, limit?: number): Promise<readonly ShownKey[]>
  unused(days: number, limit?: number): Promise<readonly ShownKey[]>
  expiring(seconds: number, limit?: number): Promise<readonly ShownKey[]>
  show(organisation: string, id: string): Promise<ShownKey & { readonly generation: number }>
  rotate(
    organisation: string,
    id: string,
    actor: string,
    options: { readonly overlapSeconds?: number; readonly expiresAt?: number },
  ): Promise<{ readonly key: string; readonly generation: number; readonly beforeEndsAt: number }>
  revoke(organisation: string, id: string, actor: string, reason: string): Promise<boolean>
}

interface Package {
  /** Opens a store, or asks the process of this machine that has it open: a gateway goes on meanwhile. */
  reachStore(settings: StorePlace): Promise<{ close(): Promise<void> }>
  openPeppers(
    store: unknown,
    place:
      | { readonly directory: string }
      | { readonly environment: Readonly<Record<string, string | undefined>> },
    random: (bytes: Uint8Array) => Uint8Array,
  ): Promise<readonly object[]>
  keyAdministration(
    store: unknown,
    options: {
      readonly format?: KeyFormat
      readonly peppers: readonly object[]
      readonly random: (bytes: Uint8Array) => Uint8Array
      readonly clock: () => number
      readonly audit: AuditSink
    },
  ): Administration
}

interface LogPackage {
  openAuditLog(options: { readonly database: unknown; readonly origin: string }): Promise<
    AuditSink & {
      readonly state: { readonly waiting: number; readonly lost: number; readonly fault: string | undefined }
      close(): Promise<void>
    }
  >
}

const LOG_PACKAGE: string = '@sallyport/store/audit'

/**
 * Works on the keys of the store that is named, and closes it.
 *
 * @throws Failure for what can't be done, in one line
 */
export async function withKeys<T>(
  invocation: Invocation,
  terminal: Terminal,
  format: KeyFormat | undefined,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const { reachStore, openPeppers, keyAdministration } = (await loadStore()) as unknown as Package
  const place = placeOf(invocation, terminal)
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)
  try {
    const store = await reachStore(place)
    try {
      const peppers = await openPeppers(
        store,
        'directory' in place ? { directory: place.directory } : { environment: terminal.environment },
        random,
      )
      return await logged(store, (audit) =>
        work(
          keyAdministration(store, {
            ...(format === undefined ? {} : { format }),
            peppers,
            random,
            clock: Date.now,
            audit,
          }),
        ),
      )
    } finally {
      await store.close()
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'KeyFault')
      throw new Failure(`keys: ${error.message}`, { cause: error })
    throw storeFailure(error)
  }
}

// What is not in the log is not done: a key that was made is not given out then, so nobody has it.
async function logged<T>(store: unknown, work: (audit: AuditSink) => Promise<T>): Promise<T> {
  const { openAuditLog } = (await import(LOG_PACKAGE)) as LogPackage
  const log = await openAuditLog({ database: store, origin: 'command' })
  let result: T
  try {
    result = await work(log)
  } finally {
    await log.close()
  }
  const { waiting, lost, fault } = log.state
  if (waiting + lost > 0)
    throw new Failure(
      `the audit log did not take what was done (${fault}), so no key is given out; revoke the key once the store is back`,
    )
  return result
}

/** Makes the folder in which an embedded store is to be made. */
export async function makeParent(invocation: Invocation, terminal: Terminal): Promise<void> {
  const place = placeOf(invocation, terminal)
  if ('directory' in place) await mkdir(dirname(place.directory), { recursive: true, mode: 0o700 })
}
