// The posture as Markdown (CommonMark with tables), for wikis and reviews.

import type { Entry } from '../../guard/control.ts'
import type { Posture, PostureSection } from './model.ts'
import { isLeftOut, leadWords, modeWords, scopeOf, shortDigest, verificationWords } from './words.ts'

/** The whole page. */
export function postureMarkdown(posture: Posture): string {
  const { cells, sections, standards, commands, acceptedWeaknesses, changes } = posture
  return [
    `# ${inline(posture.name)}: security posture`,
    leadWords(posture),
    [
      ...(posture.version === undefined ? [] : [`- Version of the policy: ${inline(posture.version)}`]),
      `- Digest of the policy: ${code(posture.policyDigest)}`,
      `- Written: ${posture.generatedAt}`,
      `- Last verification: ${inline(verificationWords(posture))}`,
    ].join('\n'),
    '## Routes, data and caching',
    table(
      ['Route', 'Data', 'Credentials', 'Cache-Control'],
      cells.map((cell) => [
        `${code(cell.id)}${cell.meaning === '' ? '' : ` ${inline(cell.meaning)}`}`,
        cell.data,
        cell.credentials,
        code(cell.cacheControl),
      ]),
    ),
    ...sections.flatMap(controlPart),
    '## What we don’t set',
    table(
      ['Header', 'Why not', 'Where'],
      sections
        .flatMap(({ entries }) => entries.filter(isLeftOut))
        .map((entry) => [code(entry.name), inline(entry.why), inline(scopeOf(entry))]),
    ),
    ...(acceptedWeaknesses
      ? [
          '## Accepted weaknesses',
          acceptedWeaknesses.length === 0
            ? 'None.'
            : table(
                ['What', 'Reason', 'Owner', 'Until', 'Fingerprint'],
                acceptedWeaknesses.map((each) => [
                  inline(each.what),
                  inline(each.reason),
                  inline(each.owner),
                  inline(each.expires),
                  code(each.fingerprint),
                ]),
              ),
        ]
      : []),
    '## Verify it yourself',
    ...commands.map(
      ({ command, shows }) => `${shows.map(({ claim }) => inline(claim)).join('; ')}:\n\n${fence(command)}`,
    ),
    '## Standards',
    'Each control supports these requirements; whether they are met depends on more than an API.',
    table(
      ['Framework', 'Control', 'Supports'],
      standards.map((row) => [row.framework, inline(row.control), row.requirements.join(', ')]),
    ),
    '## Register of controls',
    table(
      ['Id', 'Control', 'Status', 'Since'],
      sections.map((section) => [
        code(section.id),
        inline(section.title),
        inline(section.modes.map(modeWords).join(', ')),
        section.since,
      ]),
    ),
    ...(changes
      ? [
          '## Changes',
          changes.length === 0
            ? 'None is recorded.'
            : table(
                ['When', 'Verdict', 'What', 'Policy'],
                changes.map((change) => [
                  change.at,
                  inline(change.verdict),
                  inline(change.changes.join('; ')),
                  code(shortDigest(change.to)),
                ]),
              ),
        ]
      : []),
  ]
    .join('\n\n')
    .concat('\n')
}

function controlPart(section: PostureSection): readonly string[] {
  const entries = section.entries.filter((entry: Entry) => !isLeftOut(entry))
  return [
    `## ${inline(section.title)}`,
    `${section.id} · since ${section.since} · ${inline(section.modes.map(modeWords).join(', '))}`,
    ...(section.notObservable === undefined
      ? []
      : [`Not observable from outside: ${inline(section.notObservable)}`]),
    entries.length === 0
      ? 'Nothing is declared.'
      : table(
          ['What', 'Value', 'Why', 'Where'],
          entries.map((entry) => [
            inline(entry.name),
            code(entry.value),
            inline(entry.why),
            inline(scopeOf(entry)),
          ]),
        ),
    ...(section.limits.length === 0
      ? []
      : [`What this does not do:\n\n${section.limits.map((limit) => `- ${inline(limit)}`).join('\n')}`]),
  ]
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}

// Everything that Markdown or HTML in it could read as its own.
function inline(text: string): string {
  return text.replace(/[\\`*_[\]<>#&]/g, (character) => `\\${character}`).replace(/\s+/g, ' ')
}

// CommonMark, section 6.1: the fence is longer than any run of backticks within.
function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const mark = '`'.repeat(longest + 1)
  const pad = longest > 0 ? ' ' : ''
  return `${mark}${pad}${text.replace(/\s+/g, ' ')}${pad}${mark}`
}

function fence(text: string): string {
  return `\`\`\`\`sh\n${text}\n\`\`\`\``
}
