// A name for a change that stays the same while the change does, so that whoever accepted it accepted this one, in these
// places.

import { createHash } from 'node:crypto'
import type { DiffChange } from './diff.ts'

/** Twelve hexadecimal digits over what changes, what it makes possible, and where. */
export function fingerprintOf(change: Omit<DiffChange, 'fingerprint' | 'example' | 'id'>): string {
  const { control, what, strength, because, cells } = change
  // The sentence names one of the places; which one is chance.
  const said = cells.reduce((text, cell) => text.replaceAll(cell, ''), because)
  return createHash('sha256')
    .update(JSON.stringify([control, what, strength, said, [...cells].sort()]))
    .digest('hex')
    .slice(0, 12)
}
