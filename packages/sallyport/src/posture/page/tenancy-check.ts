// What the page says of the last audit of the database, beside what the policy declares: read from the file that
// `sallyport tenancy check --record` leaves.

import type { Entry } from '../../guard/control.ts'
import { PolicyFileError } from '../../policy/load.ts'

/** The record of an audit, which `sallyport tenancy check --record` writes. */
export const TENANCY_FILE = 'sallyport.tenancy.json'

/** How to make one. */
export const MAKE_TENANCY_RECORD = 'write it with sallyport tenancy check --record'

/** An audit of the database. */
export interface TenancyCheck {
  readonly format: 'sallyport-tenancy-record/1'
  /** RFC 3339. */
  readonly at: string
  /** Of the schema, the roles and the grants that were looked at. */
  readonly digest: string
  /** How many tables hold rows of tenants. */
  readonly tables: number
  /** How many things are wrong; notes are not counted. */
  readonly findings: number
}

/** Reads a record. @throws PolicyFileError for what is none */
export function tenancyCheckIn(value: unknown): TenancyCheck {
  const { format, at, digest, tables, findings } = (value ?? {}) as Record<string, unknown>
  const sound =
    format === 'sallyport-tenancy-record/1' &&
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at)) &&
    typeof digest === 'string' &&
    /^sha256:[0-9a-f]{64}$/.test(digest) &&
    [tables, findings].every((number) => Number.isInteger(number) && (number as number) >= 0)
  if (!sound)
    throw new PolicyFileError(
      TENANCY_FILE,
      `${TENANCY_FILE}: is no record of an audit; ${MAKE_TENANCY_RECORD}`,
    )
  return { format, at, digest, tables: tables as number, findings: findings as number }
}

/** The entries of the control `tenancy`, with what was checked; a declaration that nobody checked says so. */
export function withTenancyCheck(
  entries: readonly Entry[],
  check: TenancyCheck | undefined,
): readonly Entry[] {
  // Where the application keeps tenants apart, or nothing is said, an audit of the database proves nothing of it.
  if (!entries.some(({ value }) => value.startsWith('the database:'))) return entries
  return [
    ...entries,
    {
      name: 'Last audit of the database',
      value: check === undefined ? 'declared, not checked' : words(check),
      why: 'sallyport tenancy check looks at every policy, role, grant, key, view and function that could show a foreign row.',
      cells: [],
    },
  ]
}

function words({ at, tables, findings, digest }: TenancyCheck): string {
  const day = at.replace('T', ' ').replace(/(?::\d\d)?(?:\.\d+)?Z$/, ' UTC')
  const found = findings === 0 ? 'nothing found' : findings === 1 ? '1 finding' : `${findings} findings`
  return `${day}: ${tables} ${tables === 1 ? 'table' : 'tables'}, ${found} (schema ${digest.slice(7, 19)})`
}
