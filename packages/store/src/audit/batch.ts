// One batch of events as one statement: entries in their order, the tiles that they fill, the frontier behind them.

import type { AuditEvent } from 'sallyport'
import {
  type AuditEntry,
  entryBytes,
  type Frontier,
  leafHash,
  personalDigest,
  type Risk,
} from 'sallyport/audit'
import type { Queries } from '../database.ts'
import { auditAppend, auditLastOf } from '../statements/audit.ts'
import { addLeaves, frontierOf, type Pending, pendingOf } from './tree.ts'

/** An event that waits to be written. */
export interface Waiting {
  readonly uid: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly event: AuditEvent
  readonly risk?: Risk | undefined
}

/** What a writer knows of the log between two batches. */
export interface LogState {
  readonly frontier: Frontier
  readonly pending: Pending
}

/** Reads where the log stands. */
export async function stateOf(queries: Queries): Promise<LogState> {
  const frontier = await frontierOf(queries)
  return { frontier, pending: await pendingOf(queries, frontier.size) }
}

const MAX_TENANTS = 10_000

/** The last entry of each tenant, as far as a writer knows. */
export class LastOfTenant {
  private readonly known = new Map<string, number>()

  async load(queries: Queries, tenants: ReadonlySet<string>): Promise<void> {
    const unknown = [...tenants].filter((tenant) => !this.known.has(tenant))
    if (unknown.length === 0) return
    if (this.known.size + unknown.length > MAX_TENANTS) this.known.clear()
    // A tenant without an entry has none before it.
    for (const tenant of unknown) this.known.set(tenant, -1)
    for (const { tenant, index } of await queries.query(auditLastOf, [unknown])) this.known.set(tenant, index)
  }

  /** The entry before, and notes this one. */
  next(tenant: string, index: number): number | undefined {
    const before = this.known.get(tenant) ?? -1
    this.known.set(tenant, index)
    return before < 0 ? undefined : before
  }

  forget(): void {
    this.known.clear()
  }
}

const SALT = 16

/**
 * Writes a batch behind the state.
 *
 * @returns the state after it; `undefined` where another writer was first, and nothing was written
 */
export async function writeBatch(
  queries: Queries,
  state: LogState,
  batch: readonly Waiting[],
  last: LastOfTenant,
  random: (bytes: Uint8Array) => Uint8Array,
): Promise<LogState | undefined> {
  const tenants = new Set(batch.flatMap(({ event }) => event.organisation ?? []))
  await last.load(queries, tenants)
  const { size } = state.frontier
  const personal: { index: number; name: string; salt: Buffer; value: string }[] = []
  const entries = batch.map(({ uid, at, event, risk }, i): AuditEntry => {
    const index = size + i
    const previous = event.organisation === undefined ? undefined : last.next(event.organisation, index)
    const digests: Record<string, string> = {}
    for (const [name, value] of Object.entries(event.personal ?? {})) {
      const salt = Buffer.from(random(new Uint8Array(SALT)))
      personal.push({ index, name, salt, value })
      digests[name] = personalDigest(salt, value)
    }
    return {
      index,
      uid,
      at,
      event,
      ...(previous === undefined ? {} : { previous }),
      ...(risk ? { risk } : {}),
      ...(Object.keys(digests).length > 0 ? { personal: digests } : {}),
    }
  })
  const bytes = entries.map(entryBytes)
  const grown = addLeaves(state.frontier, state.pending, bytes.map(leafHash))
  const [row] = await queries.query(auditAppend, [
    size,
    grown.frontier.size,
    Buffer.concat(grown.frontier.hashes),
    // Lines cost the database less than an array, whose every quote is escaped; in none of these is a line end.
    entries.map(({ uid }) => uid).join('\n'),
    entries.map(({ at }) => at),
    entries.map(({ event }) => event.organisation ?? ''),
    entries.map(({ event }) => event.action).join('\n'),
    entries.map(({ event }) => event.actor ?? ''),
    entries.map(({ risk }) => risk?.score ?? -1),
    bytes.map(String).join('\n'),
    grown.tiles.map(({ level }) => level),
    grown.tiles.map(({ index }) => index),
    grown.tiles.map(({ hashes }) => hashes),
    grown.tiles.map(({ root }) => root),
    personal.map(({ index }) => index),
    personal.map(({ name }) => name),
    personal.map(({ salt }) => salt),
    personal.map(({ value }) => value),
  ])
  return row === undefined ? undefined : { frontier: grown.frontier, pending: grown.pending }
}
