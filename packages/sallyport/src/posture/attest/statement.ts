// What is attested: an in-toto Statement (v1) that a policy, by its digest, was verified at an origin, as a Simple
// Verification Result (SVR v0.2). Only controls whose every probe holds are among its properties.

import { GENERAL } from '../verify/judge-general.ts'
import type { Verification } from '../verify/result.ts'

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'
export const SVR_TYPE = 'https://in-toto.io/attestation/svr/v0.2'
// Names of ours are package URLs: a domain can pass to somebody else, and with it what the name stands for.
const VERIFIER = 'pkg:npm/sallyport#verify/v1'
/** Our own field of the predicate; whoever does not know it must ignore it (in-toto, parsing rules). */
export const DETAIL = 'pkg:npm/sallyport#attestation/verification/v1'
const PREFIX = 'SALLYPORT_'
/** The longest that a statement may hold, days: a year, and a month to renew it. */
export const MOST_DAYS = 397

/** A thing with its digest (in-toto ResourceDescriptor). */
interface Resource {
  readonly name: string
  readonly uri?: string
  readonly digest: { readonly sha256: string }
}

/** The part of the predicate that SVR has no field for. */
interface Detail {
  readonly version: string
  /** RFC 3339: after this, the statement says nothing any more. */
  readonly expires: string
  readonly profile: string
  readonly source: string
  readonly passed: number
  readonly of: number
  readonly controls: readonly {
    readonly id: string
    readonly title: string
    readonly passed: number
    readonly of: number
    readonly notObservable?: string
  }[]
  readonly findings: readonly {
    readonly id: string
    readonly severity: string
    readonly control: string
    readonly class: string
    readonly cell: string
  }[]
  /** Classes of answers that were seen; the others were not judged. */
  readonly seen: readonly string[]
}

/** The statement. */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE
  readonly subject: readonly Resource[]
  readonly predicateType: typeof SVR_TYPE
  readonly predicate: {
    readonly verifier: { readonly id: string; readonly policies: readonly Resource[] }
    readonly timeCreated: string
    readonly properties: readonly string[]
    readonly [DETAIL]: Detail
  }
}

export interface StatementOptions {
  /** The version of this package. */
  readonly version: string
  /** How long it holds from the verification on, milliseconds. */
  readonly validMs: number
}

/** Makes the statement of a verification. The same record gives the same statement, byte for byte. */
export function statementOf(record: Verification, { version, validMs }: StatementOptions): Statement {
  const policy = { sha256: record.policyDigest.replace(/^sha-?256:/, '') }
  return {
    _type: STATEMENT_TYPE,
    // in-toto matches subjects by digest alone: the policy, and where it was seen to hold.
    subject: [{ name: record.target, uri: record.target, digest: policy }],
    predicateType: SVR_TYPE,
    predicate: {
      verifier: { id: VERIFIER, policies: [{ name: 'sallyport policy', digest: policy }] },
      timeCreated: record.at,
      properties: provedOf(record).map(({ id }) => propertyOf(id)),
      [DETAIL]: {
        version,
        expires: new Date(Date.parse(record.at) + validMs).toISOString(),
        profile: record.profile,
        source: record.source,
        passed: record.passed,
        of: record.of,
        controls: record.controls.map(({ id, title, passed, of, notObservable }) => ({
          id,
          title,
          passed,
          of,
          ...(notObservable === undefined ? {} : { notObservable }),
        })),
        findings: record.findings.map(({ id, severity, control, class: where, cell }) => ({
          id,
          severity,
          control,
          class: where,
          cell,
        })),
        seen: record.classes.filter(({ answers }) => answers > 0).map(({ id }) => id),
      },
    },
  }
}

/** The controls of which every probe holds, and that have no finding. */
export function provedOf({ controls, findings }: Pick<Detail, 'controls' | 'findings'>): Detail['controls'] {
  const failed = new Set(findings.map(({ control }) => control))
  // What stands beside the controls is no property of a policy; its count and its findings are told all the same.
  return controls.filter(
    ({ id, passed, of }) => id !== GENERAL.name && of > 0 && passed === of && !failed.has(id),
  )
}

/** The property that stands for a control. */
export function propertyOf(control: string): string {
  return PREFIX + control.replaceAll('-', '_')
}

/** The bytes of a statement, as they are signed. */
export function statementBytes(statement: Statement): Buffer {
  return Buffer.from(JSON.stringify(statement), 'utf8')
}

/** True where a control stands among the statement's properties. */
export function isProved({ predicate }: Statement, control: string): boolean {
  return predicate.properties.includes(propertyOf(control))
}
