// An event as the log keeps it: an object of OCSF 1.3.0 in canonical JSON, made of nothing but known fields, each cut to
// its length and free of control characters. These bytes are what the tree hashes.

import { createHmac } from 'node:crypto'
import { canonicalJson } from '../policy/digest.ts'
import type { AuditEvent } from '../ports/audit.ts'
import { ACTIONS } from './actions.ts'
import type { Risk, RiskLevel } from './risk.ts'

/** An event of the log. */
export interface AuditEntry {
  /** Its place in the log, from 0. */
  readonly index: number
  /** The place of the same organisation's event before, so that nobody can be given a log with a gap. */
  readonly previous?: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly event: AuditEvent
  readonly risk?: Risk
  /** Names it, so that nobody counts it twice. */
  readonly uid: string
  /** In place of the event's personal facts: what each is with its salt, as `personalDigest` gives it. */
  readonly personal?: Readonly<Record<string, string>>
}

/** What stands in the log for a fact of a person: nothing can be told of it once its salt is forgotten. */
export function personalDigest(salt: Uint8Array, value: string): string {
  return createHmac('sha256', salt).update(value).digest('base64url')
}

/** So much a single entry may have; bytes. */
export const MAX_ENTRY_BYTES = 16_384

const OCSF_VERSION = '1.3.0'
const MAX_TEXT = 256
const MAX_DETAILS = 16

const LEVEL_ID: Readonly<Record<RiskLevel, number>> = { info: 0, low: 1, medium: 2, high: 3, critical: 4 }

// Control characters (line ends, escape sequences), separators that JavaScript and terminals take for line ends,
// characters that turn the direction of text, and halves of pairs.
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\p{Cs}]/gu

/** A caller's text as it may stand in a log: in one line, at most 256 characters. */
function plainText(value: string, max: number = MAX_TEXT): string {
  const cut = value.length > max ? `${value.slice(0, max - 1)}…` : value
  return cut.replace(UNSAFE, '\ufffd')
}

function detailsOf(details: AuditEvent['details']): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(details ?? {})
      .slice(0, MAX_DETAILS)
      .filter(([, value]) => typeof value !== 'number' || Number.isFinite(value))
      .map(([name, value]) => [plainText(name, 64), typeof value === 'string' ? plainText(value) : value]),
  )
}

const text = (value: string | undefined) => (value === undefined ? undefined : plainText(value))

/** The OCSF object of an entry. */
export function ocsfOf({
  index,
  previous,
  at,
  event,
  risk,
  uid,
  personal,
}: AuditEntry): Record<string, unknown> {
  const { title, classUid, activityId, severityId, owasp } = ACTIONS[event.action]
  const details = detailsOf(event.details)
  // Members in the order of RFC 8785 (section 3.2.3), so that nothing has to be sorted when the entry is written.
  return {
    ...(event.outcome === 'denied' ? { action_id: 2 } : {}),
    activity_id: activityId,
    ...(event.actor === undefined && event.credential === undefined
      ? {}
      : { actor: { user: { credential_uid: text(event.credential), uid: text(event.actor) } } }),
    category_uid: Math.floor(classUid / 1_000),
    class_uid: classUid,
    ...(event.outcome === 'denied' ? { disposition_id: 2 } : {}),
    message: title,
    metadata: {
      ...(event.requestId === undefined ? {} : { correlation_uid: plainText(event.requestId) }),
      event_code: event.action,
      product: { name: 'Sallyport', vendor_name: 'Sallyport' },
      sequence: index,
      ...(event.organisation === undefined ? {} : { tenant_uid: plainText(event.organisation) }),
      uid,
      version: OCSF_VERSION,
    },
    ...(event.target === undefined ? {} : { resource: { uid: text(event.target) } }),
    ...(risk === undefined
      ? {}
      : {
          risk_details: risk.contributions
            .map(({ signal, points, ageSeconds }) => `${signal} ${points} (${ageSeconds} s)`)
            .join(', '),
          risk_level_id: LEVEL_ID[risk.level],
          risk_score: risk.score,
        }),
    severity_id: severityId,
    ...(event.address === undefined ? {} : { src_endpoint: { ip: text(event.address) } }),
    ...(event.code === undefined ? {} : { status_code: text(event.code) }),
    status_id: event.outcome === 'success' ? 1 : 2,
    time: at,
    type_uid: classUid * 100 + activityId,
    unmapped: {
      ...(event.cell === undefined ? {} : { cell: text(event.cell) }),
      ...(event.control === undefined ? {} : { control: text(event.control) }),
      ...(Object.keys(details).length === 0 ? {} : { details }),
      owasp,
      ...(personal === undefined ? {} : { personal }),
      ...(previous === undefined ? {} : { previous }),
      ...(risk === undefined ? {} : { risk_subject: plainText(risk.subject) }),
    },
  }
}

// Two objects hold names of others: sorted here, but for names that are numbers, which engines put first.
function canonical(entry: AuditEntry): string {
  const object = ocsfOf(entry)
  const unmapped = object['unmapped'] as Record<string, unknown>
  for (const field of ['details', 'personal']) {
    const members = unmapped[field]
    if (members === undefined) continue
    const names = Object.keys(members as object)
    if (names.some((name) => /^\d/.test(name))) return canonicalJson(object)
    if (names.length > 1)
      unmapped[field] = Object.fromEntries(
        Object.entries(members as object).sort(([a], [b]) => (a < b ? -1 : 1)),
      )
  }
  return JSON.stringify(object)
}

/** The bytes that the log keeps and hashes. */
export function entryBytes(entry: AuditEntry): Buffer {
  const whole = Buffer.from(canonical(entry))
  if (whole.length <= MAX_ENTRY_BYTES) return whole
  // Sixteen details of 256 characters of four bytes each can be too many; the event itself never is.
  const { details: _details, ...rest } = entry.event
  return Buffer.from(canonical({ ...entry, event: { ...rest, details: { cut: true } } }))
}
