// How `audit` stands on the posture page: that there is a log and that it can prove itself is for everybody; what is
// done at which risk is for reviewers.

import { ACTIONS } from '../../audit/actions.ts'
import { KINDS, WINDOW_SECONDS } from '../../audit/gathering.ts'
import { RISK_LEVELS } from '../../audit/risk.ts'
import { PATTERN_WORDS, PATTERNS } from '../../audit/signals.ts'
import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Section } from '../../guard/control.ts'
import { AUDIT_ACTIONS } from '../../ports/audit.ts'
import { type AuditSetting, type FullAudit, fullAudit, routeEvent } from './setting.ts'

export function describeAudit(cells: readonly Resolved<AuditSetting>[]): Section {
  // It holds for the whole policy, so every cell says the same.
  const full = cells[0] && fullAudit(cells[0].setting)
  return {
    control: 'audit',
    id: 'SP-AUDIT-01',
    title: 'Audit log',
    entries: full ? [...entries(full), ...eventEntries(cells)] : [],
    limits: full?.record
      ? [
          'Whoever has the signing key and the database and every copy of the checkpoints outside can write another history: keep copies of the checkpoints where the operators of the database have no access.',
          `Of refusals of one kind the first are entries, the rest of ${WINDOW_SECONDS} s one entry with their number; beyond ${KINDS} kinds in that time, without their callers. Refused and exposed keys and refused guesses are an entry each.`,
          'The risk is known to each process by itself; a process that starts knows nothing of what was held against anybody before.',
        ]
      : ['No event is kept: after an incident nobody can say who did what.'],
  }
}

function entries(full: FullAudit): readonly Entry[] {
  return [
    ...(full.record ? logEntries(full) : []),
    {
      name: 'Signals of risk',
      value: Object.entries(full.signals)
        .map(([action, { weight, halfLifeSeconds }]) => `${action} ${weight} (half in ${halfLifeSeconds} s)`)
        .join(', '),
      why: 'Each event counts against whoever did it and fades. The score is the largest, and of each further one less; it stands in the log with all that it is made of.',
      cells: [],
      audience: 'reviewer',
    },
    ...patternEntries(full),
    ...RISK_LEVELS.filter((level) => full.acts[level].length > 0).map(
      (level): Entry => ({
        name: `At risk "${level}"`,
        value: full.acts[level]
          .map((act) => (act === 'lock' ? `lock for ${full.lockSeconds} s` : act))
          .join(', '),
        why: 'What the levels below do is done as well.',
        cells: [],
        audience: 'reviewer',
      }),
    ),
  ]
}

function patternEntries({ signals }: FullAudit): readonly Entry[] {
  const counted = PATTERNS.filter((each) => signals[each] !== undefined)
  if (counted.length === 0) return []
  return [
    {
      name: 'Patterns',
      value: counted.map((each) => `${each}: ${PATTERN_WORDS[each]}`).join('; '),
      why: 'What several events together say, which none of them says alone: each is a signal of its own, once in its window.',
      cells: [],
      audience: 'reviewer',
    },
  ]
}

function eventEntries(cells: readonly Resolved<AuditSetting>[]): readonly Entry[] {
  const byValue = new Map<string, string[]>()
  for (const { cell, setting } of cells) {
    const event = routeEvent(setting)
    if (!event) continue
    const value = `${ACTIONS[event.action].title}, where the application answers ${event.on.join(', ')}`
    byValue.set(value, [...(byValue.get(value) ?? []), cell.id])
  }
  return [...byValue].map(([value, ids]) => ({
    name: 'Told by an answer',
    value,
    why: 'Only the application knows it.',
    cells: ids,
    audience: 'reviewer',
  }))
}

function logEntries({ retentionDays }: FullAudit): readonly Entry[] {
  return [
    {
      name: 'What is kept',
      value: AUDIT_ACTIONS.map((action) => ACTIONS[action].title).join('; '),
      why: 'Each as an event of OCSF with who, what, when, from where and with which outcome; never a password, a key, a code or a cookie.',
      cells: [],
    },
    {
      name: 'That nothing was changed',
      value:
        'a Merkle tree (RFC 6962) over all entries, signed each second (Ed25519, C2SP checkpoints), the last checkpoint outside the database',
      why: 'One entry can be proved to a customer, and a log that was edited, cut or rolled back contradicts what was signed before.',
      cells: [],
    },
    { name: 'How long', value: `${retentionDays} days`, why: 'Proofs are kept for good.', cells: [] },
  ]
}
