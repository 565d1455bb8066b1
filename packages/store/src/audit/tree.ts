// The tree over the log's entries, as the database holds it: full tiles in rows, the rest made of the entries.

import {
  type Frontier,
  grow,
  leafHash,
  type NodeSource,
  nodeHash,
  TILE_WIDTH,
  tilePlace,
} from 'sallyport/audit'
import type { Queries } from '../database.ts'
import { auditEntriesFrom, auditHead, auditTile, auditTileRoots } from '../statements/audit.ts'

const HASH = 32

/** Hashes that stand one after the other. */
export function hashesOf(bytes: Uint8Array): Buffer[] {
  const buffer = Buffer.from(bytes)
  return Array.from({ length: buffer.length / HASH }, (_, i) => buffer.subarray(i * HASH, (i + 1) * HASH))
}

/** The root of hashes whose number is a power of two. */
function fold(hashes: readonly Buffer[]): Buffer {
  let level = [...hashes]
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, i) => nodeHash(level[2 * i]!, level[2 * i + 1]!))
  return level[0]!
}

/** Where the log stands. */
export async function frontierOf(queries: Queries): Promise<Frontier> {
  const [head] = await queries.query(auditHead, [])
  return { size: head!.size, hashes: hashesOf(head!.frontier) }
}

const MAX_TILES = 64

/** Reads nodes of the log; it remembers the tiles that it read last. */
export function nodesOf(queries: Queries): NodeSource {
  const recent = new Map<string, Promise<readonly Buffer[] | undefined>>()

  function fullTile(level: number, index: number): Promise<readonly Buffer[] | undefined> {
    const key = `${level}/${index}`
    const known = recent.get(key)
    if (known) return known
    const read = queries
      .query(auditTile, [level, index])
      .then(([row]) => (row === undefined ? undefined : hashesOf(row.hashes)))
    if (recent.size >= MAX_TILES) recent.delete(recent.keys().next().value!)
    recent.set(key, read)
    // One that is not full yet may be when it is asked for again.
    void read.then(
      (hashes) => hashes ?? recent.delete(key),
      () => recent.delete(key),
    )
    return read
  }

  async function hashesAt(level: number, index: number, from: number, count: number): Promise<Buffer[]> {
    const full = await fullTile(level, index)
    if (full) return full.slice(from, from + count)
    const first = index * TILE_WIDTH + from
    if (level === 0) {
      const rows = await queries.query(auditEntriesFrom, [first, count])
      if (rows.length < count) throw new RangeError(`entry ${first + rows.length} is not in the log`)
      return rows.map(({ entry }) => leafHash(Buffer.from(entry)))
    }
    // Each hash of a higher tile is the root of a tile below that is full.
    const rows = await queries.query(auditTileRoots, [level - 1, first, first + count])
    if (rows.length < count) throw new RangeError(`a tile of level ${level - 1} is missing`)
    return rows.map(({ root }) => Buffer.from(root))
  }

  return async (nodeLevel, nodeIndex) => {
    const { level, index, from, count } = tilePlace(nodeLevel, nodeIndex)
    return fold(await hashesAt(level, index, from, count))
  }
}

/** A tile that has become full. */
export interface FullTile {
  readonly level: number
  readonly index: number
  readonly hashes: Buffer
  readonly root: Buffer
}

/** The hashes of tiles that are not full yet, by tile level. */
export type Pending = readonly (readonly Buffer[])[]

/** What a log of this size has pending. */
export async function pendingOf(queries: Queries, size: number): Promise<Pending> {
  const nodes = nodesOf(queries)
  const pending: Buffer[][] = []
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    const first = count - (count % TILE_WIDTH)
    pending.push(
      await Promise.all(Array.from({ length: count - first }, async (_, i) => nodes(level * 8, first + i))),
    )
  }
  return pending
}

/** A log with leaves added: its new frontier, the tiles that this fills, and what is pending then. */
export function addLeaves(
  frontier: Frontier,
  pending: Pending,
  leaves: readonly Buffer[],
): { readonly frontier: Frontier; readonly tiles: readonly FullTile[]; readonly pending: Pending } {
  const open = pending.map((hashes) => [...hashes])
  const tiles: FullTile[] = []
  const grown = grow(frontier, leaves, (nodeLevel, nodeIndex, node) => {
    if (nodeLevel % 8 !== 0) return
    const level = nodeLevel / 8
    open[level] ??= []
    const hashes = open[level]!
    hashes.push(node)
    if (hashes.length < TILE_WIDTH) return
    tiles.push({
      level,
      index: Math.floor(nodeIndex / TILE_WIDTH),
      hashes: Buffer.concat(hashes),
      root: fold(hashes),
    })
    open[level] = []
  })
  return { frontier: grown, tiles, pending: open }
}
