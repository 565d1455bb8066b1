// The explanation for a terminal.

import { show } from '../../policy/problem.ts'
import type { Explanation } from './explain.ts'
import type { DecidingRule } from './rules.ts'
import type { Step } from './steps.ts'

/** The explanation as lines of text. */
export function explanationText(explanation: Explanation): string {
  const { request, cell, steps, lines, removed, otherModes } = explanation
  return [
    `${request.method} ${request.target}${request.preflight ? `, a preflight for ${request.judgedAs}` : ''}`,
    '',
    `Cell ${cell.id}: ${cell.data} data, credentials ${cell.credentials}`,
    `  ${cell.why}`,
    ...cell.over.map(({ pattern, why }) => `  not ${pattern}: ${why}`),
    '',
    'Controls, in order',
    ...table(steps.map((step) => [step.control, decision(step), step.because])).flatMap((line, index) => [
      line,
      ...steps[index]!.rules.map((rule) => `      ${ruleText(rule)}`),
    ]),
    '',
    outcomeText(explanation),
    '',
    `Lines of the answer (besides Date, Content-Length and Connection of the server)`,
    ...lines.flatMap(({ name, value, control, rules }) => [
      `  ${name}: ${value}`,
      `      by ${control}${rules.length === 0 ? '' : `: ${rules.map(ruleText).join('; ')}`}`,
    ]),
    ...(removed.length === 0
      ? []
      : [
          '',
          'Removed from what the application said',
          ...removed.flatMap(({ name, control, rules }) => [
            `  ${name}`,
            `      by ${control}${rules.length === 0 ? '' : `: ${rules.map(ruleText).join('; ')}`}`,
          ]),
        ]),
    ...(otherModes.length === 0
      ? []
      : [
          '',
          'In another mode',
          ...otherModes.flatMap(({ control, mode, changes }) => [
            `  ${control}: { mode: "${mode}" }`,
            ...changes.map((change) => `      ${change}`),
          ]),
        ]),
  ].join('\n')
}

const WORDS: Readonly<Record<Step['decision'], string>> = {
  pass: 'passes',
  deny: 'REFUSES',
  answer: 'ANSWERS',
  'would-deny': 'would refuse',
  'would-answer': 'would answer',
  off: 'off',
  'not-asked': 'not asked',
}

function decision({ decision: made, code }: Step): string {
  return code === undefined ? WORDS[made] : `${WORDS[made]} ${code}`
}

function ruleText({ setting, value, written }: DecidingRule): string {
  return `${setting} = ${show(value)} (${written})`
}

function outcomeText({ outcome }: Explanation): string {
  const { by, status, code, control, bodyReplaced, cookiesIgnored } = outcome
  if (by === 'guard')
    return `The guard answers: ${status}${code === undefined ? '' : ` ${code}`}${control === undefined ? '' : `, by ${control}`}`
  return `The application answers (here with ${status})${cookiesIgnored ? ', and sees no cookies' : ''}${bodyReplaced ? '; its body is replaced by a problem document' : ''}`
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = [0, 1].map((at) => Math.max(...rows.map((row) => row[at]!.length)))
  return rows.map(([a = '', b = '', c = '']) => `  ${a.padEnd(widths[0]!)}  ${b.padEnd(widths[1]!)}  ${c}`)
}
