// Checks a whole log: every entry against its tile, the tiles against the head, the head against what was signed. The
// first fault is named by the entry's index, or by the range that it must be in.

import {
  type Checkpoint,
  EMPTY_FRONTIER,
  type Frontier,
  leafHash,
  openCheckpoint,
  rootOf,
  TILE_WIDTH,
  type Verifier,
} from 'sallyport/audit'
import type { Queries } from '../database.ts'
import { auditCheckpoints, auditRowsFrom, auditTiles } from '../statements/audit.ts'
import { columnsHold } from './columns.ts'
import { prunings, rootOfPruning } from './retention.ts'
import { addLeaves, frontierOf, hashesOf, type Pending } from './tree.ts'

/** One thing that is wrong with a log. */
export interface LogFault {
  readonly kind:
    | 'changed'
    | 'column'
    | 'missing'
    | 'inserted'
    | 'reordered'
    | 'tile'
    | 'head'
    | 'cut'
    | 'rewritten'
    | 'signature'
  /** The first entry that it concerns. */
  readonly index: number
  /** One sentence. */
  readonly what: string
}

/** What a check found. */
export interface LogCheck {
  readonly entries: number
  /** How many of them, the oldest, went when their time was over; their hashes were checked in their place. */
  readonly pruned: number
  /** Checkpoints that were signed and hold. */
  readonly checkpoints: number
  readonly faults: readonly LogFault[]
}

const PAGE = 4_096
const TILES_PAGE = PAGE / TILE_WIDTH
const MAX_FAULTS = 100

/** What a log is checked against. */
export interface CheckOptions {
  readonly verifier?: Verifier
  /** Notes from outside the database: the anchor's, an auditor's own last. */
  readonly notes?: readonly string[]
}

/** Reads the whole log and checks it. */
export async function checkLog(queries: Queries, options: CheckOptions = {}): Promise<LogCheck> {
  const faults: LogFault[] = []
  const found = (kind: LogFault['kind'], index: number, what: string) => {
    if (faults.length < MAX_FAULTS) faults.push({ kind, index, what })
  }
  const expected = await checkpointsOf(queries, options, found)
  const gone = await prunedEnd(queries, options.verifier, expected, found)
  let frontier: Frontier = EMPTY_FRONTIER
  let pending: Pending = []
  let lastGood = 0
  let confirmed = 0
  let next = 0

  // A root is compared at the very size that was signed, so leaves are added up to there.
  const grow = (leaves: readonly Buffer[]): void => {
    const grown = addLeaves(frontier, pending, leaves)
    frontier = grown.frontier
    pending = grown.pending
    const wanted = expected.get(frontier.size)
    if (wanted === undefined) return
    if (wanted.every((root) => root.equals(rootOf(frontier)))) {
      lastGood = frontier.size
      confirmed += wanted.length
    } else if (!faults.some(({ kind }) => kind === 'rewritten'))
      found(
        'rewritten',
        lastGood,
        `entries ${lastGood} to ${frontier.size - 1} are not those that were signed for: at least one of them was changed, removed, put in or moved`,
      )
  }
  const sizes = [...expected.keys()].sort((a, b) => a - b)

  const growAll = (leaves: readonly Buffer[]): void => {
    for (let from = 0; from < leaves.length; ) {
      const stop = sizes.find((size) => size > frontier.size) ?? Number.POSITIVE_INFINITY
      const to = Math.min(leaves.length, from + (stop - frontier.size))
      grow(leaves.slice(from, to))
      from = to
    }
  }

  // Of what went there are the hashes in the tiles.
  for (let tile = 0; next < gone; tile += TILES_PAGE) {
    const end = Math.min(tile + TILES_PAGE, gone / TILE_WIDTH)
    const tiles = await queries.query(auditTiles, [0, tile, end])
    if (tiles.length < end - tile)
      found('tile', tile * TILE_WIDTH, `tiles of the entries from ${tile * TILE_WIDTH} on are missing`)
    growAll(tiles.flatMap(({ hashes }) => hashesOf(hashes)))
    next = end * TILE_WIDTH
  }

  for (;;) {
    const rows = await queries.query(auditRowsFrom, [next, PAGE])
    if (rows.length === 0) break
    const leaves: Buffer[] = []
    for (const row of rows) {
      const { index, entry } = row
      if (index !== next) {
        found('missing', next, `entry ${next}${index - next > 1 ? ` to ${index - 1}` : ''} is missing`)
        next = index
      }
      const bytes = Buffer.from(entry)
      leaves.push(leafHash(bytes))
      const sequence = sequenceOf(entry)
      if (sequence !== index)
        found('reordered', index, `the entry at ${index} says that it is entry ${sequence}`)
      else if (!columnsHold(row))
        found(
          'column',
          index,
          `what is searched by beside entry ${index} (time, action, actor, organisation, risk) is not what the entry says`,
        )
      next++
    }
    await againstTiles(queries, rows[0]!.index, leaves, found)
    growAll(leaves)
  }

  const head = await frontierOf(queries)
  if (head.size < next) found('inserted', head.size, `entry ${head.size} stands behind the head of the log`)
  else if (head.size > next)
    found('missing', next, `the log ends at ${next}, and its head is at ${head.size}`)
  else if (!sameRoot(head, frontier))
    found(
      'head',
      lastGood,
      `the head does not belong to the entries; the first fault is at ${lastGood} or after`,
    )
  for (const size of sizes)
    if (size > next) {
      found(
        'cut',
        next,
        `${size} entries were signed for, and the log holds ${next}: its end was cut off, or the database rolled back`,
      )
      break
    }
  return {
    entries: next,
    pruned: gone,
    checkpoints: confirmed,
    faults: faults.sort((a, b) => a.index - b.index),
  }
}

// A head that was tampered with may be no frontier at all.
function sameRoot(head: Frontier, frontier: Frontier): boolean {
  try {
    return rootOf(head).equals(rootOf(frontier))
  } catch {
    return false
  }
}

// The first such name is the entry's own: a quote within a text is escaped, and what a caller may name comes later in the
// canonical order. Reading the whole entry as JSON would cost more than hashing it.
const SEQUENCE = /"sequence":(\d{1,16})[,}]/

function sequenceOf(entry: string): number {
  return Number(SEQUENCE.exec(entry)?.[1] ?? -1)
}

type Found = (kind: LogFault['kind'], index: number, what: string) => void

async function againstTiles(
  queries: Queries,
  first: number,
  leaves: readonly Buffer[],
  found: Found,
): Promise<void> {
  const [from, to] = [Math.floor(first / TILE_WIDTH), Math.ceil((first + leaves.length) / TILE_WIDTH)]
  for (const { index: tile, hashes } of await queries.query(auditTiles, [0, from, to])) {
    const held = Buffer.from(hashes)
    for (let place = 0; place < TILE_WIDTH; place++) {
      const index = tile * TILE_WIDTH + place
      const leaf = leaves[index - first]
      if (leaf !== undefined && !held.subarray(place * 32, place * 32 + 32).equals(leaf))
        found(
          'changed',
          index,
          `entry ${index} is not what was written: its hash is another one than its tile holds`,
        )
    }
  }
}

/** Up to where entries may be missing; without a verifier every pruning is believed. */
async function prunedEnd(
  queries: Queries,
  verifier: Verifier | undefined,
  expected: Map<number, Buffer[]>,
  found: Found,
): Promise<number> {
  let end = 0
  for (const pruning of await prunings(queries)) {
    const root = verifier && rootOfPruning(pruning, verifier)
    if (pruning.from !== end || (verifier && root === undefined)) {
      found(
        'signature',
        pruning.from,
        `that the entries ${pruning.from} to ${pruning.to - 1} went is not signed by this key`,
      )
      break
    }
    if (root) expected.set(pruning.to, [...(expected.get(pruning.to) ?? []), root])
    end = pruning.to
  }
  return end
}

async function checkpointsOf(
  queries: Queries,
  { verifier, notes = [] }: CheckOptions,
  found: Found,
): Promise<Map<number, Buffer[]>> {
  const roots = new Map<number, Buffer[]>()
  if (verifier === undefined) return roots
  const add = (note: string, where: string, size: number) => {
    const checkpoint: Checkpoint | undefined = openCheckpoint(note, verifier)
    if (checkpoint === undefined)
      found('signature', size, `the checkpoint ${where} is not signed by this key`)
    else roots.set(checkpoint.size, [...(roots.get(checkpoint.size) ?? []), checkpoint.root])
  }
  for (const note of notes) add(note, 'from outside', 0)
  for (let after = 0; ; ) {
    const rows = await queries.query(auditCheckpoints, [after, 1_000])
    for (const { size, note } of rows) add(note, `of size ${size} in the database`, size)
    if (rows.length < 1_000) break
    after = rows.at(-1)!.size
  }
  return roots
}
