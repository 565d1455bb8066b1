// The grade as SARIF 2.1.0 (OASIS). A finding of a live server has no line of code: it is placed at the server.

import { LEVEL, sarifRules } from '../sarif-rules.ts'
import type { GradeReport } from './grade.ts'

/** @param version of this package */
export function gradeSarif(report: GradeReport, version: string): unknown {
  const ids = [...new Set(report.findings.map(({ id }) => id))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'sallyport grade',
            semanticVersion: version,
            rules: sarifRules(ids),
          },
        },
        results: report.findings.map((found) => ({
          ruleId: found.id,
          ruleIndex: ids.indexOf(found.id),
          level: LEVEL[found.severity],
          message: { text: `${found.detail}. Mend: ${found.mend}` },
          locations: [{ physicalLocation: { artifactLocation: { uri: report.target } } }],
        })),
      },
    ],
  }
}
