// The result as JUnit XML, for CI systems that show tests: a suite for each control, a case for each class of answers
// or thing that is wrong.

import { xml } from '../xml-text.ts'
import type { Verification, VerifyFinding } from './result.ts'

/** Writes the report. */
export function verificationJunit(result: Verification): string {
  const suites = result.controls
    .filter(({ of }) => of > 0)
    .map((control) => {
      const findings = result.findings.filter((each) => each.control === control.id)
      const groups = Map.groupBy(
        findings,
        ({ id, class: where, cell, role }) => `${id} ${where} of ${cell}${role ? ` as ${role}` : ''}`,
      )
      const cases = Array.from(groups, ([name, list]) => failedCase(control.id, name, list))
      // Cases are counted as probes are: what holds is one case with their number.
      const holding = `    <testcase classname="${xml(control.id)}" name="${control.passed} of ${control.of} probes hold"/>`
      return [
        `  <testsuite name="${xml(`${control.id} ${control.title}`)}" tests="${cases.length + 1}" failures="${cases.length}" errors="0" skipped="0" timestamp="${xml(result.at)}">`,
        holding,
        ...cases,
        '  </testsuite>',
      ].join('\n')
    })
  const skipped = result.classes.filter(({ answers }) => answers === 0)
  const notSeen = [
    `  <testsuite name="classes of answers" tests="${result.classes.length}" failures="0" errors="0" skipped="${skipped.length}">`,
    ...result.classes.map(({ id, title, notSeen: because }) =>
      because === undefined
        ? `    <testcase classname="class" name="${xml(`${id}: ${title}`)}"/>`
        : `    <testcase classname="class" name="${xml(`${id}: ${title}`)}"><skipped message="${xml(because)}"/></testcase>`,
    ),
    '  </testsuite>',
  ].join('\n')
  const failures = suites.reduce((sum, suite) => sum + (suite.match(/<failure /g)?.length ?? 0), 0)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="sallyport verify ${xml(result.target)}" failures="${failures}" time="${(result.durationMs / 1_000).toFixed(3)}">`,
    ...suites,
    notSeen,
    '</testsuites>',
    '',
  ].join('\n')
}

function failedCase(control: string, name: string, findings: readonly VerifyFinding[]): string {
  const [first] = findings as [VerifyFinding]
  const text = findings.map(({ detail, mend, curl }) => `${detail}\nmend: ${mend}\n${curl}`).join('\n\n')
  return `    <testcase classname="${xml(control)}" name="${xml(name)}"><failure type="${xml(first.severity)}" message="${xml(first.detail)}">${xml(text)}</failure></testcase>`
}
