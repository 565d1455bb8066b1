// The difference of two policies: for each region of requests and each control, stronger, weaker, neutral or
// incomparable; and one verdict for the whole.

import { verdictOf } from '../../controls/faces.ts'
import type { Strength } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../../guard/resolve.ts'
import { digest } from '../../policy/digest.ts'
import { controls } from '../register.ts'
import { type ControlChange, compareCells } from './compare-cells.ts'
import { fingerprintOf } from './fingerprint.ts'
import { regionsOf } from './regions.ts'

/** One change, wherever it is the same. */
export interface DiffChange {
  /** Stable: the same change has the same, whoever compares. Twelve hexadecimal digits. */
  readonly fingerprint: string
  readonly strength: Strength
  readonly control: string
  /** The register id; empty for what a route says of itself. */
  readonly id: string
  readonly what: string
  /** One sentence; for `weaker`, what has become possible. */
  readonly because: string
  /** The cells of the newer policy where it is so. */
  readonly cells: readonly string[]
  /** A request that meets it. */
  readonly example: string
}

/** The whole difference. */
export interface PolicyDiff {
  readonly format: 'sallyport-diff/1'
  readonly before: string
  readonly after: string
  readonly verdict: Strength
  readonly changes: readonly DiffChange[]
  /** How many pairs of cells were compared. */
  readonly regions: number
}

/** Compares two policies. @throws PolicyError where one is wrong */
export async function diffPolicies(
  before: PolicyDocument | ResolvedPolicy,
  after: PolicyDocument | ResolvedPolicy,
): Promise<PolicyDiff> {
  const [a, b] = [resolved(before), resolved(after)]
  const regions = regionsOf(a, b)
  const found = new Map<string, DiffChange & { cells: string[] }>()
  // Routes of equal settings are compared once: thousands of routes are usually a handful of kinds.
  const known = new Map<string, readonly ControlChange[]>()
  const keyOf = kindKeys()
  for (const { before: from, after: to, example } of regions) {
    const kind = `${keyOf(from)} ${keyOf(to)}`
    // Where a sentence names its cell, the cell is part of the kind.
    const key = JSON.stringify([kind, to.origin === 'route' ? '' : to.id])
    let changes = known.get(key)
    if (changes === undefined) {
      changes = compareCells(from, to)
      known.set(key, changes)
    }
    for (const change of changes) {
      const same = JSON.stringify([
        change.control,
        change.what,
        change.strength,
        withoutCell(change.because, to),
      ])
      const seen = found.get(same)
      if (seen) {
        if (!seen.cells.includes(to.id)) seen.cells.push(to.id)
        continue
      }
      found.set(same, {
        fingerprint: '',
        strength: change.strength,
        control: change.control,
        id: controls.find(({ name }) => name === change.control)?.id ?? '',
        what: change.what,
        because: change.because,
        cells: [to.id],
        example,
      })
    }
  }
  const changes = [...found.values()]
    .map((change) => ({ ...change, fingerprint: fingerprintOf(change) }))
    .sort((x, y) => ORDER[x.strength] - ORDER[y.strength])
  return {
    format: 'sallyport-diff/1',
    before: await digest(a.document),
    after: await digest(b.document),
    verdict: verdictOf(changes),
    changes,
    regions: regions.length,
  }
}

const ORDER: Readonly<Record<Strength, number>> = { weaker: 0, incomparable: 1, stronger: 2, neutral: 3 }

// The same of many routes is one change, though each sentence names its route.
function withoutCell(sentence: string, { id, origin }: Cell): string {
  return origin === 'route' ? sentence.replaceAll(id, '') : sentence
}

function resolved(policy: PolicyDocument | ResolvedPolicy): ResolvedPolicy {
  return 'cells' in policy ? policy : resolvePolicy(policy)
}

type Cell = ResolvedPolicy['cells'][number]

function kindKeys(): (cell: Cell) => string {
  const keys = new WeakMap<Cell, string>()
  return (cell) => {
    let key = keys.get(cell)
    if (key === undefined) {
      key = JSON.stringify([cell.data, cell.credentials, cell.settings])
      keys.set(cell, key)
    }
    return key
  }
}
