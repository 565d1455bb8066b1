// What every SARIF log of ours says of the kinds of findings in it (SARIF 2.1.0, OASIS).

import { findingKind, type Severity } from './findings.ts'

/** The level of a result. */
export const LEVEL: Readonly<Record<Severity, 'note' | 'warning' | 'error'>> = {
  info: 'note',
  low: 'note',
  medium: 'warning',
  high: 'error',
  critical: 'error',
}

// What GitHub sorts by; 0.1 to 10.
const SCORE: Readonly<Record<Severity, string>> = {
  info: '1.0',
  low: '3.0',
  medium: '5.5',
  high: '8.0',
  critical: '9.5',
}

/** The rules of a log: one for each id, in the order of `ids`. */
export function sarifRules(ids: readonly string[]): readonly unknown[] {
  return ids.map((id) => {
    const kind = findingKind(id)
    return {
      id,
      shortDescription: { text: kind.meaning },
      defaultConfiguration: { level: LEVEL[kind.severity] },
      properties: { 'security-severity': SCORE[kind.severity], tags: ['security', ...kind.standards] },
    }
  })
}
