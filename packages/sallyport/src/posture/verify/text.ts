// The result for a person: what holds, what does not and how to mend it, what could not be seen.

import { SEVERITIES } from '../findings.ts'
import type { Verification, VerifyFinding } from './result.ts'

const PLACES = 6

/** Writes the report. */
export function verificationText(result: Verification): string {
  const { findings, classes, controls, notRun } = result
  const seen = classes.filter(({ answers }) => answers > 0)
  const notSeen = classes.filter(({ answers }) => answers === 0)
  return [
    `${result.target}, policy ${result.policyDigest.replace(/^sha-?256:/, '').slice(0, 12)}, ${result.at}`,
    `${result.passed} of ${result.of} probes hold (${result.requests} requests, ${(result.durationMs / 1_000).toFixed(1)} s, ${result.profile}${result.replicas.length > 1 ? `, ${result.replicas.length} replicas` : ''})`,
    '',
    ...table([
      ['CONTROL', 'WHAT', 'HOLDS'],
      ...controls.map(({ id, title, passed, of, notObservable }) => [
        id,
        title,
        of === 0
          ? (notObservable ?? 'nothing of it could be probed')
          : passed === of
            ? `${of} of ${of}`
            : `${passed} of ${of}  <- not all`,
      ]),
    ]),
    ...(findings.length === 0 ? ['', 'Everything that was probed holds.'] : ['', ...findingLines(findings)]),
    '',
    `Seen: ${seen.map(({ id, answers }) => `${id} (${answers})`).join(', ')}`,
    ...(notSeen.length === 0
      ? []
      : ['', 'Not seen, so not judged:', ...table(notSeen.map((each) => [each.id, each.notSeen ?? '']))]),
    ...notJudgedLines(result),
    ...(notRun.length === 0 ? [] : ['', ...notRunLines(result)]),
    ...result.notes.map((note) => `note: ${note}`),
  ].join('\n')
}

/** One wrong header is one thing to mend, in however many places it shows. */
export function findingLines(findings: readonly VerifyFinding[]): readonly string[] {
  const groups = [
    ...Map.groupBy(findings, ({ id, control, mend }) =>
      JSON.stringify([id, control, mend.toLowerCase()]),
    ).values(),
  ]
  groups.sort((a, b) => SEVERITIES.indexOf(b[0]!.severity) - SEVERITIES.indexOf(a[0]!.severity))
  return groups.flatMap((group) => {
    const [first] = group as [VerifyFinding]
    const places = [...new Set(group.map(placeOf))]
    const more = places.length > PLACES ? ` and ${places.length - PLACES} more` : ''
    const replicas = new Set(group.flatMap((each) => each.replicas ?? []))
    return [
      `${first.severity.toUpperCase()} ${first.id}  ${first.control}`,
      `  ${first.detail}`,
      `  in ${places.slice(0, PLACES).join(', ')}${more}`,
      ...(replicas.size > 0 ? [`  at ${[...replicas].join(', ')}`] : []),
      `  mend: ${first.mend}`,
      ...(first.curl === '' ? [] : [`  see:  ${first.curl}`]),
      '',
    ]
  })
}

function placeOf({ class: id, cell, role }: VerifyFinding): string {
  return `${id} of ${cell}${role === undefined ? '' : ` as ${role}`}`
}

function notJudgedLines({ notJudged = [] }: Verification): readonly string[] {
  if (notJudged.length === 0) return []
  return ['', 'Not judged:', ...notJudged.map(({ probe, because }) => `  ${probe}: ${because}`)]
}

function notRunLines({ notRun }: Verification): readonly string[] {
  const byReason = Map.groupBy(notRun, ({ because }) => because)
  return [
    'Not run:',
    ...Array.from(byReason, ([because, list]) => {
      const names = list.slice(0, 3).map(({ probe }) => probe)
      const more = list.length > 3 ? ` and ${list.length - 3} more` : ''
      return `  ${names.join(', ')}${more}: ${because}`
    }),
  ]
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((text, index) => Math.max(known[index] ?? 0, text.length)),
    [],
  )
  return rows.map((row) => `  ${row.map((text, index) => text.padEnd(widths[index]!)).join('  ')}`.trimEnd())
}
