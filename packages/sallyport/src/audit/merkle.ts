// The Merkle tree of RFC 6962, section 2: a log that can prove that an entry is in it, and that it only ever grew.
// Hashes are 32 bytes. A tree of any size is told by its frontier: the roots of its full subtrees, largest first.

import { hash } from 'node:crypto'

const LEAF = Buffer.of(0)
const NODE = Buffer.of(1)

/** SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([LEAF, entry]), 'buffer')
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([NODE, left, right]), 'buffer')
}

/** The root of a tree without entries. */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer')

/** A tree as what is needed to let it grow. */
export interface Frontier {
  readonly size: number
  /** The roots of the full subtrees of the size's binary digits, largest first. */
  readonly hashes: readonly Buffer[]
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] }

/** @throws RangeError where the frontier is not one of its size */
export function rootOf({ size, hashes }: Frontier): Buffer {
  expectFrontier({ size, hashes })
  let root: Buffer | undefined
  for (let i = hashes.length - 1; i >= 0; i--)
    root = root === undefined ? hashes[i]! : nodeHash(hashes[i]!, root)
  return root ?? EMPTY_ROOT
}

function expectFrontier({ size, hashes }: Frontier): void {
  if (!Number.isSafeInteger(size) || size < 0 || hashes.length !== onesOf(size))
    throw new RangeError(`a tree of ${size} entries does not have a frontier of ${hashes.length} hashes`)
}

function onesOf(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}

/** Takes each complete node as it comes into being: level 0 is the leaves. */
export type NodeSink = (level: number, index: number, node: Buffer) => void

/** Adds leaves at the end; hears of every node that this completes, leaves included. */
export function grow(frontier: Frontier, leaves: readonly Buffer[], onNode?: NodeSink): Frontier {
  expectFrontier(frontier)
  const hashes = [...frontier.hashes]
  let { size } = frontier
  for (const leaf of leaves) {
    onNode?.(0, size, leaf)
    let node = leaf
    // Each trailing 1 of the size is a full subtree to the left of equal height.
    let index = size
    for (let level = 0; index % 2 === 1; level++) {
      node = nodeHash(hashes.pop()!, node)
      index = (index - 1) / 2
      onNode?.(level + 1, index, node)
    }
    hashes.push(node)
    size++
  }
  return { size, hashes }
}

/** Gives a complete node: the root of the entries `index × 2^level` up to `(index + 1) × 2^level`. */
export type NodeSource = (level: number, index: number) => Buffer | Promise<Buffer>

// The largest power of two below n, as its exponent.
function splitLevel(n: number): number {
  return Math.floor(Math.log2(n - 1))
}

/** The root of the entries from `start` up to `end`, which is a subtree of RFC 6962's recursion. */
async function subtree(start: number, end: number, nodes: NodeSource): Promise<Buffer> {
  const count = end - start
  if (count === 0) return EMPTY_ROOT
  const level = count === 1 ? 0 : splitLevel(count)
  const width = 2 ** level
  if (width === count) return await nodes(level, start / width)
  if (width * 2 === count) return await nodes(level + 1, start / count)
  return nodeHash(await nodes(level, start / width), await subtree(start + width, end, nodes))
}

/** The root of the first `size` entries, from the nodes of a tree that may have grown since. */
export function rootAt(size: number, nodes: NodeSource): Promise<Buffer> {
  return subtree(0, size, nodes)
}

/**
 * The audit path of an entry in the tree of the first `size` entries (section 2.1.1), leaf's sibling first.
 *
 * @throws RangeError where the entry is not among them
 */
export async function inclusionProof(index: number, size: number, nodes: NodeSource): Promise<Buffer[]> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new RangeError(`entry ${index} is not in a tree of ${size}`)
  const path = async (m: number, start: number, end: number): Promise<Buffer[]> => {
    if (end - start === 1) return []
    const middle = start + 2 ** splitLevel(end - start)
    return m < middle
      ? [...(await path(m, start, middle)), await subtree(middle, end, nodes)]
      : [...(await path(m, middle, end)), await subtree(start, middle, nodes)]
  }
  return path(index, 0, size)
}

/**
 * The proof that the tree of the first `from` entries is the beginning of the tree of the first `to` (section 2.1.2);
 * empty where they are the same, or the first is empty.
 *
 * @throws RangeError where `from` is larger than `to`
 */
export async function consistencyProof(from: number, to: number, nodes: NodeSource): Promise<Buffer[]> {
  if (!Number.isSafeInteger(from) || from < 0 || from > to)
    throw new RangeError(`a tree of ${from} entries is not the beginning of one of ${to}`)
  if (from === 0 || from === to) return []
  const proof = async (m: number, start: number, end: number, isWhole: boolean): Promise<Buffer[]> => {
    if (m === end) return isWhole ? [] : [await subtree(start, end, nodes)]
    const middle = start + 2 ** splitLevel(end - start)
    return m <= middle
      ? [...(await proof(m, start, middle, isWhole)), await subtree(middle, end, nodes)]
      : [...(await proof(m, middle, end, false)), await subtree(start, middle, nodes)]
  }
  return proof(from, 0, to, true)
}
