// The published JSON Schema: up to date, of the standard's form, and of one mind with the check of the policy.
// To write it anew: node packages/sallyport/src/guard/policy-schema.test.ts --write

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import driftstack from '../../../../examples/driftstack/sallyport.config.ts'
import { demoPolicy } from '../cli/demo.ts'
import { jsonPolicy } from '../cli/init.ts'
import { presets } from '../presets/index.ts'
import { PRESET_NAMES } from '../presets/names.ts'
import { policyJsonSchema } from './policy.ts'
import { resolvePolicy } from './resolve.ts'

const file = new URL('../../schema/policy.schema.json', import.meta.url)
const schema = policyJsonSchema('urn:sallyport:policy:0.1')
const text = `${JSON.stringify(schema, null, 2)}\n`

if (process.argv.includes('--write')) writeFileSync(file, text)

const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema)

function expectValid(policy: unknown): void {
  assert.ok(validate(policy), JSON.stringify(validate.errors, null, 2))
  resolvePolicy(policy as never)
}

test('the schema file is what the controls say', () => {
  assert.equal(readFileSync(file, 'utf8'), text)
})

for (const name of PRESET_NAMES)
  test(`the preset ${name} keeps to the schema, alone and extended`, () => {
    expectValid(presets[name])
    expectValid({ extends: [name, { extends: name }] })
    expectValid(JSON.parse(jsonPolicy(name)))
  })

test('the policies of the demo and the examples keep to the schema', () => {
  expectValid(demoPolicy)
  expectValid(driftstack)
})

test('the four presets lie over each other in every order', () => {
  for (const lower of PRESET_NAMES)
    for (const upper of PRESET_NAMES) resolvePolicy({ extends: [lower, upper] })
})

test('the schema names every setting with a description', () => {
  const nameless: string[] = []
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { properties, anyOf, items, additionalProperties } = node as Record<string, unknown>
    for (const [key, child] of Object.entries(properties ?? {})) {
      const { description, $ref } = child as { description?: string; $ref?: string }
      if (!description && !$ref) nameless.push(`${path}.${key}`)
      walk(child, `${path}.${key}`)
    }
    for (const child of [...((anyOf as unknown[]) ?? []), items, additionalProperties]) walk(child, path)
  }
  walk(schema, '')
  for (const [key, child] of Object.entries(schema.$defs as object)) walk(child, key)
  assert.deepEqual(nameless, [])
})
