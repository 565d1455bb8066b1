// The words that the page and its Markdown share.

import type { Entry } from '../../guard/control.ts'
import type { ModeInCells, Posture } from './model.ts'

const MODE_WORDS = {
  enforce: 'enforced',
  report: 'counted, not enforced',
  off: 'off',
  unset: 'not set',
} as const

/** The first sentences: what is only counted somewhere is not said to be enforced. */
export function leadWords({ sections }: Posture): string {
  const modes = sections.flatMap((section) => section.modes.map(({ mode }) => mode))
  const counts = modes.includes('report')
  const isOff = modes.includes('off')
  const how =
    counts || isOff
      ? `Each value below is enforced as it stands here, save where its section says ${[...(counts ? ['"counted, not enforced"'] : []), ...(isOff ? ['"off"'] : [])].join(' or ')}.`
      : 'Every value below is enforced as it stands here.'
  return `Written by the policy that runs. ${how}`
}

/** True for what is deliberately not sent: it has a table of its own. */
export function isLeftOut({ value }: Entry): boolean {
  return value === 'never sent'
}

/** `everywhere`, or the routes. */
export function scopeOf({ cells }: Pick<Entry, 'cells'>): string {
  if (cells.length === 0) return 'everywhere'
  const shown = cells.slice(0, 12)
  const rest = cells.length - shown.length
  return rest === 0 ? shown.join(', ') : `${shown.join(', ')} and ${rest} more`
}

/** `enforced`, `off in /v1/status`. */
export function modeWords({ mode, cells }: ModeInCells): string {
  return cells.length === 0 ? MODE_WORDS[mode] : `${MODE_WORDS[mode]} in ${scopeOf({ cells })}`
}

const SOURCES = {
  live: '',
  har: '; of answers recorded in a HAR file, not asked of the deployment itself',
  captured: '; of answers recorded earlier, not asked of the deployment itself',
} as const

/** When a live deployment was last checked, and how that went. */
export function verificationWords({ lastVerification: last, policyDigest }: Posture): string {
  if (last === undefined) return 'none recorded'
  const at = last.at.replace('T', ' ').replace(/(?::\d\d)?(?:\.\d+)?Z$/, ' UTC')
  const result = `${last.passed} of ${last.of} probes passed, ${last.findings === 1 ? '1 finding' : `${last.findings} findings`}`
  const other = last.policyDigest === policyDigest ? '' : '; of another version of the policy'
  return `${at}, ${last.target}: ${result}${SOURCES[last.source ?? 'live']}${other}`
}

/** The first twelve digits of a digest. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}
