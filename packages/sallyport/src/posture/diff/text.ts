// A difference for a terminal and for the comment of a review.

import type { Strength } from '../../guard/control.ts'
import type { Gate } from './accepted.ts'
import type { DiffChange, PolicyDiff } from './diff.ts'

const VERDICT: Readonly<Record<Strength, string>> = {
  stronger: 'stronger: nothing is weaker',
  weaker: 'weaker: nothing is stronger',
  neutral: 'neutral: nothing changes what is kept',
  incomparable: 'incomparable: some is stronger, some is not',
}

/** The difference as lines of text. */
export function diffText({ verdict, changes, before, after }: PolicyDiff, gate: Gate): string {
  const lines = [`${short(before)} → ${short(after)}: ${VERDICT[verdict]}`]
  for (const change of changes) {
    const state = stateOf(change, gate)
    lines.push(
      '',
      `${change.strength.toUpperCase()} ${change.control}.${change.what}${change.id === '' ? '' : ` (${change.id})`}${state === '' ? '' : `: ${state}`}`,
      `  ${change.because}`,
      `  in ${places(change)}; for example ${change.example}`,
      ...(change.strength === 'weaker' || change.strength === 'incomparable'
        ? [`  fingerprint ${change.fingerprint}`]
        : []),
    )
  }
  return [...lines, ...remarks(gate)].join('\n')
}

function remarks(gate: Gate): readonly string[] {
  return [
    ...(gate.unused.length === 0
      ? []
      : [
          '',
          ...gate.unused.map(
            ({ fingerprint, what }) => `no longer needed in the accepted file: ${fingerprint} (${what})`,
          ),
        ]),
    ...(gate.blocking.length === 0
      ? []
      : [
          '',
          `accept one with: sallyport diff … --accept ${gate.blocking[0]!.fingerprint} --reason "…" --owner "…" --expires 2027-01-31`,
        ]),
  ]
}

/** The difference as Markdown. */
export function diffMarkdown({ verdict, changes, before, after }: PolicyDiff, gate: Gate): string {
  const head = `**Security policy:** ${VERDICT[verdict]} (\`${short(before)}\` → \`${short(after)}\`)`
  if (changes.length === 0) return `${head}\n`
  const cell = (text: string) => text.replace(/[|\\`*_<>[\]]/g, '\\$&')
  const rows = changes.map(
    (change) =>
      `| ${change.strength === 'weaker' ? '**weaker**' : change.strength} | ${cell(`${change.control}.${change.what}`)} | ${cell(change.because)} | ${cell(places(change))} | ${cell(stateOf(change, gate)) || (change.strength === 'weaker' || change.strength === 'incomparable' ? `\`${change.fingerprint}\`` : '')} |`,
  )
  return `${head}\n\n| | setting | what it means | where | |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}

function stateOf(change: DiffChange, gate: Gate): string {
  const accepted = gate.accepted.find((each) => each.change === change)
  if (accepted)
    return `accepted by ${accepted.entry.owner} until ${accepted.entry.expires} (${accepted.entry.reason})`
  const expired = gate.expired.find((each) => each.change === change)
  return expired ? `was accepted by ${expired.entry.owner} until ${expired.entry.expires}, which is over` : ''
}

function places({ cells, everywhere }: DiffChange): string {
  if (everywhere && cells.length > 1) return 'everywhere'
  const shown = cells.slice(0, 5).join(', ')
  return cells.length <= 5 ? shown : `${shown} and ${cells.length - 5} more`
}

function short(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
