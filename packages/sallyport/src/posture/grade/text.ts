// The grade for a terminal: the two scores, then each finding with why, where, and the line that mends it.

import type { GradeReport } from './grade.ts'

/** The report as lines of text. */
export function gradeText(report: GradeReport): string {
  const { findings, observatory, contexts, notAnswered } = report
  const answers = contexts.map(({ context, answers: count }) => `${count} ${context}`).join(', ')
  const lines = [
    `${report.target}: ${report.grade}, ${report.score} of 100${observatory ? ` (Observatory's algorithm: ${observatory.grade}, ${observatory.score})` : ''}`,
    `seen: ${answers || 'the certificate alone'}${report.tls ? `; ${report.tls.version}${report.tls.group ? ` with ${report.tls.group}` : ''}` : ''}`,
  ]
  if (report.blockedBy !== undefined)
    lines.push(`a block page of ${report.blockedBy} came: this grades that page, not the API`)
  if (findings.length === 0) lines.push('', 'nothing was found')
  for (const found of findings) {
    const where = [...new Set(found.seenOn.map(({ context }) => context))].join(', ')
    lines.push(
      '',
      `${found.severity.toUpperCase()} ${found.id}: ${found.meaning}`,
      `  seen    ${found.detail} (${found.seenOn.length === 1 ? found.seenOn[0]!.request : `${found.seenOn.length} answers`}: ${where})`,
      `  mend    ${found.mend}`,
      `  try     ${found.curl}`,
      ...(found.standards.length === 0 ? [] : [`  about   ${found.standards.join(', ')}`]),
    )
  }
  for (const { request, because } of notAnswered) lines.push('', `not answered: ${request} (${because})`)
  return lines.join('\n')
}
