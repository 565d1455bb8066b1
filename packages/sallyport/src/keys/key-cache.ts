// Records of keys by digest, in little memory: 64 small tables that grow and shrink apart, so that no request waits for a
// large one to be laid out anew. Keys themselves are never in here.

import type { KeyRecord } from '../ports/keys.ts'
import type { KeyDigest } from './digest.ts'
import { emptyShapes, packRecord, type Shapes, unpackRecord } from './packed-record.ts'

/** A record with the moment at which it was asked for, in milliseconds of the cache's clock. */
export interface CachedKey {
  readonly record: KeyRecord
  readonly since: number
}

/** The records that are known. */
export interface KeyCache {
  /** However old it is. */
  get(digest: KeyDigest): CachedKey | undefined
  put(digest: KeyDigest, record: KeyRecord, since: number): void
  /** Forgets what was asked for up to a moment, in one of the tables: in all of them after 64 calls. */
  sweep(upTo: number): void
  clear(): void
  readonly size: number
}

interface Table {
  /** Places in `packed`, plus one; 0 is free. Always at most half full. */
  index: Int32Array
  /** Digest and packed record in one text. */
  packed: (string | undefined)[]
  since: Float64Array
  count: number
  shapes: Shapes
}

const TABLES = 64
const DIGEST_LENGTH = 32
const SMALLEST = 8
const GROWTH = 1.3
const NEAR = 4096

/** @param mostKeys how many records are kept; beyond it the oldest half of a table goes. */
export function keyCache(mostKeys: number): KeyCache {
  // The tables fill unevenly, if only a little.
  const most = Math.max(SMALLEST, Math.ceil((mostKeys / TABLES) * 1.1))
  let tables = Array.from({ length: TABLES }, () => emptyTable(SMALLEST))
  // Records of busy keys, unpacked.
  let near: ({ readonly digest: KeyDigest; readonly key: CachedKey } | undefined)[] = new Array(NEAR)
  let swept = 0

  const nearPlace = (digest: KeyDigest) => (digest.charCodeAt(1) << 4) | (digest.charCodeAt(2) & 15)

  /** The table without what is too old, with room for at least one more. */
  function laidOut(table: Table, upTo: number): Table {
    const times = table.since.subarray(0, table.count)
    const live = times.reduce((sum, since) => (since > upTo ? sum + 1 : sum), 0)
    if (live >= most) return laidOut(table, times.toSorted()[table.count >>> 1]!)
    const next = emptyTable(Math.min(most, Math.max(SMALLEST, Math.ceil((live + 1) * GROWTH))))
    // Shapes are handed on until most of them are of records that are gone.
    const renews = table.shapes.size > 2 * live + SMALLEST
    if (!renews) next.shapes = table.shapes
    for (let place = 0; place < table.count; place++) {
      const since = table.since[place]!
      if (since <= upTo) continue
      const packed = table.packed[place]!
      const digest = packed.slice(0, DIGEST_LENGTH)
      append(
        next,
        renews ? packRecord(digest, unpackRecord(packed, DIGEST_LENGTH, table.shapes), next.shapes) : packed,
        since,
      )
    }
    return next
  }

  return {
    get(digest) {
      const at = nearPlace(digest)
      const known = near[at]
      if (known !== undefined && known.digest === digest) return known.key
      const table = tables[digest.charCodeAt(0) & (TABLES - 1)]!
      const place = locate(table, digest)
      if (place < 0) return undefined
      const key = {
        record: unpackRecord(table.packed[place]!, DIGEST_LENGTH, table.shapes),
        since: table.since[place]!,
      }
      near[at] = { digest, key }
      return key
    },
    put(digest, record, since) {
      near[nearPlace(digest)] = undefined
      const number = digest.charCodeAt(0) & (TABLES - 1)
      let table = tables[number]!
      const place = locate(table, digest)
      if (place >= 0) {
        table.packed[place] = packRecord(digest, record, table.shapes)
        table.since[place] = since
        return
      }
      if (table.count === table.packed.length) {
        table = laidOut(table, Number.NEGATIVE_INFINITY)
        tables[number] = table
      }
      append(table, packRecord(digest, record, table.shapes), since)
    },
    sweep(upTo) {
      const table = tables[swept]!
      let old = 0
      for (let place = 0; place < table.count; place++) if (table.since[place]! <= upTo) old++
      if (old > 0) tables[swept] = laidOut(table, upTo)
      swept = (swept + 1) % TABLES
      // A few records that lie unpacked must not outlive their tables.
      if (swept === 0) near = new Array(NEAR)
    },
    clear() {
      tables = Array.from({ length: TABLES }, () => emptyTable(SMALLEST))
      near = new Array(NEAR)
    },
    get size() {
      return tables.reduce((sum, { count }) => sum + count, 0)
    },
  }
}

function emptyTable(capacity: number): Table {
  return {
    index: new Int32Array(capacity * 2),
    packed: new Array<string | undefined>(capacity).fill(undefined),
    since: new Float64Array(capacity),
    count: 0,
    shapes: emptyShapes(),
  }
}

// The digest of a key is as good as random, and only keys of ours come in here: nobody can choose where they lie.
function firstPlace({ index }: Table, digest: KeyDigest): number {
  const word =
    (digest.charCodeAt(3) << 24) |
    (digest.charCodeAt(4) << 16) |
    (digest.charCodeAt(5) << 8) |
    digest.charCodeAt(6)
  return (word >>> 0) % index.length
}

function locate(table: Table, digest: KeyDigest): number {
  const { index, packed } = table
  for (let at = firstPlace(table, digest); ; at = at + 1 === index.length ? 0 : at + 1) {
    const place = index[at]! - 1
    if (place < 0 || packed[place]!.startsWith(digest)) return place
  }
}

function append(table: Table, packed: string, since: number): void {
  const { index } = table
  let at = firstPlace(table, packed)
  while (index[at] !== 0) at = at + 1 === index.length ? 0 : at + 1
  table.packed[table.count] = packed
  table.since[table.count] = since
  table.count++
  index[at] = table.count
}
