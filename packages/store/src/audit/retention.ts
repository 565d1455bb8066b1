// Lets entries go that are older than they are to be kept. Whole tiles of them, from the oldest on, and only what a
// checkpoint covers: their hashes stay, so every proof about the rest still holds.

import {
  leafHash,
  openCheckpoint,
  rootAt,
  type Signer,
  signCheckpoint,
  TILE_WIDTH,
  type Verifier,
} from 'sallyport/audit'
import type { Queries } from '../database.ts'
import { StoreFault } from '../fault.ts'
import {
  auditCheckpointLast,
  auditFirstSince,
  auditPrune,
  auditPrunings,
  auditRowsFrom,
  auditTiles,
} from '../statements/audit.ts'
import { columnsHold } from './columns.ts'
import { hashesOf, nodesOf } from './tree.ts'

// A statement that removes more would hold others up for too long.
const MOST_AT_ONCE = 16 * TILE_WIDTH

// No checkpoint of the log is signed with this origin, so none can be taken for the permission to leave a gap.
const originOf = (name: string) => `${name}/pruned`

/**
 * Removes what is older.
 *
 * @param before milliseconds since the epoch; at least a day ago
 * @returns how many entries went
 * @throws StoreFault; the database's error where another process prunes at the same moment
 */
export async function pruneLog(queries: Queries, signer: Signer, before: number): Promise<number> {
  const [last] = await queries.query(auditCheckpointLast, [])
  const [young] = await queries.query(auditFirstSince, [new Date(before)])
  const bound = Math.min(last?.size ?? 0, young?.index ?? Number.POSITIVE_INFINITY)
  const end = bound - (bound % TILE_WIDTH)
  let gone = 0
  for (let from = (await prunings(queries)).at(-1)?.to ?? 0; from < end; ) {
    const to = Math.min(end, from + MOST_AT_ONCE)
    await assureOld(queries, from, to, before)
    const root = await rootAt(to, nodesOf(queries))
    const note = signCheckpoint({ origin: originOf(signer.name), size: to, root }, signer)
    const [row] = await queries.query(auditPrune, [to, new Date(before), note])
    gone += row!.gone
    from = to
  }
  return gone
}

// The column goes by what the database says. What the key signs away it must have read itself.
async function assureOld(queries: Queries, from: number, to: number, before: number): Promise<void> {
  const tiles = await queries.query(auditTiles, [0, from / TILE_WIDTH, to / TILE_WIDTH])
  const hashes = tiles.flatMap((tile) => hashesOf(tile.hashes))
  const rows = await queries.query(auditRowsFrom, [from, to - from])
  for (let index = from; index < to; index += 1) {
    const row = rows[index - from]
    const hash = hashes[index - from]
    if (row?.index !== index || !hash?.equals(leafHash(Buffer.from(row.entry))) || !columnsHold(row))
      throw new StoreFault(
        'damaged',
        `entry ${index} is not as it was written, so nothing is removed; see: sallyport audit verify`,
      )
    if ((row.at ?? before) >= before)
      throw new StoreFault('damaged', `entry ${index} is younger than those before it, so nothing is removed`)
  }
}

/** A range of entries that went. */
export interface Pruning {
  readonly from: number
  /** The first that was kept. */
  readonly to: number
  readonly note: string
}

/** What went, from the first entry on. */
export async function prunings(queries: Queries): Promise<readonly Pruning[]> {
  const rows = await queries.query(auditPrunings, [])
  return rows.map(({ from_index, to_index, note }) => ({ from: from_index, to: to_index, note }))
}

/** The root of the entries up to the end of a pruning, where the log's key signed for it. */
export function rootOfPruning({ to, note }: Pruning, verifier: Verifier): Buffer | undefined {
  const signed = openCheckpoint(note, verifier)
  return signed?.origin === originOf(verifier.name) && signed.size === to ? signed.root : undefined
}
