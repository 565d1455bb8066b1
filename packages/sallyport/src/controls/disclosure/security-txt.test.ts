import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { disclosureWarnings, parseDateTime } from './expiry.ts'
import { parseSecurityTxt, securityTxtBody, valuesOf } from './security-txt.ts'
import type { DisclosureSetting, SecurityTxtSetting } from './setting.ts'

const file = (more: SecurityTxtSetting = {}): SecurityTxtSetting => ({
  contact: ['mailto:security@example.com'],
  expires: '2027-01-31T00:00:00Z',
  ...more,
})

describe('the text of security.txt', () => {
  it('D20 every field of RFC 9116 has its line, in the order of the policy', () => {
    const securityTxt = file({
      contact: [
        'mailto:security@example.com',
        'tel:+1-201-555-0123',
        'https://example.com/security-contact.html',
      ],
      encryption: ['openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f'],
      acknowledgments: ['https://example.com/hall-of-fame.html'],
      preferredLanguages: ['en', 'es', 'fr'],
      canonical: ['https://www.example.com/.well-known/security.txt'],
      policy: ['https://example.com/disclosure-policy.html'],
      hiring: ['https://example.com/jobs.html'],
      csaf: ['https://example.com/.well-known/csaf/provider-metadata.json'],
    })
    assert.equal(
      securityTxtBody({ securityTxt }, securityTxt),
      `Contact: mailto:security@example.com
Contact: tel:+1-201-555-0123
Contact: https://example.com/security-contact.html
Expires: 2027-01-31T00:00:00Z
Encryption: openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f
Acknowledgments: https://example.com/hall-of-fame.html
Preferred-Languages: en, es, fr
Canonical: https://www.example.com/.well-known/security.txt
Policy: https://example.com/disclosure-policy.html
Hiring: https://example.com/jobs.html
CSAF: https://example.com/.well-known/csaf/provider-metadata.json
`,
    )
  })

  it('D20 the key and the policy page that are served here are named by their full URLs', () => {
    const securityTxt = file({ canonical: ['https://api.example.com/.well-known/security.txt'] })
    const body = securityTxtBody({ securityTxt, pgpKey: 'a key', policyPage: {} }, securityTxt)
    assert.match(body, /^Encryption: https:\/\/api\.example\.com\/\.well-known\/pgp-key\.txt$/m)
    assert.match(body, /^Policy: https:\/\/api\.example\.com\/\.well-known\/vulnerability-disclosure$/m)
  })

  it('what is written is read back', () => {
    const uri = fc.webUrl().map((url) => url.replace(/^http:/, 'https:'))
    fc.assert(
      fc.property(fc.array(uri, { minLength: 1, maxLength: 5 }), (contact) => {
        const securityTxt = file({ contact })
        assert.deepEqual(
          valuesOf(parseSecurityTxt(securityTxtBody({ securityTxt }, securityTxt)), 'contact'),
          contact,
        )
      }),
    )
  })

  // RFC 9116, section 2.6, with a signature that is none.
  const SIGNED = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

# Canonical URI
Canonical: https://example.com/.well-known/security.txt

# Our security address
- -----dashed: yes
CONTACT: mailto:security@example.com
-----BEGIN PGP SIGNATURE-----
Version: GnuPG v2.2

[signature]
-----END PGP SIGNATURE-----
Contact: mailto:evil@example.net
`

  it('a signed text counts as far as it is signed, with its dashes unescaped', () => {
    for (const text of [SIGNED, SIGNED.replaceAll('\n', '\r\n')]) {
      const read = parseSecurityTxt(text)
      assert.equal(read.signed, true)
      assert.deepEqual(valuesOf(read, 'Contact'), ['mailto:security@example.com'])
      assert.deepEqual(valuesOf(read, '-----dashed'), ['yes'])
      assert.deepEqual(valuesOf(read, 'Version'), [])
    }
  })

  it('comments, empty lines and what is no field are passed over', () => {
    const read = parseSecurityTxt('# Contact: a\n\nnot a field\n: b\nContact:  mailto:a@b  \nX Y: z\n')
    assert.deepEqual(read, { fields: [['Contact', 'mailto:a@b']], signed: false })
  })

  it('reads any text without throwing', () => {
    const near = fc.array(fc.constantFrom(...SIGNED.split('\n'), '', '\r', ':'), { maxLength: 20 })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          near.map((lines) => lines.join('\n')),
        ),
        (text) => void parseSecurityTxt(text),
      ),
    )
  })
})

describe('dates of RFC 3339', () => {
  const rows: readonly (readonly [text: string, iso: string | undefined])[] = [
    // Section 5.8.
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.000Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1990-12-31T23:59:60Z', '1990-12-31T23:59:59.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.000Z'],
    // RFC 9116, section 2.5.5.
    ['2021-12-31T18:37:07z', '2021-12-31T18:37:07.000Z'],
    ['2024-02-29t00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['2023-02-29T00:00:00Z', undefined],
    ['2023-13-01T00:00:00Z', undefined],
    ['2023-00-01T00:00:00Z', undefined],
    ['2023-01-01T24:00:00Z', undefined],
    ['2023-01-01T00:60:00Z', undefined],
    ['2023-01-01T00:00:61Z', undefined],
    ['2023-01-01T00:00:00', undefined],
    ['2023-01-01T00:00:00+24:00', undefined],
    ['2023-01-01 00:00:00Z', undefined],
    ['2023-01-01', undefined],
    ['Thu, 31 Dec 2020 18:37:07 -0800', undefined],
    ['', undefined],
  ]
  for (const [text, iso] of rows)
    it(`${JSON.stringify(text)} is ${iso ?? 'none'}`, () => {
      const time = parseDateTime(text)
      assert.equal(time === undefined ? undefined : new Date(time).toISOString(), iso)
    })

  it('every time of a clock reads as itself', () => {
    const year9999 = 253_402_300_799_000
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800, max: year9999 / 1000 }), (seconds) => {
        assert.equal(parseDateTime(new Date(seconds * 1000).toISOString()), seconds * 1000)
      }),
    )
  })
})

describe('Expires against the clock', () => {
  const now = Date.parse('2026-06-01T00:00:00Z')
  const warned = (expires: string, more: DisclosureSetting = {}) =>
    disclosureWarnings({ securityTxt: file({ expires }), ...more }, now).map(({ message }) => message)

  it('past, near and far dates fail the check; a date within a year does not', () => {
    assert.deepEqual(warned('2026-05-31T23:59:59Z'), ['is past, so reporters no longer believe the file'])
    assert.deepEqual(warned('2026-06-01T00:00:00Z'), ['is past, so reporters no longer believe the file'])
    assert.deepEqual(warned('2026-06-02T00:00:00Z'), ['is only 1 day away'])
    assert.deepEqual(warned('2026-06-30T23:59:59Z'), ['is only 29 days away'])
    assert.deepEqual(warned('2026-07-01T00:00:00Z'), [])
    assert.deepEqual(warned('2027-06-01T00:00:00Z'), [])
    assert.deepEqual(warned('2028-06-01T00:00:00Z'), [
      'is 731 days away, so a stale file would be believed for long',
    ])
  })

  it('nothing is said where there is no file', () => {
    assert.deepEqual(disclosureWarnings({}, now), [])
    assert.deepEqual(disclosureWarnings({ securityTxt: false }, now), [])
    assert.deepEqual(warned('2020-01-01T00:00:00Z', { mode: 'off' }), [])
  })
})
