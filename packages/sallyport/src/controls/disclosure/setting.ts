// `disclosure`: how a vulnerability is reported, and what the reporter may expect.

import { MODES } from '../../guard/control.ts'
import type { Schema } from '../../policy/schema.ts'
import {
  either,
  flag,
  type Infer,
  integer,
  list,
  not,
  object,
  oneOf,
  problem,
  text,
} from '../../policy/schema.ts'

/** Where the posture page stands, and the same as data. */
export const POSTURE_PATH = '/.well-known/posture'
export const POSTURE_JSON_PATH = '/.well-known/api-posture.json'
/** The same for reviewers, by a signed link. */
export const REVIEWER_PATH = '/.well-known/posture/reviewer'
export const REVIEWER_JSON_PATH = '/.well-known/posture/reviewer/api-posture.json'
/** Where the other pages stand. */
export const SECURITY_TXT_PATH = '/.well-known/security.txt'
/** RFC 9116, section 3: the place before the RFC; it leads to the one above. */
export const LEGACY_PATH = '/security.txt'
export const PGP_KEY_PATH = '/.well-known/pgp-key.txt'
export const POLICY_PAGE_PATH = '/.well-known/vulnerability-disclosure'

const contact = text(
  {
    pattern: /^(?:mailto:|https:\/\/|tel:)[\x21-\x7e]+$/,
    expected: 'a URI with mailto:, https: or tel: (RFC 9116, section 2.5.3)',
    mend: 'write one such as "mailto:security@example.com"',
  },
  'A URI with mailto:, https: or tel:.',
)

const https = text(
  {
    pattern: /^https:\/\/[\x21-\x7e]+$/,
    expected: 'an https: URL',
    mend: 'write one such as "https://example.com/security"',
  },
  'An https: URL.',
)

const line = text(
  {
    max: 500,
    pattern: /^[^\p{Cc}]+$/u,
    expected: 'a text of one line',
    mend: 'write it in one line of at most 500 characters',
  },
  'A text of one line.',
)

const paragraphs = (doc: string) =>
  text(
    {
      max: 8000,
      pattern: /^(?:[^\p{Cc}]|[\t\n])+$/u,
      expected: 'a text without control characters',
      mend: 'write plain text; an empty line starts a new paragraph',
    },
    doc,
  )

const securityTxt = object(
  {
    contact: list(contact, 'Where to report, the preferred one first.', { max: 20 }),
    expires: text(
      {
        max: 40,
        expected: 'a date and time of RFC 3339',
        mend: 'write one such as "2027-01-31T00:00:00Z"',
      },
      'When this file is no longer to be believed: a date and time of RFC 3339, within a year.',
    ),
    encryption: list(
      text(
        {
          pattern: /^(?:https:\/\/|dns:|openpgp4fpr:)[\x21-\x7e]+$/,
          expected: 'a URI with https:, dns: or openpgp4fpr: (RFC 9116, section 2.5.4)',
          mend: 'write one such as "https://example.com/pgp-key.txt"',
        },
        'A URI with https:, dns: or openpgp4fpr:.',
      ),
      'Where the key for reports is; derived from canonical and pgpKey where nothing is said.',
      { max: 20 },
    ),
    acknowledgments: list(https, 'Pages that thank reporters.', { max: 20 }),
    preferredLanguages: list(
      text(
        {
          max: 35,
          pattern: /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*$/,
          expected: 'a language tag (RFC 5646)',
          mend: 'write one such as "en"',
        },
        'A language tag.',
      ),
      'The languages that reports are read in.',
      { max: 20 },
    ),
    canonical: list(https, 'The URLs of this file.', { max: 20 }),
    policy: list(
      https,
      'The disclosure policy; derived from canonical and policyPage where nothing is said.',
      { max: 20 },
    ),
    hiring: list(https, 'Pages of security jobs.', { max: 20 }),
    csaf: list(https, 'The provider metadata of CSAF advisories.', { max: 20 }),
    signed: paragraphsOrCrLf(
      'The whole file as an OpenPGP clear-signed text, served as it is; it must hold the same fields.',
    ),
  },
  'The file /.well-known/security.txt (RFC 9116).',
)

function paragraphsOrCrLf(doc: string): Schema<string> {
  return text(
    {
      max: 32_768,
      pattern: /^(?:[^\p{Cc}]|[\t\r\n])+$/u,
      expected: 'a clear-signed text',
      mend: 'paste the output of gpg --clear-sign',
    },
    doc,
  )
}

// A key's text is not shown in errors: the wrong one of the pair may have been pasted.
const pgpKey: Schema<string> = {
  json: { type: 'string', maxLength: 65_536, description: 'The public key for reports, ASCII-armoured.' },
  check(value, path, report) {
    const mend = 'paste the output of gpg --armor --export'
    if (typeof value !== 'string' || value.length > 65_536)
      report(problem(path, 'type', 'expected an ASCII-armoured OpenPGP public key', undefined, mend))
    else if (value.includes('PRIVATE KEY'))
      report(problem(path, 'insecure', 'this is a private key: it would be published', undefined, mend))
    else if (!isArmouredKey(value))
      report(problem(path, 'value', 'expected an ASCII-armoured OpenPGP public key', undefined, mend))
  },
}

// RFC 9580, section 6.2.
function isArmouredKey(value: string): boolean {
  const trimmed = value.trim()
  return (
    trimmed.startsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----') &&
    trimmed.endsWith('-----END PGP PUBLIC KEY BLOCK-----') &&
    /^[\x20-\x7e\r\n]*$/.test(trimmed)
  )
}

const money = (doc: string) => integer({ min: 0, max: 1_000_000_000, example: 500 }, doc)

const bounty = object(
  {
    currency: text(
      {
        max: 3,
        pattern: /^[A-Z]{3}$/,
        expected: 'a currency code of ISO 4217',
        mend: 'write one such as "EUR"',
      },
      'The currency (ISO 4217).',
    ),
    min: money('The least that a valid report is paid, in whole units.'),
    max: money('The most, in whole units.'),
  },
  'The range of rewards.',
)

const hours = (example: number, doc: string) => integer({ min: 1, max: 8760, example }, doc)

const policyPage = object(
  {
    contact: list(contact, 'Where to report; those of securityTxt where nothing is said.', { max: 20 }),
    scope: list(line, 'What may be tested.', { max: 100 }),
    outOfScope: list(line, 'What may not be tested, or is not a finding.', { max: 100 }),
    safeHarbour: paragraphs('What a reporter in good faith need not fear.'),
    bounty: either([not('No reward.'), bounty], 'The range of rewards.'),
    acknowledgeHours: hours(24, 'Within how many hours a report is acknowledged; 24 where nothing is said.'),
    fixHours: hours(
      72,
      'Within how many hours a confirmed vulnerability is fixed; 72 where nothing is said.',
    ),
    credit: flag('Reporters are named in public if they wish; so it is where nothing is said.'),
  },
  'The disclosure policy, served as a page.',
)

export const disclosureSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    securityTxt: either(
      [not('No security.txt.'), securityTxt],
      'The file /.well-known/security.txt (RFC 9116).',
    ),
    pgpKey: either(
      [not('No key.'), pgpKey],
      'The public key for reports, served at /.well-known/pgp-key.txt.',
    ),
    posture: either(
      [
        not('The page is not published.'),
        oneOf(
          ['public', 'reviewer'],
          'For everybody, without the parts that are for reviewers; or for holders of a signed link alone.',
        ),
      ],
      'The posture page, served at /.well-known/posture and, as data, at /.well-known/api-posture.json.',
    ),
    policyPage: either(
      [not('No page.'), policyPage],
      'The disclosure policy, served at /.well-known/vulnerability-disclosure.',
    ),
  },
  'Vulnerability disclosure.',
)

export type DisclosureSetting = Infer<typeof disclosureSchema>
export type SecurityTxtSetting = Infer<typeof securityTxt>
export type PolicyPageSetting = Infer<typeof policyPage>
export type BountySetting = Infer<typeof bounty>

/** What holds on the page where the policy says nothing. */
export const ACKNOWLEDGE_HOURS = 24
export const FIX_HOURS = 72

/** The addresses to report to. */
export function contactsOf(setting: DisclosureSetting): readonly string[] {
  const page = setting.policyPage || undefined
  const file = setting.securityTxt || undefined
  return page?.contact ?? file?.contact ?? []
}
