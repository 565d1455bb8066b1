// The order of strength as a whole, on random settings: reflexive, antisymmetric, transitive.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import type { Strength } from '../../guard/control.ts'
import { verdictOf } from '../faces.ts'
import { compareHeaders } from './compare.ts'
import type { HeadersSetting } from './setting.ts'

const verdict = (before: HeadersSetting, after: HeadersSetting) => verdictOf(compareHeaders(before, after))
const MIRROR: Readonly<Record<Strength, Strength>> = {
  stronger: 'weaker',
  weaker: 'stronger',
  neutral: 'neutral',
  incomparable: 'incomparable',
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const source = fc.constantFrom(
  "'self'",
  'https:',
  '*',
  'https://a.example',
  'https://*.example',
  "'nonce'",
  "'unsafe-inline'",
  "'strict-dynamic'",
  "'unsafe-eval'",
  'data:',
)
const cspArbitrary = fc.dictionary(
  fc.constantFrom(
    'default-src',
    'script-src',
    'img-src',
    'frame-ancestors',
    'base-uri',
    'sandbox',
    'report-to',
    'trusted-types',
  ),
  fc.oneof(fc.constant(["'none'"]), fc.uniqueArray(source, { minLength: 1, maxLength: 3 })),
  { maxKeys: 3, minKeys: 1, noNullPrototype: true },
)
const setting = fc
  .record({
    mode: optional(fc.constantFrom('enforce', 'report', 'off')),
    contentTypeOptions: optional(fc.constantFrom('nosniff', false)),
    frameOptions: optional(fc.constantFrom('DENY', 'SAMEORIGIN', false)),
    referrerPolicy: optional(
      fc.constantFrom(
        false,
        ['no-referrer'],
        ['same-origin'],
        ['origin'],
        ['strict-origin'],
        ['unsafe-url'],
        ['strict-origin-when-cross-origin'],
      ),
    ),
    crossOriginOpenerPolicy: optional(
      fc.constantFrom(
        'same-origin',
        'same-origin-allow-popups',
        'noopener-allow-popups',
        'unsafe-none',
        false,
      ),
    ),
    crossOriginEmbedderPolicy: optional(
      fc.constantFrom('require-corp', 'credentialless', 'unsafe-none', false),
    ),
    contentSecurityPolicy: optional(fc.oneof(cspArbitrary, fc.constant(false))),
    permissionsPolicy: optional(
      fc.oneof(
        fc.dictionary(
          fc.constantFrom('camera', 'sync-xhr'),
          fc.constantFrom([], ['self'], ['*'], ['https://a.example']),
          { noNullPrototype: true },
        ),
        fc.constant(false),
      ),
    ),
    strip: fc.constantFrom(false, {}, { server: 'x' }, { server: 'x', p3p: 'y' }),
  })
  .map(
    (value) =>
      Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as HeadersSetting,
  )

// One or two fields of a setting changed: two random settings are nearly always incomparable.
const pair = fc
  .tuple(
    setting,
    setting,
    fc.subarray(
      [
        'mode',
        'frameOptions',
        'referrerPolicy',
        'contentSecurityPolicy',
        'permissionsPolicy',
        'strip',
        'crossOriginOpenerPolicy',
      ] as const,
      { minLength: 1, maxLength: 2 },
    ),
  )
  .map(([a, b, fields]) => {
    const changed: Record<string, unknown> = { ...a }
    for (const field of fields) {
      delete changed[field]
      if (b[field] !== undefined) changed[field] = b[field]
    }
    return [a, changed as HeadersSetting] as const
  })

describe('the order as a whole', () => {
  it('is reflexive: nothing differs from itself', () => {
    fc.assert(fc.property(setting, (a) => assert.deepEqual(compareHeaders(a, a), [])))
  })

  it('is antisymmetric: the way back is the mirror of the way there', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => assert.equal(verdict(b, a), MIRROR[verdict(a, b)])),
      runs(500),
    )
  })

  it('is transitive: two steps that do not weaken do not weaken together', () => {
    const atLeast = (strength: Strength) => strength === 'stronger' || strength === 'neutral'
    let met = 0
    fc.assert(
      fc.property(
        pair,
        setting,
        fc.constantFrom(
          'frameOptions',
          'referrerPolicy',
          'contentSecurityPolicy',
          'permissionsPolicy',
          'crossOriginOpenerPolicy',
        ),
        ([a, b], other, field) => {
          const { [field]: _dropped, ...rest } = b
          const c = (other[field] === undefined ? rest : { ...rest, [field]: other[field] }) as HeadersSetting
          const [ab, bc] = [verdict(a, b), verdict(b, c)]
          if (!atLeast(ab) || !atLeast(bc)) return
          met++
          const ac = verdict(a, c)
          assert.ok(atLeast(ac), `${ac}: ${JSON.stringify([a, b, c])}`)
          if (ab === 'stronger' || bc === 'stronger') assert.equal(ac, 'stronger')
        },
      ),
      runs(1500),
    )
    assert.ok(met > 50, `only ${met} chains`)
  })
})
