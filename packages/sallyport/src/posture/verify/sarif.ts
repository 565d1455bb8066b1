// The result as SARIF 2.1.0 (OASIS), for code hosts that show findings beside the code. A finding of a live deployment
// has no line of code: it is placed in the policy file, which is where it is mended or accepted.

import { createHash } from 'node:crypto'
import { LEVEL, sarifRules } from '../sarif-rules.ts'
import type { Verification, VerifyFinding } from './result.ts'

/** A stable name of a finding: the same thing in the same place, whenever it is seen. */
export function fingerprint({ id, control, class: where, cell, mend, role }: VerifyFinding): string {
  return createHash('sha256')
    .update(JSON.stringify([id, control, where, cell, mend.toLowerCase(), role ?? '']))
    .digest('hex')
    .slice(0, 12)
}

/**
 * Writes a SARIF log.
 *
 * @param version of this package
 * @param policyFile relative to the root of the repository, with "/"
 */
export function verificationSarif(result: Verification, version: string, policyFile: string): unknown {
  const ids = [...new Set(result.findings.map(({ id }) => id))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'sallyport verify',
            semanticVersion: version,
            rules: sarifRules(ids),
          },
        },
        invocations: [
          { executionSuccessful: true, startTimeUtc: result.at, properties: { target: result.target } },
        ],
        properties: {
          policyDigest: result.policyDigest,
          profile: result.profile,
          passed: result.passed,
          of: result.of,
        },
        results: result.findings.map((finding) => ({
          ruleId: finding.id,
          ruleIndex: ids.indexOf(finding.id),
          level: LEVEL[finding.severity],
          message: {
            text: `${finding.detail}, in ${finding.class} of ${finding.cell}${finding.role ? ` as ${finding.role}` : ''}. Mend: ${finding.mend}`,
          },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(policyFile) },
                region: { startLine: 1 },
              },
              logicalLocations: [{ fullyQualifiedName: `${finding.control} ${finding.cell}` }],
            },
          ],
          partialFingerprints: { 'sallyport/v1': fingerprint(finding) },
          properties: { control: finding.control, class: finding.class, curl: finding.curl },
        })),
      },
    ],
  }
}
