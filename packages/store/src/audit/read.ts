// Reads the log: by filter, newest first, or from an index on.

import type { Queries } from '../database.ts'
import { auditEntriesFrom, auditHead, auditSearch } from '../statements/audit.ts'

/** Which entries; all may be left out. */
export interface LogFilter {
  readonly organisation?: string
  readonly action?: string
  readonly actor?: string
  /** Milliseconds since the epoch: from this moment, and up to that one. */
  readonly from?: number
  readonly to?: number
  /** Entries whose risk score is at least so high. */
  readonly minRisk?: number
}

/** An entry of the log: its place, and its bytes as text. */
export interface LogLine {
  readonly index: number
  readonly entry: string
}

const FIRST = 0
// The last moment that both JavaScript and PostgreSQL can write in four digits of the year.
const LAST = Date.UTC(9999, 11, 31)

/** Entries below an index, newest first. */
export function searchLog(
  queries: Queries,
  filter: LogFilter,
  limit: number,
  below: number = Number.MAX_SAFE_INTEGER,
): Promise<readonly LogLine[]> {
  return queries.query(auditSearch, [
    below,
    filter.organisation ?? '',
    filter.action ?? '',
    filter.actor ?? '',
    new Date(filter.from ?? FIRST),
    new Date(filter.to ?? LAST),
    filter.minRisk ?? 0,
    limit,
  ])
}

/** Entries from an index on, in their order. */
export function readLog(queries: Queries, from: number, limit: number): Promise<readonly LogLine[]> {
  return queries.query(auditEntriesFrom, [from, limit])
}

/** How many entries there are. */
export async function logSize(queries: Queries): Promise<number> {
  const [head] = await queries.query(auditHead, [])
  return head!.size
}
