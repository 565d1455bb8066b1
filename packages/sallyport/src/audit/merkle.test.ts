// The tree against the vectors of RFC 6962's reference implementation (google/certificate-transparency, Apache-2.0:
// eight entries and their roots), against the RFC's own recursion, and proofs that must and must not hold.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  consistencyProof,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  grow,
  inclusionProof,
  leafHash,
  type NodeSource,
  nodeHash,
  rootAt,
  rootOf,
} from './merkle.ts'
import { isConsistent, isIncluded } from './proofs.ts'

const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

const leaves = ENTRIES.map((entry) => leafHash(Buffer.from(entry, 'hex')))
const numbered = (count: number) => Array.from({ length: count }, (_, i) => leafHash(Buffer.from(String(i))))

/** The recursion of section 2.1, word for word. */
function byRecursion(list: readonly Buffer[]): Buffer {
  if (list.length === 0) return EMPTY_ROOT
  if (list.length === 1) return list[0]!
  let k = 1
  while (k * 2 < list.length) k *= 2
  return nodeHash(byRecursion(list.slice(0, k)), byRecursion(list.slice(k)))
}

function tree(list: readonly Buffer[]): NodeSource {
  const nodes = new Map<string, Buffer>()
  grow(EMPTY_FRONTIER, list, (level, index, node) => nodes.set(`${level}/${index}`, node))
  return (level, index) => {
    const node = nodes.get(`${level}/${index}`)
    assert.ok(node, `node ${index} of level ${level} is not complete`)
    return node
  }
}

test('the roots of the reference implementation', () => {
  for (const [size, root] of ROOTS.entries())
    assert.equal(rootOf(grow(EMPTY_FRONTIER, leaves.slice(0, size))).toString('hex'), root)
})

test('the proofs of the reference implementation', async () => {
  const hex = (proof: readonly Buffer[]) => proof.map((node) => node.toString('hex'))
  const nodes = tree(leaves)
  assert.deepEqual(hex(await inclusionProof(0, 8, nodes)), [
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ])
  assert.deepEqual(hex(await consistencyProof(1, 8, nodes)), hex(await inclusionProof(0, 8, nodes)))
  assert.deepEqual(hex(await consistencyProof(6, 8, nodes)), [
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
})

test('growing in any steps gives the tree of the recursion', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }), (steps) => {
      const all = numbered(steps.reduce((sum, step) => sum + step, 0))
      let frontier = EMPTY_FRONTIER
      let at = 0
      for (const step of steps) {
        frontier = grow(frontier, all.slice(at, at + step))
        at += step
        assert.ok(rootOf(frontier).equals(byRecursion(all.slice(0, at))))
      }
    }),
  )
})

test('every proof of every tree up to 70 entries holds, and none with a change', async () => {
  const all = numbered(70)
  const nodes = tree(all)
  const roots = await Promise.all(Array.from({ length: 71 }, (_, size) => rootAt(size, nodes)))
  for (let size = 1; size <= 70; size++) {
    assert.ok(roots[size]!.equals(byRecursion(all.slice(0, size))))
    for (let index = 0; index < size; index++) {
      const proof = await inclusionProof(index, size, nodes)
      assert.ok(isIncluded(all[index]!, index, size, roots[size]!, proof))
      assert.ok(!isIncluded(all[(index + 1) % 70]!, index, size, roots[size]!, proof))
      assert.ok(!isIncluded(all[index]!, index, size, roots[size]!, [...proof, all[0]!]))
      if (size > 1) assert.ok(!isIncluded(all[index]!, (index + 1) % size, size, roots[size]!, proof))
      if (proof.length > 0) assert.ok(!isIncluded(all[index]!, index, size, roots[size]!, proof.slice(1)))
    }
    for (let from = 0; from <= size; from++) {
      const proof = await consistencyProof(from, size, nodes)
      assert.ok(isConsistent(from, roots[from]!, size, roots[size]!, proof))
      if (from === 0) continue
      assert.ok(!isConsistent(from, roots[from - 1]!, size, roots[size]!, proof))
      assert.ok(!isConsistent(from, roots[from]!, size, roots[size - 1]!, proof))
      assert.ok(!isConsistent(from, roots[from]!, size, roots[size]!, [...proof, all[0]!]))
      if (proof.length > 0)
        assert.ok(!isConsistent(from, roots[from]!, size, roots[size]!, proof.slice(0, -1)))
    }
  }
})

test('what is no proof is refused, and nothing throws', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -3, max: 300 }),
      fc.integer({ min: -3, max: 300 }),
      fc.array(fc.uint8Array({ minLength: 30, maxLength: 33 }), { maxLength: 12 }),
      (a, b, proof) => {
        assert.equal(isIncluded(leaves[0]!, a, b, EMPTY_ROOT, proof), false)
        const holds = isConsistent(a, leaves[0]!, b, leaves[1]!, proof)
        assert.equal(holds, false)
      },
    ),
  )
})

test('a frontier that is not one of its size is refused', () => {
  assert.throws(() => rootOf({ size: 3, hashes: [leaves[0]!] }), RangeError)
  assert.throws(() => grow({ size: 4, hashes: [] }, leaves), RangeError)
})
