// Checks proofs of RFC 6962 against roots that are trusted; needs nothing but the proof. Total: what is no proof is
// false, never an exception.

import { timingSafeEqual } from 'node:crypto'
import { EMPTY_ROOT, nodeHash } from './merkle.ts'

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

const isHash = (value: Uint8Array) => value.length === 32

/** True where the leaf is entry `index` of the tree of `size` entries with this root (RFC 9162, section 2.1.3.2). */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  size: number,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !isHash(leaf) || !proof.every(isHash)) return false
  let fn = index
  let sn = size - 1
  let node: Uint8Array = leaf
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      node = nodeHash(sibling, node)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else node = nodeHash(node, sibling)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && same(node, root)
}

/** True where the first tree is the beginning of the second (RFC 9162, section 2.1.4.2). */
export function isConsistent(
  from: number,
  fromRoot: Uint8Array,
  to: number,
  toRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(from) || !isSize(to) || from > to || !proof.every(isHash)) return false
  if (from === to) return proof.length === 0 && same(fromRoot, toRoot)
  if (from === 0) return proof.length === 0 && same(fromRoot, EMPTY_ROOT)
  const isPower = Number.isInteger(Math.log2(from)) && 2 ** Math.log2(from) === from
  const path = isPower ? [fromRoot, ...proof] : [...proof]
  if (path.length === 0) return false
  let fn = from - 1
  let sn = to - 1
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  let first = path[0]!
  let second = path[0]!
  for (const node of path.slice(1)) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      first = nodeHash(node, first)
      second = nodeHash(node, second)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else second = nodeHash(second, node)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && same(first, fromRoot) && same(second, toRoot)
}
