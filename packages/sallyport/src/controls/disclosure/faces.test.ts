import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Observation } from '../../guard/control.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { pagesOf } from './enforce.ts'
import { probeDisclosure } from './faces.ts'
import { disclosure } from './index.ts'
import type { DisclosureSetting } from './setting.ts'

const FULL: DisclosureSetting = {
  securityTxt: {
    contact: ['mailto:security@example.com'],
    expires: '2027-01-31T00:00:00Z',
    canonical: ['https://api.example.com/.well-known/security.txt'],
  },
  pgpKey: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----',
  policyPage: {
    scope: ['api.example.com'],
    outOfScope: ['Denial of service'],
    safeHarbour: 'We do not sue.',
    bounty: { currency: 'EUR', min: 100, max: 5000 },
  },
}
const cellsOf = (setting: DisclosureSetting) =>
  resolvedFor<DisclosureSetting>(resolvePolicy({ disclosure: setting }), disclosure)

describe('describe', () => {
  it('D20 H22 address, key, page, times, reward and credit are on the page', () => {
    const section = disclosure.describe(cellsOf(FULL))
    assert.deepEqual(
      section.entries.map(({ name, value }) => `${name}: ${value}`),
      [
        'Report to: mailto:security@example.com',
        'security.txt: /.well-known/security.txt, valid until 2027-01-31T00:00:00Z',
        'OpenPGP key: /.well-known/pgp-key.txt',
        'Disclosure policy: /.well-known/vulnerability-disclosure',
        'Acknowledgement: within 24 hours',
        'Fix: within 72 hours',
        'Reward: EUR 100 to EUR 5,000',
        'Credit: by name, if the reporter wishes',
      ],
    )
  })

  it('without any of it the page says so', () => {
    assert.deepEqual(disclosure.describe(cellsOf({})).limits, [
      'No way to report a vulnerability is declared.',
    ])
  })
})

describe('probe', () => {
  const NOW = Date.parse('2026-06-01T00:00:00Z')

  /** What the probes find where one answer of a right server is changed. */
  function findings(path: string, change: (seen: Observation) => Partial<Observation>, now = NOW): string[] {
    return probeDisclosure(cellsOf(FULL), () => now).flatMap((probe) => {
      assert.ok('path' in probe.request)
      const page = pagesOf(FULL).get(probe.request.path)!
      const seen: Observation = {
        status: page.status,
        headers: page.headers.pairs,
        body: page.body,
        encrypted: true,
      }
      const changed = probe.request.path === path ? { ...seen, ...change(seen) } : seen
      return probe.expect(changed).map(({ id }) => id)
    })
  }
  const FILE = '/.well-known/security.txt'
  const PAGE = '/.well-known/vulnerability-disclosure'

  const rows: readonly (readonly [
    why: string,
    path: string,
    change: (seen: Observation) => Partial<Observation>,
    ids: string[],
  ])[] = [
    ['nothing', FILE, () => ({}), []],
    ['no file', FILE, () => ({ status: 404 }), ['securitytxt.missing']],
    [
      'an HTML file',
      FILE,
      () => ({ headers: [['Content-Type', 'text/html']] }),
      ['securitytxt.content-type'],
    ],
    [
      'another charset',
      FILE,
      () => ({ headers: [['content-type', 'text/plain; charset=latin1']] }),
      ['securitytxt.content-type'],
    ],
    [
      'the charset in quotes',
      FILE,
      () => ({ headers: [['content-type', 'Text/Plain;Charset="UTF-8"']] }),
      [],
    ],
    [
      'no contact',
      FILE,
      ({ body }) => ({ body: body.replace(/^Contact.*\n/m, '') }),
      ['securitytxt.no-contact'],
    ],
    [
      'no date',
      FILE,
      ({ body }) => ({ body: body.replace(/^Expires.*\n/m, '') }),
      ['securitytxt.no-expires'],
    ],
    [
      'two dates',
      FILE,
      ({ body }) => ({ body: `${body}Expires: 2027-01-01T00:00:00Z\n` }),
      ['securitytxt.no-expires'],
    ],
    ['a past date', FILE, ({ body }) => ({ body: body.replace('2027', '2025') }), ['securitytxt.expired']],
    [
      'another URL',
      FILE,
      ({ body }) => ({ body: body.replace('Canonical: https://api', 'Canonical: https://www') }),
      ['securitytxt.canonical'],
    ],
    [
      'another address',
      FILE,
      ({ body }) => ({ body: body.replace(/^Contact: .*$/m, 'Contact: mailto:x@evil.example') }),
      ['securitytxt.no-contact'],
    ],
    [
      'one address more',
      FILE,
      ({ body }) => ({ body: `${body}Contact: mailto:x@evil.example\n` }),
      ['securitytxt.no-contact'],
    ],
    ['no old place', '/security.txt', () => ({ status: 404, headers: [] }), ['drift.header-missing']],
    [
      'the old place leads elsewhere',
      '/security.txt',
      () => ({ headers: [['Location', '/']] }),
      ['drift.header-value'],
    ],
    ['another key', '/.well-known/pgp-key.txt', () => ({ body: 'other' }), ['disclosure.key']],
    ['no page', PAGE, () => ({ status: 404 }), ['disclosure.policy-missing']],
    [
      'another reward',
      PAGE,
      ({ body }) => ({ body: body.replace('5,000', '50') }),
      ['disclosure.policy-differs'],
    ],
    [
      'a longer time',
      PAGE,
      ({ body }) => ({ body: body.replace('72 hours', '96 hours') }),
      ['disclosure.policy-differs'],
    ],
  ]
  for (const [why, path, change, ids] of rows)
    it(`${why} changed`, () => assert.deepEqual(findings(path, change), ids))

  it('the date is judged by the clock that is given', () => {
    assert.deepEqual(
      findings(FILE, () => ({}), Date.parse('2027-01-31T00:00:00Z')),
      ['securitytxt.expired'],
    )
  })

  it('nothing is probed where nothing is declared', () => {
    assert.deepEqual(disclosure.probe(cellsOf({})), [])
    assert.deepEqual(disclosure.probe(cellsOf({ ...FULL, mode: 'off' })), [])
  })
})

describe('compare', () => {
  const file = FULL.securityTxt || {}
  const page = FULL.policyPage || {}
  const rows: readonly (readonly [why: string, after: DisclosureSetting, expected: string])[] = [
    ['the same', FULL, ''],
    [
      'the defaults written out',
      { ...FULL, policyPage: { ...page, acknowledgeHours: 24, fixHours: 72, credit: true } },
      '',
    ],
    ['no file', { ...FULL, securityTxt: false }, 'weaker securityTxt, weaker contact'],
    ['no key', { ...FULL, pgpKey: false }, 'weaker pgpKey'],
    ['another key', { ...FULL, pgpKey: 'another' }, 'incomparable pgpKey'],
    ['no page', { ...FULL, policyPage: false }, 'weaker policyPage'],
    [
      'a contact more',
      { ...FULL, securityTxt: { ...file, contact: [...(file.contact ?? []), 'tel:+1-201-555-0123'] } },
      'stronger contact',
    ],
    [
      'another date',
      { ...FULL, securityTxt: { ...file, expires: '2027-06-01T00:00:00Z' } },
      'neutral securityTxt.expires',
    ],
    ['a signature', { ...FULL, securityTxt: { ...file, signed: 'signed' } }, 'stronger securityTxt.signed'],
    [
      'a longer acknowledgement',
      { ...FULL, policyPage: { ...page, acknowledgeHours: 48 } },
      'weaker policyPage.acknowledgeHours',
    ],
    ['a shorter fix', { ...FULL, policyPage: { ...page, fixHours: 48 } }, 'stronger policyPage.fixHours'],
    [
      'a lower reward',
      { ...FULL, policyPage: { ...page, bounty: { currency: 'EUR', min: 1, max: 2 } } },
      'neutral policyPage.bounty',
    ],
    ['less scope', { ...FULL, policyPage: { ...page, scope: [] } }, 'weaker policyPage.scope'],
    [
      'more out of scope',
      { ...FULL, policyPage: { ...page, outOfScope: ['Denial of service', 'All else'] } },
      'weaker policyPage.outOfScope',
    ],
    ['no credit', { ...FULL, policyPage: { ...page, credit: false } }, 'neutral policyPage.credit'],
    [
      'another safe harbour',
      { ...FULL, policyPage: { ...page, safeHarbour: 'Perhaps.' } },
      'incomparable policyPage.safeHarbour',
    ],
  ]
  for (const [why, after, expected] of rows)
    it(why, () => {
      const words = (a: DisclosureSetting, b: DisclosureSetting) =>
        disclosure.compare(a, b).map(({ strength, what }) => `${strength} ${what}`)
      assert.equal(words(FULL, after).join(', '), expected)
      const mirrored = expected.replace(/weaker|stronger/g, (word) =>
        word === 'weaker' ? 'stronger' : 'weaker',
      )
      assert.equal(words(after, FULL).join(', '), mirrored)
    })

  it('a safe harbour that is gone is weaker', () => {
    const { safeHarbour: _, ...bare } = page
    assert.equal(disclosure.compare(FULL, { ...FULL, policyPage: bare })[0]?.strength, 'weaker')
    assert.equal(disclosure.compare({ ...FULL, policyPage: bare }, FULL)[0]?.strength, 'stronger')
  })
})
