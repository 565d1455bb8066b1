// The result in the forms that others read: SARIF 2.1.0, JUnit XML, text, and the record for the posture page.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { verificationJunit } from '../../src/posture/verify/junit.ts'
import type { Verification, VerifyFinding } from '../../src/posture/verify/result.ts'
import { fingerprint, verificationSarif } from '../../src/posture/verify/sarif.ts'
import { verificationText } from '../../src/posture/verify/text.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { bare } from './server.ts'

/** What stands in plain data at a path. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown>)[key], value)
}

const all = (value: unknown, ...path: readonly (string | number)[]) => at(value, ...path) as readonly object[]

const withFindings = (context: Parameters<typeof bare>[0]) =>
  bare(context, (_request, response) => response.end('{}')).then((url) =>
    verify({ extends: 'recommended' }, url),
  )

// What the schema of OASIS asks of the objects that are written: the required members, and no others than these.
const SHAPES: Readonly<
  Record<string, { readonly required: readonly string[]; readonly allowed: readonly string[] }>
> = {
  log: { required: ['version', 'runs'], allowed: ['$schema'] },
  run: { required: ['tool'], allowed: ['invocations', 'results', 'properties'] },
  driver: { required: ['name'], allowed: ['semanticVersion', 'rules'] },
  rule: { required: ['id'], allowed: ['shortDescription', 'defaultConfiguration', 'properties'] },
  invocation: { required: ['executionSuccessful'], allowed: ['startTimeUtc', 'properties'] },
  result: {
    required: ['message'],
    allowed: ['ruleId', 'ruleIndex', 'level', 'locations', 'partialFingerprints', 'properties'],
  },
}

function hasShape(name: keyof typeof SHAPES, value: object): void {
  const { required, allowed } = SHAPES[name]!
  const keys = Object.keys(value)
  for (const key of required) assert.ok(keys.includes(key), `${name} has no ${key}`)
  assert.deepEqual(
    keys.filter((key) => !required.includes(key) && !allowed.includes(key)),
    [],
    name,
  )
}

describe('a verification', () => {
  it('is written as SARIF 2.1.0', async (context) => {
    const result = await withFindings(context)
    const log: unknown = JSON.parse(
      JSON.stringify(verificationSarif(result, '1.2.3', 'conf/sallyport.config.ts')),
    )
    hasShape('log', log as object)
    assert.equal(at(log, 'version'), '2.1.0')
    const run = at(log, 'runs', 0) as object
    hasShape('run', run)
    hasShape('driver', at(run, 'tool', 'driver') as object)
    const rules = all(run, 'tool', 'driver', 'rules')
    for (const rule of rules) hasShape('rule', rule)
    for (const invocation of all(run, 'invocations')) {
      hasShape('invocation', invocation)
      // SARIF, section 3.9: UTC, with a Z.
      assert.match(String(at(invocation, 'startTimeUtc')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    }
    assert.equal(all(run, 'results').length, result.findings.length)
    for (const each of all(run, 'results')) {
      hasShape('result', each)
      assert.equal(at(rules, at(each, 'ruleIndex') as number, 'id'), at(each, 'ruleId'))
      assert.ok(['note', 'warning', 'error'].includes(at(each, 'level') as string))
      assert.ok(String(at(each, 'message', 'text')).length > 10)
      const uri = at(each, 'locations', 0, 'physicalLocation', 'artifactLocation', 'uri')
      assert.equal(uri, 'conf/sallyport.config.ts')
      assert.match(String(at(each, 'partialFingerprints', 'sallyport/v1')), /^[0-9a-f]{12}$/)
    }
  })

  it('gives a finding the same fingerprint on every run, and other findings other ones', async (context) => {
    const url = await bare(context, (_request, response) => response.end('{}'))
    const prints = async () =>
      (await verify({ extends: 'recommended' }, url)).findings.map(fingerprint).sort()
    const [first, second] = [await prints(), await prints()]
    assert.deepEqual(first, second)
    assert.equal(new Set(first).size, first.length)
  })

  it('is written as JUnit XML, where what was not seen is skipped', async (context) => {
    const result = await withFindings(context)
    const xml = verificationJunit(result)
    const count = (pattern: RegExp) => xml.match(pattern)?.length ?? 0
    assert.equal(count(/<skipped /g), result.classes.filter(({ answers }) => answers === 0).length)
    assert.match(
      xml,
      new RegExp(
        `^<\\?xml version="1.0" encoding="UTF-8"\\?>\n<testsuites [^>]*failures="${count(/<failure /g)}"`,
      ),
    )
    for (const [, tests, body] of xml.matchAll(/<testsuite [^>]*tests="(\d+)"[^>]*>([\s\S]*?)<\/testsuite>/g))
      assert.equal(body!.match(/<testcase /g)!.length, Number(tests))
    assert.equal(count(/<(?!\/|\?)[a-z]+[^>]*[^/]>/g), count(/<\/[a-z]+>/g))
  })

  it('is well-formed XML whatever a server says', () => {
    const finding = (detail: string): VerifyFinding => ({
      id: 'drift.header-value',
      severity: 'high',
      control: 'SP-HEADERS-01',
      class: '200',
      cell: '*',
      detail,
      mend: detail,
      standards: [],
      curl: detail,
    })
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (detail) => {
        const result = { ...EMPTY, findings: [finding(detail)] }
        const xml = verificationJunit(result)
        // Nothing but XML's own characters (section 2.2), and no markup from outside.
        assert.doesNotMatch(xml, /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/)
        assert.ok(xml.isWellFormed())
        assert.equal(xml.match(/<failure /g)?.length, 1)
        assert.doesNotMatch(
          xml.replace(/<\/?[a-z]+(?: [a-z]+="[^"<>&]*(?:&#\d+;[^"<>&]*)*")*\/?>|<\?xml[^>]*>/g, ''),
          /[<>]/,
        )
      }),
    )
  })

  it('is written for people: each wrong thing once, the worst first, and how to mend it', async (context) => {
    const result = await withFindings(context)
    const text = verificationText(result)
    assert.match(text, /^http:\/\/127\.0\.0\.1:\d+, policy [0-9a-f]{12}, /)
    assert.equal(text.match(/xcto\.missing/g)?.length, 1)
    assert.match(
      text,
      /LOW xcto\.missing {2}SP-HEADERS-01\n.*\n {2}in 200 of .* and \d+ more\n {2}mend: X-Content-Type-Options: nosniff/,
    )
    const order = [...text.matchAll(/^(CRITICAL|HIGH|MEDIUM|LOW|INFO) /gm)].map(([, word]) => word!)
    const rank = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO']
    assert.deepEqual(
      order,
      [...order].sort((a, b) => rank.indexOf(a) - rank.indexOf(b)),
    )
    assert.match(text, /Not seen, so not judged:\n {2}304 /)
    assert.match(verificationText({ ...result, findings: [] }), /Everything that was probed holds\./)
  })
})

const EMPTY: Verification = {
  format: 'sallyport-verification/1',
  at: '2026-01-01T00:00:00.000Z',
  target: 'https://api.example',
  policyDigest: 'sha256:00',
  profile: 'quick',
  source: 'live',
  durationMs: 1,
  requests: 1,
  passed: 0,
  of: 1,
  findings: [],
  controls: [{ id: 'SP-HEADERS-01', name: 'headers', title: 'Security headers', passed: 0, of: 1 }],
  classes: [],
  notRun: [],
  notes: [],
  replicas: [],
}
