import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'

/** Why a setting is refused; empty where it is not. */
function refusal(setting: unknown): string {
  try {
    resolvePolicy({ disclosure: setting } as PolicyDocument)
    return ''
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    return error.message
  }
}

const EXPIRES = '2027-01-31T00:00:00Z'
const CANONICAL = 'https://api.example.com/.well-known/security.txt'
const file = (more: object = {}) => ({
  securityTxt: { contact: ['mailto:security@example.com'], expires: EXPIRES, ...more },
})
const page = (more: object = {}) => ({ policyPage: { contact: ['mailto:security@example.com'], ...more } })
const signed = (...lines: string[]) =>
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${lines.join('\n')}\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n`
const CONTACT_RULE = 'expected a URI with mailto:, https: or tel: (RFC 9116, section 2.5.3)'
const CONTACT_MEND = 'write one such as "mailto:security@example.com"'
const AGAIN = 'sign the file again, or change the setting'
const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n'

describe('settings of disclosure that are refused', () => {
  const rows: readonly (readonly [why: string, setting: unknown, message: string])[] = [
    [
      'no contact and no date',
      { securityTxt: {} },
      `disclosure.securityTxt: contact is missing (RFC 9116, section 2.5); add contact: ["mailto:security@example.com"]
disclosure.securityTxt: expires is missing (RFC 9116, section 2.5); add expires: "${EXPIRES}"`,
    ],
    [
      'a bare mail address',
      file({ contact: ['security@example.com'] }),
      `disclosure.securityTxt.contact[0]: ${CONTACT_RULE}, received "security@example.com"; ${CONTACT_MEND}`,
    ],
    [
      'plain HTTP',
      file({ contact: ['http://example.com/report'] }),
      `disclosure.securityTxt.contact[0]: ${CONTACT_RULE}, received "http://example.com/report"; ${CONTACT_MEND}`,
    ],
    [
      'a line break in a value',
      file({ contact: ['mailto:a@example.com\nContact: mailto:evil@example.net'] }),
      `disclosure.securityTxt.contact[0]: ${CONTACT_RULE}, received "mailto:a@example.com\\nContact: mailto:evil@example.net"; ${CONTACT_MEND}`,
    ],
    [
      'a mail address that is none',
      file({ contact: ['mailto:security'] }),
      `disclosure.securityTxt.contact[0]: is not one mail address, received "mailto:security"; ${CONTACT_MEND}`,
    ],
    [
      'a telephone number without its country',
      file({ contact: ['tel:5550123'] }),
      'disclosure.securityTxt.contact[0]: is not a telephone number with its country, received "tel:5550123"; write one such as "tel:+1-201-555-0123"',
    ],
    [
      'a URL with a password',
      file({ contact: ['https://user:secret@example.com/'] }),
      'disclosure.securityTxt.contact[0]: holds a user name or a password, received "https://user:secret@example.com/"; leave what stands before the @ out',
    ],
    [
      'a URL that is none',
      file({ hiring: ['https://[example'] }),
      'disclosure.securityTxt.hiring[0]: is not a URL, received "https://[example"; write one such as "https://example.com/security"',
    ],
    [
      'a date of another format',
      file({ expires: 'next year' }),
      `disclosure.securityTxt.expires: is not a date and time of RFC 3339, received "next year"; write one such as "${EXPIRES}"`,
    ],
    [
      'a key by plain HTTP',
      file({ encryption: ['http://example.com/key'] }),
      'disclosure.securityTxt.encryption[0]: expected a URI with https:, dns: or openpgp4fpr: (RFC 9116, section 2.5.4), received "http://example.com/key"; write one such as "https://example.com/pgp-key.txt"',
    ],
    [
      'a short fingerprint',
      file({ encryption: ['openpgp4fpr:4B29100F'] }),
      'disclosure.securityTxt.encryption[0]: is not a fingerprint of 40 or 64 hexadecimal digits, received "openpgp4fpr:4B29100F"; write the whole fingerprint',
    ],
    [
      'a canonical URL of another path',
      file({ canonical: ['https://api.example.com/security.txt'] }),
      `disclosure.securityTxt.canonical[0]: does not end in /.well-known/security.txt, where the file stands, received "https://api.example.com/security.txt"; write "${CANONICAL}"`,
    ],
    [
      'a page that the file cannot name',
      { ...file(), ...page() },
      `disclosure.securityTxt.canonical: without it the file cannot name the full URL of its policy; add canonical: ["${CANONICAL}"]`,
    ],
    [
      'languages in one text',
      file({ preferredLanguages: ['en, fr'] }),
      'disclosure.securityTxt.preferredLanguages[0]: expected a language tag (RFC 5646), received "en, fr"; write one such as "en"',
    ],
    [
      'a signed text that is not signed',
      file({ canonical: [CANONICAL], signed: 'Contact: mailto:security@example.com' }),
      'disclosure.securityTxt.signed: is not an OpenPGP clear-signed text; paste the output of gpg --clear-sign',
    ],
    [
      'a signed text that lacks a field',
      file({
        canonical: [CANONICAL],
        signed: signed('Contact: mailto:security@example.com', `Canonical: ${CANONICAL}`),
      }),
      `disclosure.securityTxt.signed: lacks the field Expires: ${EXPIRES}; ${AGAIN}`,
    ],
    [
      'a signed text that says something else',
      file({
        canonical: [CANONICAL],
        signed: signed('Contact: mailto:other@example.com', `Canonical: ${CANONICAL}`, `Expires: ${EXPIRES}`),
      }),
      `disclosure.securityTxt.signed: says Contact: mailto:other@example.com, the setting mailto:security@example.com; ${AGAIN}`,
    ],
    [
      'a signed text with two dates and two lines of languages',
      file({
        canonical: [CANONICAL],
        signed: signed(
          'Contact: mailto:security@example.com',
          `Canonical: ${CANONICAL}`,
          `Expires: ${EXPIRES}`,
          'Expires: 2028-01-01T00:00:00Z',
          'Preferred-Languages: en',
          'Preferred-Languages: fr',
        ),
      }),
      `disclosure.securityTxt.signed: holds Expires more than once; ${AGAIN}
disclosure.securityTxt.signed: holds Preferred-Languages more than once; ${AGAIN}
disclosure.securityTxt.signed: says Expires: ${EXPIRES}, 2028-01-01T00:00:00Z, the setting ${EXPIRES}; ${AGAIN}`,
    ],
    [
      'a signed text without its own URL',
      file({ signed: signed('Contact: mailto:security@example.com', `Expires: ${EXPIRES}`) }),
      `disclosure.securityTxt.canonical: a signed file can be copied to another site unless it names its own URL; add canonical: ["${CANONICAL}"], and sign it`,
    ],
    [
      'a private key, which no error repeats',
      { pgpKey: KEY.replaceAll('PUBLIC', 'PRIVATE') },
      'disclosure.pgpKey: this is a private key: it would be published; paste the output of gpg --armor --export',
    ],
    [
      'a key that is none',
      { pgpKey: 'ssh-ed25519 AAAA' },
      'disclosure.pgpKey: expected an ASCII-armoured OpenPGP public key; paste the output of gpg --armor --export',
    ],
    [
      'a page without an address',
      { policyPage: {} },
      'disclosure.policyPage: there is no address to report to; add contact: ["mailto:security@example.com"], or securityTxt with one',
    ],
    [
      'rewards the wrong way round',
      page({ bounty: { currency: 'EUR', min: 500, max: 100 } }),
      'disclosure.policyPage.bounty: the least reward is higher than the most, received {"currency":"EUR","min":500,"max":100}; write min: 100, max: 500',
    ],
    [
      'half a reward',
      page({ bounty: { currency: 'EUR', max: 100 } }),
      'disclosure.policyPage.bounty: min is missing, received {"currency":"EUR","max":100}; write { currency: "EUR", min: 100, max: 5000 }',
    ],
    [
      'a currency by its sign',
      page({ bounty: { currency: '€', min: 1, max: 2 } }),
      'disclosure.policyPage.bounty.currency: expected a currency code of ISO 4217, received "€"; write one such as "EUR"',
    ],
    [
      'a fix before the acknowledgement',
      page({ fixHours: 12 }),
      'disclosure.policyPage.fixHours: is shorter than the 24 hours until a report is acknowledged, received 12; write a longer time, or a shorter acknowledgeHours',
    ],
  ]
  for (const [why, setting, message] of rows) it(why, () => assert.equal(refusal(setting), message))

  it('a date that is past loads: time must not take a running policy away', () => {
    assert.equal(refusal(file({ expires: '2001-01-01T00:00:00Z' })), '')
  })

  it('whole settings load', () => {
    assert.equal(refusal({}), '')
    assert.equal(refusal({ securityTxt: false, pgpKey: false, policyPage: false }), '')
    assert.equal(refusal(page({ bounty: false, safeHarbour: 'One.\n\nTwo.' })), '')
    assert.equal(
      refusal({
        ...file({
          contact: ['tel:+1-201-555-0123', 'mailto:a@example.com?subject=report'],
          canonical: [CANONICAL],
        }),
        pgpKey: KEY,
        policyPage: { bounty: { currency: 'USD', min: 100, max: 100 } },
      }),
      '',
    )
    const lines = ['Contact: mailto:security@example.com', `Canonical: ${CANONICAL}`, `Expires: ${EXPIRES}`]
    assert.equal(refusal(file({ canonical: [CANONICAL], signed: signed(...lines) })), '')
    assert.equal(
      refusal(file({ canonical: [CANONICAL], signed: signed(...lines).replaceAll('\n', '\r\n') })),
      '',
    )
  })
})
