// Commands tell the log what they did, and wait until it is on the disk.

import { existsSync } from 'node:fs'
import type { AuditEvent } from '../../ports/audit.ts'
import { Failure } from '../failure.ts'
import { operator } from '../operator.ts'
import { type StorePlace, storeFailure } from '../store-package.ts'
import { loadLog, type ReachedStore } from './reach.ts'

/** What was done; by whom is added. */
export type Done = Omit<AuditEvent, 'actor' | 'control'>

/** Tells the log of an open store. @throws where it does not take it */
export async function tell(store: ReachedStore, control: string, done: Done): Promise<void> {
  const { openAuditLog } = await loadLog()
  const log = await openAuditLog({ database: store, origin: 'command' })
  try {
    await log.append({ ...done, actor: operator(), control })
  } finally {
    await log.close()
  }
}

/**
 * Tells the log of a store that is there, also where a gateway has it open.
 *
 * @throws Failure where there is none, or it does not take it
 */
export async function tellAt(place: StorePlace, control: string, done: Done): Promise<void> {
  if ('directory' in place && !existsSync(place.directory))
    throw new Failure('--store: there is no store in this folder; name that of the gateway')
  const { reachStore } = await loadLog()
  try {
    const store = await reachStore(place)
    try {
      await tell(store, control, done)
    } finally {
      await store.close()
    }
  } catch (error) {
    throw storeFailure(error)
  }
}

/** As a failure of the command: what was done is done, and the log does not know of it. */
export function untold(what: string) {
  return (error: unknown): never => {
    throw new Failure(
      `${what}, and the audit log did not take it: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}
