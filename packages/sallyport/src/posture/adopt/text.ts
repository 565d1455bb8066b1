// The adoption for a person: what was taken over, the proof, and the steps as a table with the lines to write.

import type { PolicyDocument } from '../../guard/policy.ts'
import type { Adoption } from './adopt.ts'
import { written } from './steps.ts'

/** The report. */
export function adoptionText(adoption: Adoption): string {
  const { taken, left, steps, notes } = adoption
  return [
    taken.length === 0
      ? 'No header is the same everywhere, so the policy sets none yet.'
      : `Taken over: ${taken.join(', ')}.`,
    ...left.map(({ header, because }) => `Left to the application: ${header} (${because}).`),
    ...notes.map((note) => `note: ${note}`),
    '',
    ...proofLines(adoption),
    '',
    steps.length === 0 ? 'This is "recommended" already.' : 'Steps to "recommended", the most worth first:',
    ...steps.flatMap(({ worth, setting, what, snippet, breaks }, index) => [
      '',
      `${String(index + 1).padStart(2)}. ${worth.toUpperCase().padEnd(6)}  ${setting}: ${what}`,
      `            write:  ${snippet}`,
      ...breaks.map((each, at) => `            ${at === 0 ? 'breaks:' : '       '} ${each}`),
    ]),
  ].join('\n')
}

function proofLines({ proof, taken }: Adoption): readonly string[] {
  if (proof === undefined)
    return [
      taken.length === 0
        ? 'It changes nothing, since no control acts.'
        : 'Not proved: nothing runs here to ask. Prove it with: sallyport verify URL --place node',
    ]
  if (proof.changes.length > 0)
    return [
      `It would change what is answered now: ${proof.passed} of ${proof.of} probes hold.`,
      ...proof.changes.map(
        ({ id, class: where, cell, detail }) => `  ${id} in ${where} of ${cell}: ${detail}`,
      ),
    ]
  return [
    `Proved: none of ${proof.of} probes finds a change in what the application answers.`,
    ...(proof.gains.length === 0
      ? []
      : [
          'These answers, which no middleware reaches today, get headers that they lack:',
          ...proof.gains.map(({ classes, headers }) => `  ${classes.join(', ')}: ${headers.join(', ')}`),
        ]),
  ]
}

/** The policy as a TypeScript file, with the numbers of limits that wait for their control. */
export function adoptedTypescript({ policy, steps }: Adoption): string {
  const comments = steps
    .filter(({ snippet }) => snippet.startsWith('//'))
    .map(({ snippet }) => `  ${snippet}`)
  return [
    '// What this API answered before it had a policy, as a policy: it changes nothing. The steps from here are printed by',
    '// "sallyport adopt"; take one at a time, and run "sallyport verify" after each.',
    '',
    "import { definePolicy } from 'sallyport'",
    '',
    'export default definePolicy({',
    ...Object.entries(policy).map(([control, setting]) => `  ${control}: ${settingText(setting)},`),
    ...comments,
    '})',
    '',
  ].join('\n')
}

function settingText(setting: unknown): string {
  const line = written(setting)
  if (line.length <= 90) return line
  const members = Object.entries(setting as PolicyDocument).map(
    ([key, value]) => `    ${key}: ${written(value)},`,
  )
  return `{\n${members.join('\n')}\n  }`
}
