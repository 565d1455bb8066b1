// The proof of one entry, for somebody who has nothing but the log's key: the entry, its place, its path to a signed root.

import { inclusionProof, isIncluded, leafHash, openCheckpoint, type Verifier } from 'sallyport/audit'
import type { Queries } from '../database.ts'
import { auditCheckpointLast, auditEntriesFrom } from '../statements/audit.ts'
import { nodesOf } from './tree.ts'

/** A proof that stands alone. */
export interface EntryProof {
  readonly format: 'sallyport-audit-proof/1'
  readonly index: number
  /** The entry's bytes, as text. */
  readonly entry: string
  /** Hashes in base64, the leaf's sibling first (RFC 6962, section 2.1.1). */
  readonly path: readonly string[]
  /** The signed checkpoint of the tree that it is in. */
  readonly checkpoint: string
}

/** @throws RangeError where the entry is not there, or no checkpoint covers it yet */
export async function proveEntry(queries: Queries, index: number): Promise<EntryProof> {
  const [last] = await queries.query(auditCheckpointLast, [])
  if (last === undefined || index >= last.size)
    throw new RangeError(
      `no checkpoint covers entry ${index} yet: the last one is of ${last?.size ?? 0} entries; ask again in a second`,
    )
  const [row] = await queries.query(auditEntriesFrom, [index, 1])
  if (row?.index !== index)
    throw new RangeError(`entry ${index} is not in the log any more: its time was over, or it was removed`)
  const path = await inclusionProof(index, last.size, nodesOf(queries))
  return {
    format: 'sallyport-audit-proof/1',
    index,
    entry: row.entry,
    path: path.map((hash) => hash.toString('base64')),
    checkpoint: last.note,
  }
}

/** True where the proof holds; total. */
export function holds(proof: unknown, verifier: Verifier): proof is EntryProof {
  if (typeof proof !== 'object' || proof === null) return false
  const { format, index, entry, path, checkpoint } = proof as Partial<EntryProof>
  if (format !== 'sallyport-audit-proof/1' || typeof index !== 'number' || typeof entry !== 'string')
    return false
  if (typeof checkpoint !== 'string' || !Array.isArray(path) || path.length > 64) return false
  if (!path.every((hash) => typeof hash === 'string' && hash.length === 44)) return false
  const signed = openCheckpoint(checkpoint, verifier)
  if (signed === undefined) return false
  const hashes = path.map((hash) => Buffer.from(hash, 'base64'))
  return isIncluded(leafHash(Buffer.from(entry)), index, signed.size, signed.root, hashes)
}
