// The score on the sets that the reference names, and on single headers.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { observatoryScore } from './observatory.ts'

type Lines = readonly (readonly [string, string])[]

const HSTS = ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains; preload'] as const
const NOSNIFF = ['X-Content-Type-Options', 'nosniff'] as const
const API_CSP = [
  'Content-Security-Policy',
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
] as const
const DRIFTSTACK: Lines = [
  HSTS,
  NOSNIFF,
  ['X-Frame-Options', 'SAMEORIGIN'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Resource-Policy', 'cross-origin'],
]
const CALMONY: Lines = [
  HSTS,
  NOSNIFF,
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
]
const RECOMMENDED: Lines = [
  HSTS,
  NOSNIFF,
  API_CSP,
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
]

const graded = (headers: Lines, more = {}) => observatoryScore({ headers, encrypted: true, ...more })

describe('whole sets', () => {
  const sets: readonly (readonly [name: string, headers: Lines, grade: string, score: number])[] = [
    ['nothing', [], 'D', 30],
    ['Driftstack', DRIFTSTACK, 'B', 75],
    ['Calmony', CALMONY, 'B', 75],
    ['Driftstack with an API’s CSP', [...DRIFTSTACK, API_CSP], 'A+', 120],
    [
      'recommended, CORP cross-origin',
      [...RECOMMENDED, ['Cross-Origin-Resource-Policy', 'cross-origin']],
      'A+',
      130,
    ],
    ['recommended', [...RECOMMENDED, ['Cross-Origin-Resource-Policy', 'same-origin']], 'A+', 140],
    [
      'recommended with COEP',
      [
        ...RECOMMENDED,
        ['Cross-Origin-Resource-Policy', 'same-origin'],
        ['Cross-Origin-Embedder-Policy', 'require-corp'],
      ],
      'A+',
      150,
    ],
  ]
  for (const [name, headers, grade, score] of sets)
    it(`${name}: ${grade} ${score}`, () => {
      const result = graded(headers)
      assert.deepEqual([result.grade, result.score], [grade, score])
    })

  it('Driftstack with every origin and credentials: D- 25', () => {
    const headers: Lines = [
      ...DRIFTSTACK,
      ['Access-Control-Allow-Origin', 'https://evil.example'],
      ['Access-Control-Allow-Credentials', 'true'],
    ]
    const { grade, score } = graded(headers, { askedOrigin: 'https://evil.example' })
    assert.deepEqual([grade, score], ['D-', 25])
    assert.equal(graded(headers).score, 75)
  })
})

describe('single headers', () => {
  const rows: readonly (readonly [test: string, headers: Lines, modifier: number])[] = [
    ['content-security-policy', [['Content-Security-Policy', "default-src 'none'"]], 5],
    ['content-security-policy', [['Content-Security-Policy', "default-src 'self'"]], 5],
    ['content-security-policy', [['Content-Security-Policy', "frame-ancestors 'none'"]], -20],
    ['content-security-policy', [['Content-Security-Policy', "default-src 'self' 'unsafe-inline'"]], -20],
    [
      'content-security-policy',
      [['Content-Security-Policy', "default-src 'self'; script-src 'nonce-abc' 'unsafe-inline'"]],
      5,
    ],
    ['content-security-policy', [['Content-Security-Policy', "default-src 'self'; script-src https:"]], -20],
    [
      'content-security-policy',
      [['Content-Security-Policy', "default-src 'self'; script-src http://a.example"]],
      -20,
    ],
    [
      'content-security-policy',
      [['Content-Security-Policy', "default-src 'self'; img-src http://a.example"]],
      -10,
    ],
    ['content-security-policy', [['Content-Security-Policy', "default-src 'self' 'unsafe-eval'"]], -10],
    [
      'content-security-policy',
      [['Content-Security-Policy', "default-src 'self'; style-src 'unsafe-inline'"]],
      0,
    ],
    ['content-security-policy', [['Content-Security-Policy-Report-Only', "default-src 'none'"]], -25],
    ['content-security-policy', [['Content-Security-Policy', '']], -25],
    ['strict-transport-security', [['Strict-Transport-Security', 'max-age=15552000']], 0],
    ['strict-transport-security', [['Strict-Transport-Security', 'max-age=15551999']], -10],
    ['strict-transport-security', [['Strict-Transport-Security', 'max-age=abc']], -20],
    ['x-content-type-options', [['X-Content-Type-Options', 'nosniff, nosniff']], -5],
    [
      'x-frame-options',
      [
        ['X-Frame-Options', 'DENY'],
        ['X-Frame-Options', 'DENY'],
      ],
      -20,
    ],
    ['x-frame-options', [['X-Frame-Options', 'ALLOW-FROM https://a.example']], -20],
    ['referrer-policy', [['Referrer-Policy', 'unsafe-url']], -5],
    ['referrer-policy', [['Referrer-Policy', 'junk']], -5],
    ['cross-origin-resource-policy', [['Cross-Origin-Resource-Policy', 'junk']], -5],
    ['cross-origin-opener-policy', [['Cross-Origin-Opener-Policy', 'Same-Origin']], -5],
    ['cross-origin-embedder-policy', [['Cross-Origin-Embedder-Policy', 'credentialless']], 10],
    ['cookies', [['Set-Cookie', 'sessionid=1; Secure']], -30],
    ['cookies', [['Set-Cookie', 'sessionid=1; HttpOnly']], -40],
    ['cookies', [['Set-Cookie', 'sessionid=1; HttpOnly'], HSTS], -10],
    ['cookies', [['Set-Cookie', 'a=1']], -20],
    ['cookies', [['Set-Cookie', 'a=1'], HSTS], -5],
    ['cookies', [['Set-Cookie', 'a=1; Secure; SameSite=junk']], -20],
    ['cookies', [['Set-Cookie', 'a=1; Secure; SameSite=Lax']], 5],
    ['cookies', [['Set-Cookie', 'a=1; Secure']], 0],
  ]
  for (const [test, headers, modifier] of rows)
    it(`${headers.map((line) => line.join(': ')).join(' | ')} is ${modifier}`, () =>
      assert.equal(graded(headers).tests.find((one) => one.test === test)?.modifier, modifier))

  it('plain HTTP and redirects are facts from outside', () => {
    const tests = graded([HSTS], { encrypted: false, redirection: 'missing' }).tests
    assert.deepEqual(
      tests.filter(({ modifier }) => modifier === -20).map(({ test }) => test),
      ['redirection', 'strict-transport-security', 'x-frame-options'],
    )
  })
})

it('no lines make it throw, and the score is never below 0', () => {
  const name = fc.constantFrom(
    'Content-Security-Policy',
    'Set-Cookie',
    'Strict-Transport-Security',
    'Referrer-Policy',
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'binary' }))), (headers) =>
      assert.ok(graded(headers).score >= 0),
    ),
  )
})
