// What stands on the page beside the policy, read from the files where the commands leave it: accepted weaknesses, the
// log of changes, the record of the last verification.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PolicyFileError } from '../../policy/load.ts'
import { sentence } from '../../policy/problem.ts'
import { ACCEPTED_FILE, readAccepted } from '../diff/accepted.ts'
import { BACKUP_FILE, type LastBackup, lastBackupIn, MAKE_BACKUP_RECORD } from './last-backup.ts'
import type { AcceptedWeakness, LastVerification, PolicyChange } from './model.ts'
import { MAKE_TENANCY_RECORD, TENANCY_FILE, type TenancyCheck, tenancyCheckIn } from './tenancy-check.ts'

/** The log of changes, which `sallyport diff --log` writes. */
export const CHANGES_FILE = 'sallyport.changes.json'
/** The record of the last verification, which `sallyport verify --record` writes. */
const RECORD_FILE = 'sallyport.verification.json'

const MAKE_RECORD = 'write it with sallyport verify --record'

/** The facts that a folder holds. */
export interface FolderFacts {
  readonly acceptedWeaknesses?: readonly AcceptedWeakness[]
  readonly changes?: readonly PolicyChange[]
  readonly lastVerification?: LastVerification
  readonly tenancyCheck?: TenancyCheck
  readonly lastBackup?: LastBackup
}

/** Reads them; what is not there is left out. @throws PolicyFileError for a file that is not what it should be */
export function factsIn(directory: string, recordFile?: string): FolderFacts {
  const accepted = jsonIn(directory, ACCEPTED_FILE, 'write it with sallyport diff --accept')
  const changes = jsonIn(directory, CHANGES_FILE, 'write it with sallyport diff --log')
  const tenancy = jsonIn(directory, TENANCY_FILE, MAKE_TENANCY_RECORD)
  const backup = jsonIn(directory, BACKUP_FILE, MAKE_BACKUP_RECORD)
  const record =
    recordFile === undefined
      ? jsonIn(directory, RECORD_FILE, MAKE_RECORD)
      : jsonIn('', recordFile, MAKE_RECORD)
  return {
    ...(accepted === undefined ? {} : { acceptedWeaknesses: acceptedIn(accepted) }),
    ...(changes === undefined ? {} : { changes: changesIn(changes) }),
    ...(tenancy === undefined ? {} : { tenancyCheck: tenancyCheckIn(tenancy) }),
    ...(backup === undefined ? {} : { lastBackup: lastBackupIn(backup) }),
    ...(record === undefined ? {} : { lastVerification: recordIn(record, recordFile ?? RECORD_FILE) }),
  }
}

function jsonIn(directory: string, name: string, mend: string): unknown {
  const path = directory === '' ? name : join(directory, name)
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const why =
      error instanceof SyntaxError
        ? 'is not JSON'
        : `can't be read (${(error as NodeJS.ErrnoException).code})`
    throw new PolicyFileError(name, `${name}: ${why}; ${mend}`)
  }
}

function acceptedIn(value: unknown): readonly AcceptedWeakness[] {
  const { accepted, problems } = readAccepted(value)
  const [problem] = problems
  if (problem !== undefined)
    throw new PolicyFileError(ACCEPTED_FILE, `${ACCEPTED_FILE}: ${sentence(problem)}`)
  return accepted
}

/** Reads the log of changes. */
export function changesIn(value: unknown): readonly PolicyChange[] {
  const isChange = (each: unknown): each is PolicyChange => {
    if (typeof each !== 'object' || each === null) return false
    const { at, from, to, verdict, changes } = each as Record<string, unknown>
    return (
      [at, from, to, verdict].every((text) => typeof text === 'string') &&
      Array.isArray(changes) &&
      changes.every((text) => typeof text === 'string')
    )
  }
  if (!Array.isArray(value) || !value.every(isChange))
    throw new PolicyFileError(
      CHANGES_FILE,
      `${CHANGES_FILE}: is no log of changes; write it with sallyport diff --log`,
    )
  return value
}

function recordIn(read: unknown, name: string): LastVerification {
  const {
    at,
    target,
    passed,
    of,
    findings,
    policyDigest,
    source = 'live',
  } = (read ?? {}) as Record<string, unknown>
  const count = Array.isArray(findings) ? findings.length : findings
  const sound =
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at)) &&
    typeof target === 'string' &&
    typeof policyDigest === 'string' &&
    isSource(source) &&
    [passed, of, count].every((number) => Number.isInteger(number))
  if (!sound) throw new PolicyFileError(name, `${name}: is no record of a verification; ${MAKE_RECORD}`)
  return {
    at,
    target,
    passed: passed as number,
    of: of as number,
    findings: count as number,
    policyDigest,
    ...(source === 'live' ? {} : { source }),
  }
}

function isSource(value: unknown): value is NonNullable<LastVerification['source']> {
  return value === 'live' || value === 'har' || value === 'captured'
}
