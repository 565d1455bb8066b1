// Checks an attestation by fixed rules: the signature, then the kind of statement, then each claim that the reader
// makes. Every rule that is broken is told, not the first alone.

import type { KeyObject } from 'node:crypto'
import { readJson } from '../../policy/json.ts'
import { contradictionsOf } from './contradictions.ts'
import { BadEnvelope, unseal } from './dsse.ts'
import { readStatement } from './read.ts'
import { DETAIL, PAYLOAD_TYPE, type Statement } from './statement.ts'

/** What the reader expects. */
export interface Expected {
  /** `sha256:` and hexadecimal digits: the policy that should be running. */
  readonly policyDigest?: string
  /** `https://api.example.com` */
  readonly origin?: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What came of it: the statement where the signature is right, and every rule that it breaks. */
export interface Checked {
  readonly statement?: Statement
  readonly failures: readonly string[]
}

// A verifier's clock may be ahead of ours.
const CLOCK_SKEW_MS = 300_000

/** Checks the text of an envelope against a public key. */
export function checkAttestation(text: string, key: KeyObject, expected: Expected): Checked {
  let body: Buffer
  try {
    body = unseal(text, PAYLOAD_TYPE, key)
  } catch (error) {
    if (!(error instanceof BadEnvelope)) throw error
    return { failures: [error.message] }
  }
  const read = readJson(body.toString('utf8'))
  if ('fault' in read) return { failures: [`it is signed, but ${read.fault.message} in it`] }
  const statement = readStatement(body)
  if (statement === undefined)
    return { failures: ['it is signed, but holds no statement of a verification by sallyport'] }
  return { statement, failures: [...brokenRules(statement, expected), ...contradictionsOf(statement)] }
}

function* brokenRules(
  { subject, predicate }: Statement,
  { policyDigest, origin, now }: Expected,
): Iterable<string> {
  const { passed, of, findings, controls, expires } = predicate[DETAIL]
  const digests = subject.map(({ digest }) => digest.sha256)
  const wanted = policyDigest?.replace(/^sha-?256:/, '')
  if (wanted !== undefined && digests.some((each) => each !== wanted))
    yield `it is about policy ${digests.join(', ')}, not ${wanted}; verify what runs now, and attest that`
  if (origin !== undefined && !subject.every(({ name, uri = name }) => name === origin && uri === origin))
    yield `it is about ${[...new Set(subject.flatMap(({ name, uri = name }) => [name, uri]))].join(', ')}, not ${origin}`
  if (Date.parse(predicate.timeCreated) > now + CLOCK_SKEW_MS)
    yield `it says that it was made at ${predicate.timeCreated}, which is yet to come`
  if (Date.parse(expires) <= now) yield `it expired at ${expires}; verify again, and attest that`
  if (of === 0 || controls.length === 0) yield 'it says of no probe that it held'
  else if (controls.reduce((sum, each) => sum + each.of, 0) !== of)
    yield `it counts ${of} probes, and those of its controls are ${controls.reduce((sum, each) => sum + each.of, 0)}`
  if (findings.length > 0 || passed !== of)
    yield `${of - passed} of ${of} probes did not hold: ${[...new Set(findings.map(({ id }) => id))].join(', ')}`
}
