// The rules of security.txt (RFC 9116) that a machine can check, of any text: what breaks one, and what is only advised.

import { parseDateTime } from '../controls/disclosure/expiry.ts'
import { parseSecurityTxt, valuesOf } from '../controls/disclosure/security-txt.ts'

/** What a check came to; one sentence each. */
export interface SecurityTxtReport {
  readonly failures: readonly string[]
  readonly notes: readonly string[]
  /** True where the text has the form of a clear-signed one; the signature is another matter. */
  readonly signed: boolean
}

const DAY_MS = 86_400_000
const SOON_DAYS = 30
const LONG_DAYS = 366
// Named once in a file (sections 2.5.5 and 2.5.8).
const ONCE = ['Expires', 'Preferred-Languages'] as const
// Their values are URIs, and those of the web must be https (section 2.5).
const URIS = ['Acknowledgments', 'Canonical', 'Contact', 'Encryption', 'Hiring', 'Policy', 'CSAF'] as const

/**
 * Checks a text.
 *
 * @param now milliseconds since the epoch
 * @param url where it was fetched from
 */
export function checkSecurityTxt(text: string, now: number, url?: string): SecurityTxtReport {
  const file = parseSecurityTxt(text)
  const failures: string[] = []
  const notes: string[] = []
  if (valuesOf(file, 'Contact').length === 0)
    failures.push('Contact: is missing; add Contact: mailto:security@example.com')
  for (const name of ONCE)
    if (valuesOf(file, name).length > 1) failures.push(`${name}: stands more than once; keep one line`)
  for (const name of URIS)
    for (const value of valuesOf(file, name))
      if (URL.parse(value) === null || /^http:/i.test(value))
        failures.push(`${name}: ${shown(value)} is no URI, or not https; write one with https: or mailto:`)
  checkExpires(valuesOf(file, 'Expires')[0], now, failures, notes)
  const canonical = valuesOf(file, 'Canonical')
  if (url !== undefined && canonical.length > 0 && !canonical.includes(url))
    failures.push(`Canonical: does not name ${url}, from where it came; add Canonical: ${url}`)
  if (file.signed && canonical.length === 0)
    failures.push(
      'Canonical: is missing, so the signed text could be served from anywhere; add Canonical: https://example.com/.well-known/security.txt',
    )
  if (!file.signed)
    notes.push('it is not signed, which RFC 9116 advises: sallyport posture security-txt --sign KEYID')
  return { failures, notes, signed: file.signed }
}

function checkExpires(value: string | undefined, now: number, failures: string[], notes: string[]): void {
  const mend = 'write a date within a year, such as 2027-01-31T00:00:00Z'
  if (value === undefined) {
    failures.push(`Expires: is missing; ${mend}`)
    return
  }
  const at = parseDateTime(value)
  if (at === undefined) failures.push(`Expires: ${shown(value)} is no date and time of RFC 3339; ${mend}`)
  else if (at <= now) failures.push(`Expires: ended at ${value}; ${mend}`)
  else if (at - now < SOON_DAYS * DAY_MS) notes.push(`it expires in ${Math.floor((at - now) / DAY_MS)} days`)
  else if (at - now > LONG_DAYS * DAY_MS)
    notes.push('it expires in more than a year, and RFC 9116 advises less')
}

function shown(value: string): string {
  return JSON.stringify(value.slice(0, 100))
}
