// A name for a change that stays the same while the change does, so that whoever accepted it accepted this one, from this
// value to that one, in these places.

import { createHash } from 'node:crypto'
import { canonicalJson } from '../../policy/digest.ts'
import type { ControlChange } from './compare-cells.ts'

/** Twelve hexadecimal digits over what changes, from what to what, what that means, and where. */
export function fingerprintOf(change: ControlChange, cells: readonly string[]): string {
  const { control, what, strength, because, from = null, to = null } = change
  // Without order among members: a setting that is only written in another order is the same.
  const said = [control, what, strength, because, from, to, [...cells].sort()]
  return createHash('sha256').update(canonicalJson(said)).digest('hex').slice(0, 12)
}
