// The statement of a verification, its forms, and the rules by which it is checked.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, describe, it } from 'node:test'
import { Ajv } from 'ajv'
import { checkAttestation, type Expected } from '../../src/posture/attest/check.ts'
import { cycloneDxOf } from '../../src/posture/attest/cyclonedx.ts'
import { seal } from '../../src/posture/attest/dsse.ts'
import { oscalOf } from '../../src/posture/attest/oscal.ts'
import { readRecord, readStatement } from '../../src/posture/attest/read.ts'
import {
  DETAIL,
  PAYLOAD_TYPE,
  type Statement,
  statementBytes,
  statementOf,
} from '../../src/posture/attest/statement.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { policy, recorded } from './record.ts'
import { cycloneDxShape, envelopeShape, oscalShape, statementShape } from './shapes.ts'

const DAY_MS = 86_400_000
const options = { version: '0.1.0', validMs: 30 * DAY_MS }
const { privateKey, publicKey } = generateKeyPairSync('ed25519')

let good: Verification
let bad: Verification

before(async () => {
  good = await recorded()
  bad = await recorded({ ...policy, headers: { frameOptions: false } })
})

function isOfShape(shape: object, value: unknown): void {
  const validate = new Ajv({ allErrors: true, unicodeRegExp: true }).compile(shape)
  validate(JSON.parse(JSON.stringify(value)))
  assert.deepEqual(validate.errors ?? [], [])
}

describe('a statement', () => {
  it('names the policy by its digest, the origin, and the controls of which every probe holds', () => {
    const statement = statementOf(good, options)
    isOfShape(statementShape, statement)
    assert.equal(`sha256:${statement.subject[0]!.digest.sha256}`, good.policyDigest)
    assert.equal(statement.subject[0]!.name, good.target)
    assert.ok(statement.predicate.properties.includes('SALLYPORT_SP_HEADERS_01'))
    assert.equal(Date.parse(statement.predicate[DETAIL].expires), Date.parse(good.at) + 30 * DAY_MS)
    // Nothing of it could be probed, so nothing was proved.
    assert.ok(!statement.predicate.properties.includes('SALLYPORT_SP_DISCLOSURE_01'))
  })

  it('never names a control with a finding', () => {
    const { predicate } = statementOf(bad, options)
    assert.ok(!predicate.properties.includes('SALLYPORT_SP_HEADERS_01'))
    assert.ok(predicate.properties.includes('SALLYPORT_SP_CACHE_01'))
    assert.ok(predicate[DETAIL].findings.some(({ control }) => control === 'SP-HEADERS-01'))
  })

  it('believes a finding more than a count', () => {
    const counted = { ...bad, controls: bad.controls.map((each) => ({ ...each, passed: each.of })) }
    const { predicate } = statementOf(counted, options)
    assert.ok(!predicate.properties.includes('SALLYPORT_SP_HEADERS_01'))
  })

  it('is the same for the same record, and is read back as it was', () => {
    const bytes = statementBytes(statementOf(good, options))
    const record = readRecord(JSON.stringify(good))!
    assert.deepEqual(statementBytes(statementOf(record, options)), bytes)
    assert.deepEqual(readStatement(bytes), JSON.parse(bytes.toString()))
  })

  it('is made of no file that is not wholly a record', () => {
    for (const key of ['at', 'target', 'policyDigest', 'passed', 'of', 'findings', 'controls', 'classes']) {
      const { [key as keyof Verification]: _left, ...rest } = good
      assert.equal(readRecord(JSON.stringify(rest)), undefined, key)
    }
    for (const wrong of [
      { at: '2026-01-01' },
      { target: 'https://api.example.com/path' },
      { policyDigest: 'sha256:12' },
      { passed: -1 },
      { findings: [{}] },
      { controls: [{ id: 'x', title: 'y', passed: '1', of: 1 }] },
    ])
      assert.equal(readRecord(JSON.stringify({ ...good, ...wrong })), undefined, JSON.stringify(wrong))
    for (const text of ['', 'null', '[]', '{']) assert.equal(readRecord(text), undefined)
  })
})

describe('the forms of a statement', () => {
  for (const [name, convert, shape] of [
    ['CycloneDX 1.6', cycloneDxOf, cycloneDxShape],
    ['OSCAL 1.1.3', oscalOf, oscalShape],
  ] as const) {
    it(`${name} has every member that the format asks for`, () => {
      for (const record of [good, bad]) isOfShape(shape, convert(statementOf(record, options)))
    })

    it(`${name} follows from the statement alone`, () => {
      const statement = statementOf(good, options)
      const once = JSON.stringify(convert(statement))
      assert.equal(JSON.stringify(convert(structuredClone(statement) as Statement)), once)
      assert.notEqual(
        JSON.stringify(convert(statementOf({ ...good, at: '2026-01-01T00:00:00Z' }, options))),
        once,
      )
    })
  }

  it('the envelope has the members of DSSE', () => {
    isOfShape(envelopeShape, seal(PAYLOAD_TYPE, statementBytes(statementOf(good, options)), privateKey))
  })

  it('CycloneDX points at nothing that is not in it', () => {
    for (const record of [good, bad]) {
      const bom = JSON.stringify(cycloneDxOf(statementOf(record, options)))
      const refs = [...bom.matchAll(/"bom-ref":"([^"]+)"/g)].map(([, ref]) => ref!)
      assert.equal(new Set(refs).size, refs.length)
      const used = [
        ...[...bom.matchAll(/"(?:requirement|assessor|target)":"([^"]+)"/g)].map(([, ref]) => ref!),
        ...[
          ...bom.matchAll(/"(?:claims|counterClaims|evidence|counterEvidence)":(\[(?:"[^"]*",?)*\])/g),
        ].flatMap(([, list]) => JSON.parse(list!) as string[]),
      ]
      assert.ok(used.length > 30)
      for (const ref of used) assert.ok(refs.includes(ref), ref)
      assert.ok(refs.includes('V3.4.1'))
    }
  })

  it('a control with a finding is counted against its requirements', () => {
    const { declarations } = cycloneDxOf(statementOf(bad, options)) as {
      declarations: {
        attestations: { map: { requirement: string; claims: string[]; counterClaims: string[] }[] }[]
      }
    }
    const framing = declarations.attestations[0]!.map.find(({ requirement }) => requirement === 'V3.4.6')!
    assert.deepEqual([framing.claims, framing.counterClaims], [[], ['claim-SP-HEADERS-01']])
    const oscal = JSON.stringify(oscalOf(statementOf(bad, options)))
    assert.match(oscal, /"not-held-by","ns":"[^"]+","value":"SP-HEADERS-01"/)
    assert.match(oscal, /"control-id":"sc-8\.1"/)
  })
})

describe('a check', () => {
  const now = () => Date.parse(good.at)
  const failuresOf = (statement: unknown, expected: Partial<Expected> = {}) => {
    const text = JSON.stringify(seal(PAYLOAD_TYPE, Buffer.from(JSON.stringify(statement)), privateKey))
    return checkAttestation(text, publicKey, { now: now(), ...expected }).failures
  }

  it('passes what is about this policy and this origin, and has not expired', () => {
    const statement = statementOf(good, options)
    const expected = { policyDigest: good.policyDigest, origin: good.target }
    assert.deepEqual(failuresOf(statement, expected), [])
    assert.deepEqual(failuresOf(statement, { now: now() + 30 * DAY_MS - 1 }), [])
  })

  it('tells every rule that is broken', () => {
    const failures = failuresOf(statementOf(bad, options), {
      policyDigest: `sha256:${'0'.repeat(64)}`,
      origin: 'https://api.example.com',
      now: Date.parse(bad.at) + 30 * DAY_MS,
    })
    assert.equal(failures.length, 4)
    assert.match(failures[0]!, /^it is about policy [0-9a-f]{64}, not 0{64}; verify what runs now/)
    assert.match(failures[1]!, /^it is about http:\/\/127\.0\.0\.1:\d+, not https:\/\/api\.example\.com$/)
    assert.match(failures[2]!, /^it expired at /)
    assert.match(failures[3]!, /^\d+ of \d+ probes did not hold: [a-z]+\.[a-z-]+/)
  })

  it('refuses a statement from the future, beyond what clocks differ by', () => {
    const statement = statementOf(good, options)
    assert.deepEqual(failuresOf(statement, { now: now() - 299_000 }), [])
    assert.match(failuresOf(statement, { now: now() - 301_000 })[0]!, /yet to come/)
  })

  it('refuses what is signed and is no statement of ours', () => {
    const statement = JSON.parse(JSON.stringify(statementOf(good, options))) as Record<string, unknown>
    const predicate = statement['predicate'] as Record<string, unknown>
    for (const other of [
      {},
      { ...statement, _type: 'https://in-toto.io/Statement/v0.1' },
      { ...statement, predicateType: 'https://slsa.dev/provenance/v1' },
      { ...statement, subject: [] },
      { ...statement, subject: [{ name: 'x', digest: {} }] },
      { ...statement, predicate: { ...predicate, timeCreated: 'yesterday' } },
      { ...statement, predicate: { ...predicate, [DETAIL]: undefined } },
    ])
      assert.match(failuresOf(other)[0]!, /holds no statement of a verification/)
  })

  it('refuses a statement whose fields contradict each other', () => {
    const { subject, predicate, ...rest } = statementOf(good, options)
    const detail = predicate[DETAIL]
    const [first] = detail.controls.filter(({ of }) => of > 1)
    const withDetail = (change: object) => ({
      ...rest,
      subject,
      predicate: { ...predicate, [DETAIL]: { ...detail, ...change } },
    })
    const withFirst = (passed: number, of: number) =>
      withDetail({
        controls: detail.controls.map((each) => (each === first ? { ...each, passed, of } : each)),
      })
    const other = { sha256: '0'.repeat(64) }
    const late = new Date(Date.parse(good.at) + 398 * DAY_MS).toISOString()
    for (const [statement, message] of [
      [withFirst(first!.of + 1, first!.of), new RegExp(`${first!.id}: \\d+ probes hold, of \\d+ that`)],
      [
        withFirst(first!.of - 1, first!.of),
        /it says that \d+ of \d+ probes hold, and of its controls \d+ do/,
      ],
      [withFirst(first!.of - 1, first!.of), /names SALLYPORT_\w+, which it does not prove/],
      [withDetail({ controls: [...detail.controls, { ...first, of: 0, passed: 0 }] }), /one control twice/],
      [withDetail({ source: 'captured' }), /made of recorded answers \(captured\)/],
      [withDetail({ expires: late }), /more than 397 days after it was made/],
      [withDetail({ expires: predicate.timeCreated }), /before it was made/],
      ...[
        'SALLYPORT_SP_DISCLOSURE_01',
        'SALLYPORT_SP_NOTHING_01',
        'SALLYPORT_general',
        'SLSA_BUILD_LEVEL_3',
      ].map(
        (name) =>
          [
            { ...rest, subject, predicate: { ...predicate, properties: [...predicate.properties, name] } },
            new RegExp(`it names ${name}, which it does not prove`),
          ] as const,
      ),
      [
        {
          ...rest,
          subject,
          predicate: {
            ...predicate,
            verifier: { ...predicate.verifier, policies: [{ name: 'p', digest: other }] },
          },
        },
        /policy of its verifier is not that of its subject/,
      ],
      [
        {
          ...rest,
          predicate,
          subject: [...subject, { name: 'https://b.example', digest: subject[0]!.digest }],
        },
        /about 2 subjects/,
      ],
      [
        { ...rest, predicate, subject: [{ ...subject[0]!, uri: 'https://b.example' }] },
        /has the URI https:\/\/b\.example/,
      ],
    ] as const)
      assert.match(failuresOf(statement).join('\n'), message)
    const elsewhere = { ...rest, predicate, subject: [{ ...subject[0]!, uri: 'https://b.example' }] }
    assert.match(
      failuresOf(elsewhere, { origin: good.target }).join('\n'),
      new RegExp(`it is about ${good.target}, https://b\\.example, not ${good.target}`),
    )
  })

  it('refuses a statement that gives one name twice, of which readers differ', () => {
    const text = JSON.stringify(statementOf(good, options)).replace(
      '"profile":',
      '"profile":"full","profile":',
    )
    const sealed = JSON.stringify(seal(PAYLOAD_TYPE, Buffer.from(text), privateKey))
    const { statement, failures } = checkAttestation(sealed, publicKey, { now: now() })
    assert.equal(statement, undefined)
    assert.deepEqual(failures, ['it is signed, but the name "profile" stands twice in it'])
  })

  it('says that another key signed, and nothing of what is in it', () => {
    const text = JSON.stringify(seal(PAYLOAD_TYPE, statementBytes(statementOf(good, options)), privateKey))
    const other = generateKeyPairSync('ed25519').publicKey
    const checked = checkAttestation(text, other, { now: now() })
    assert.equal(checked.statement, undefined)
    assert.match(checked.failures.join(), /no signature in it is by this key/)
  })
})
