// The forms of a statement, held against what their authors publish: the JSON schema of CycloneDX 1.6 with those that it
// refers to, and DSSE's envelope and signed bytes as sigstore's own packages have them, which come from npm into
// test/schemas (all Apache-2.0); and OSCAL's JSON schema, which stands there. in-toto is published as protobuf alone:
// test/attest/shapes.ts says in our own words what it asks for.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { cycloneDxOf } from '../../src/posture/attest/cyclonedx.ts'
import { type Envelope, pae, seal } from '../../src/posture/attest/dsse.ts'
import { oscalOf } from '../../src/posture/attest/oscal.ts'
import { PAYLOAD_TYPE, statementBytes, statementOf } from '../../src/posture/attest/statement.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { policy, recorded } from './record.ts'

const part = fileURLToPath(new URL('../schemas/', import.meta.url))
const skip =
  !existsSync(join(part, 'node_modules')) &&
  'Published schemas: npm ci --prefix packages/sallyport/test/schemas'
const options = { version: '0.1.0', validMs: 30 * 86_400_000 }

let records: readonly Verification[]

before(async () => {
  records = [await recorded(), await recorded({ ...policy, headers: { frameOptions: false } })]
})

function schemaAt(...path: readonly string[]): object {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as object
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

describe('by the published schema', () => {
  it('a statement as CycloneDX 1.6 is valid, and one without a member is not', { skip }, () => {
    const folder = join(part, 'node_modules/@cyclonedx/cyclonedx-library/res/schema')
    const ajv = new Ajv({ strict: false, unicodeRegExp: true, validateFormats: false })
    for (const name of ['spdx', 'jsf-0.82']) {
      // The package refers to its files by their own names.
      const { $id: _id, ...schema } = schemaAt(folder, `${name}.SNAPSHOT.schema.json`) as {
        readonly $id: string
      }
      ajv.addSchema(schema, `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
    }
    const validate = ajv.compile(schemaAt(folder, 'bom-1.6.SNAPSHOT.schema.json'))
    for (const record of records) {
      const bom = plain(cycloneDxOf(statementOf(record, options))) as Record<string, unknown>
      validate(bom)
      assert.deepEqual(validate.errors ?? [], [])
      assert.equal(validate({ ...bom, specVersion: undefined }), false)
      assert.equal(validate({ ...bom, declarations: { claims: 'none' } }), false)
    }
  })

  it('a statement as OSCAL 1.1.3 is valid, and one without a member is not', () => {
    const ajv = new Ajv({ strict: false, unicodeRegExp: true, validateFormats: false })
    const validate = ajv.compile(schemaAt(part, 'oscal', 'component-definition-1.1.3.json'))
    for (const record of records) {
      const definition = plain(oscalOf(statementOf(record, options))) as Record<string, object>
      validate(definition)
      assert.deepEqual(validate.errors ?? [], [])
      const { uuid: _uuid, ...rest } = definition['component-definition'] as { readonly uuid: string }
      assert.equal(validate({ 'component-definition': rest }), false)
    }
  })
})

describe('by sigstore’s packages', () => {
  const required = createRequire(join(part, 'package.json'))

  it('an envelope is read and written again without a change', { skip }, () => {
    const { Envelope: published } = required('@sigstore/protobuf-specs') as {
      readonly Envelope: { fromJSON(value: unknown): unknown; toJSON(value: unknown): unknown }
    }
    const { privateKey } = generateKeyPairSync('ed25519')
    const envelope: Envelope = seal(
      PAYLOAD_TYPE,
      statementBytes(statementOf(records[0]!, options)),
      privateKey,
    )
    assert.deepEqual(published.toJSON(published.fromJSON(envelope)), plain(envelope))
  })

  it('the bytes that are signed are those that others sign', { skip }, () => {
    const { dsse } = required('@sigstore/core') as {
      readonly dsse: { preAuthEncoding(type: string, payload: Buffer): Buffer }
    }
    for (const type of [PAYLOAD_TYPE, '', 'typé/ü'])
      for (const payload of [
        statementBytes(statementOf(records[0]!, options)),
        Buffer.alloc(0),
        Buffer.from('ü 1'),
      ])
        assert.deepEqual(pae(type, payload), dsse.preAuthEncoding(type, payload))
  })
})
