// What an audit of a database found: as text, as SARIF 2.1.0 (OASIS), as JUnit XML.

import { findingKind, SEVERITIES, type Severity } from '../../posture/findings.ts'
import { LEVEL, sarifRules } from '../../posture/sarif-rules.ts'
import { xml } from '../../posture/xml-text.ts'
import type { AuditFinding, AuditReport } from './package.ts'

/** A finding with how bad it is. */
export interface JudgedFinding extends AuditFinding {
  readonly severity: Severity
}

/** The worst first. */
export function judged({ findings }: AuditReport): readonly JudgedFinding[] {
  return findings
    .map((found) => ({ ...found, severity: found.severity ?? findingKind(found.id).severity }))
    .sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
}

/** The report for people. */
export function auditText(report: AuditReport, findings: readonly JudgedFinding[]): string {
  const { database, tables, unreached, roles, tenantColumn } = report
  const count = (severity: Severity) => findings.filter((each) => each.severity === severity).length
  const counts = [...SEVERITIES]
    .reverse()
    .flatMap((severity) => (count(severity) ? [`${count(severity)} ${severity}`] : []))
  return [
    `database ${printable(database)}: ${tables.length} ${tables.length === 1 ? 'table' : 'tables'} with ${printable(tenantColumn)}, asked by ${roles.map(printable).join(', ') || 'nobody'}`,
    ...(unreached.length > 0
      ? [`out of the application’s reach: ${unreached.map(printable).join(', ')}`]
      : []),
    '',
    ...findings.flatMap(({ id, severity, object, detail, mend }) => [
      `${severity.toUpperCase()}  ${id}  ${printable(object)}`,
      `  ${printable(detail)}`,
      `  mend: ${printable(mend)}`,
      '',
    ]),
    counts.length === 0 ? 'Nothing was found that shows one tenant another’s rows.' : counts.join(', '),
  ].join('\n')
}

// Names of a database are somebody else's text: a terminal must not take them for its own commands.
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?')
}

/** @param version of this package */
export function auditSarif(
  report: AuditReport,
  findings: readonly JudgedFinding[],
  version: string,
): unknown {
  const ids = [...new Set(findings.map(({ id }) => id))].sort()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'sallyport tenancy', semanticVersion: version, rules: sarifRules(ids) } },
        results: findings.map(({ id, severity, object, detail, mend }) => ({
          ruleId: id,
          ruleIndex: ids.indexOf(id),
          level: LEVEL[severity],
          message: { text: `${object}: ${detail}. Mend: ${mend}` },
          // A database has no lines of code: it is placed at the object.
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: `database/${encodeURIComponent(report.database)}/${encodeURIComponent(object)}`,
                },
              },
              logicalLocations: [{ fullyQualifiedName: object }],
            },
          ],
        })),
      },
    ],
  }
}

/** @param at RFC 3339 */
export function auditJunit(report: AuditReport, findings: readonly JudgedFinding[], at: string): string {
  const wrong = findings.filter(({ severity }) => severity !== 'info')
  const sound = report.tables.filter((table) => !wrong.some(({ object }) => object === table))
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xml(`sallyport tenancy ${report.database}`)}" failures="${wrong.length}">`,
    `  <testsuite name="${xml(`tenants of ${report.database}`)}" tests="${sound.length + wrong.length}" failures="${wrong.length}" errors="0" skipped="0" timestamp="${xml(at)}">`,
    ...sound.map((table) => `    <testcase classname="${xml(table)}" name="keeps tenants apart"/>`),
    ...wrong.map(
      ({ id, severity, object, detail, mend }) =>
        `    <testcase classname="${xml(object)}" name="${xml(id)}"><failure type="${severity}" message="${xml(detail)}">${xml(`${detail}\nmend: ${mend}`)}</failure></testcase>`,
    ),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}
