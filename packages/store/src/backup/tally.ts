// What a store holds, counted and hashed table by table, so that two can be held against each other.

import { createHash } from 'node:crypto'

/** One table. */
interface TableTally {
  readonly rows: number
  /** Of all rows in any order: engines sort texts differently. */
  readonly digest: string
}

/** By table; those without rows are left out. */
export type Tally = Readonly<Record<string, TableTally>>

const ROW = /^\{"table":"([a-z0-9_]+)","row":/
const BITS = 256

/** Adds up lines of an export as they pass. */
export interface Tallying {
  add(line: string): void
  readonly result: () => Tally
}

/** Begins. */
export function tallying(): Tallying {
  const tables = new Map<string, { rows: number; sum: bigint }>()
  return {
    add(line) {
      const name = ROW.exec(line)?.[1]
      if (name === undefined) return
      const table = tables.get(name) ?? { rows: 0, sum: 0n }
      tables.set(name, table)
      table.rows += 1
      // The sum finds what was lost or garbled on the way; who would forge rows meets the signature instead.
      table.sum = BigInt.asUintN(
        BITS,
        table.sum + BigInt(`0x${createHash('sha256').update(line).digest('hex')}`),
      )
    },
    result: () =>
      Object.fromEntries(
        [...tables]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, { rows, sum }]) => [name, { rows, digest: sum.toString(16).padStart(BITS / 4, '0') }]),
      ),
  }
}

/** How many rows in all. */
export function rowsOf(tally: Tally): number {
  return Object.values(tally).reduce((sum, { rows }) => sum + rows, 0)
}

/** The first table in which two differ, in words; undefined where they are the same. */
export function difference(expected: Tally, found: Tally): string | undefined {
  for (const name of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const [was, is] = [expected[name], found[name]]
    if (was?.rows !== is?.rows) return `table ${name} has ${is?.rows ?? 0} rows instead of ${was?.rows ?? 0}`
    if (was?.digest !== is?.digest) return `a row of table ${name} is another`
  }
  return undefined
}
