// What a verification is, as plain data: it can be kept, compared, signed and shown.

import type { Severity } from '../findings.ts'

/** Something that does not hold. */
export interface VerifyFinding {
  /** From the vocabulary: `hsts.missing`. */
  readonly id: string
  readonly severity: Severity
  /** The register id: `SP-TLS-01`; `general` for what no policy has to declare. */
  readonly control: string
  /** The class of the answer: `404`, `no-host`. */
  readonly class: string
  /** The id of the policy's cell. */
  readonly cell: string
  readonly detail: string
  /** The line that mends it. */
  readonly mend: string
  readonly standards: readonly string[]
  /** Sends the same request; credentials are left out. */
  readonly curl: string
  /** Whose credential was sent; absent where none was. */
  readonly role?: string
  /** Where it was seen, of several replicas. */
  readonly replicas?: readonly string[]
}

/** What was seen of a class of answers. */
export interface ClassReport {
  readonly id: string
  readonly title: string
  readonly answers: number
  /** Why it was not seen; absent where it was. */
  readonly notSeen?: string
}

/** What of one control was proved. */
export interface ControlReport {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly passed: number
  readonly of: number
  /** Why nothing can be seen of it from outside. */
  readonly notObservable?: string
}

/** A claim that was not put to the test, and why. */
export interface NotRun {
  readonly probe: string
  readonly because: string
}

/** The result of a verification. */
export interface Verification {
  readonly format: 'sallyport-verification/1'
  /** RFC 3339. */
  readonly at: string
  /** The origin. */
  readonly target: string
  /** `sha-256:` and hexadecimal digits. */
  readonly policyDigest: string
  readonly profile: Profile
  readonly source: 'live' | 'har' | 'captured'
  readonly durationMs: number
  readonly requests: number
  /** Probes that hold, of those that were run. */
  readonly passed: number
  readonly of: number
  readonly findings: readonly VerifyFinding[]
  readonly controls: readonly ControlReport[]
  readonly classes: readonly ClassReport[]
  readonly notRun: readonly NotRun[]
  /** What would pass either way, so that it passing says nothing. */
  readonly notJudged?: readonly NotRun[]
  /** What deserves a look and is no finding. */
  readonly notes: readonly string[]
  readonly replicas: readonly string[]
}

export type Profile = 'quick' | 'full'

/** Nothing could be verified, and why: the answer to a command is exit code 2. */
export class CouldNotVerify extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CouldNotVerify'
  }
}
