// The catalogue of error codes as Markdown, for the reference docs: the same words as on the problem pages.

import { catalogue, type ErrorCode } from './catalogue.ts'
import { RETRY } from './page.ts'
import { PROBLEM_BASE } from './problem-document.ts'

/** A table of all codes, then one section for each. */
export function errorsMarkdown(): string {
  const codes = Object.keys(catalogue) as ErrorCode[]
  const rows = codes.map(
    (code) => `| [\`${code}\`](#${code}) | ${catalogue[code].status} | ${cell(catalogue[code].title)} |`,
  )
  const sections = codes.map((code) => {
    const { title, status, cause, mend, retry } = catalogue[code]
    return [
      `## ${code}`,
      `**${title}** (status ${status}, type \`${PROBLEM_BASE}${code}\`)`,
      `Cause: ${cause}`,
      `What to do: ${mend}`,
      `Safe to send again? ${RETRY[retry]}`,
    ].join('\n\n')
  })
  return `${['| code | status | title |', '|---|---|---|', ...rows].join('\n')}\n\n${sections.join('\n\n')}\n`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
