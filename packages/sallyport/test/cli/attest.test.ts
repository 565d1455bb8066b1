// `sallyport attest`: from a record to a signed statement and back, with a key of the user's and with one that it makes.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it, type TestContext } from 'node:test'
import type { Verification } from '../../src/posture/verify/result.ts'
import { policy, recorded } from '../attest/record.ts'
import { directory, run } from './command.ts'

let record: Verification

before(async () => {
  record = await recorded()
})

function project(context: TestContext, files: Readonly<Record<string, string>> = {}): string {
  return directory(context, {
    'record.json': JSON.stringify(record),
    'sallyport.config.json': JSON.stringify(policy),
    ...files,
  })
}

function keys(): Readonly<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    'our.key': privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    'our.pub': publicKey.export({ type: 'spki', format: 'pem' }) as string,
  }
}

describe('sallyport attest', () => {
  it('makes a key that only its owner can read, signs with it, and uses it again', async (context) => {
    const folder = project(context)
    const first = await run(context, folder, ['attest', '--record', 'record.json', '--out', 'a.json'])
    assert.deepEqual([first.code, first.out], [0, ''])
    assert.match(
      first.err,
      /^made \.sallyport\/attest\.key; keep it secret, and give \.sallyport\/attest\.pub/,
    )
    assert.equal(statSync(join(folder, '.sallyport/attest.key')).mode & 0o777, 0o600)
    const second = await run(context, folder, ['attest', '--record', 'record.json'])
    assert.equal(second.err, '')
    assert.deepEqual(JSON.parse(second.out), JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')))

    const words = ['attest', '--check', 'a.json', '--key', '.sallyport/attest.pub', '--origin', record.target]
    const checked = await run(context, folder, words)
    assert.equal(checked.code, 0, checked.err)
    assert.match(checked.out, /^The signature is by this key, and every check holds\.$/m)
    assert.match(checked.out, /, which is sallyport\.config\.json$/m)
    assert.doesNotMatch(checked.out, /not checked/)
  })

  it('signs with the key that is named, and ends a check with 1 where a rule is broken', async (context) => {
    const folder = project(context, { ...keys(), 'other.json': '{"extends":"api"}' })
    const signed = ['attest', '--record', 'record.json', '--key', 'our.key', '--out', 'a.json']
    assert.equal((await run(context, folder, signed)).code, 0)
    const check = ['attest', '--check', 'a.json', '--key', 'our.pub']
    assert.equal((await run(context, folder, check)).code, 0)
    const failed = await run(context, folder, [
      ...check,
      '--policy',
      'other.json',
      '--origin',
      'https://a.example',
    ])
    assert.equal(failed.code, 1)
    assert.equal(failed.out, '')
    assert.match(failed.err, /^a\.json: it is about policy [0-9a-f]{64}, not [0-9a-f]{64}/m)
    assert.match(failed.err, /^a\.json: it is about .*, not https:\/\/a\.example$/m)

    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(folder, 'theirs.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const forged = await run(context, folder, ['attest', '--check', 'a.json', '--key', 'theirs.pem'])
    assert.equal(forged.code, 1)
    assert.match(forged.err, /no signature in it is by this key/)
  })

  it('writes the other forms without a key', async (context) => {
    const folder = project(context)
    for (const [format, member] of [
      ['cyclonedx', 'bomFormat'],
      ['oscal', 'component-definition'],
    ] as const) {
      const made = await run(context, folder, ['attest', '--record', 'record.json', '--format', format])
      assert.deepEqual([made.code, made.err], [0, ''])
      assert.ok(Object.hasOwn(JSON.parse(made.out) as object, member))
    }
  })

  it('says that not everything held', async (context) => {
    const bad = await recorded({ ...policy, headers: { frameOptions: false } })
    const folder = project(context, { ...keys(), 'record.json': JSON.stringify(bad) })
    const words = ['attest', '--record', 'record.json', '--key', 'our.key', '--out', 'a.json']
    const made = await run(context, folder, words)
    assert.equal(made.code, 0)
    assert.match(made.err, /^not everything held: \d+ of \d+ probes/)
    const checked = await run(context, folder, ['attest', '--check', 'a.json', '--key', 'our.pub'])
    assert.equal(checked.code, 1)
    assert.match(checked.err, /probes did not hold/)
  })

  for (const [what, words, message] of [
    ['no record', [], /^sallyport: --record: a statement is made of a verification; run sallyport verify/],
    ['a record that is not there', ['--record', 'x.json'], /--record x\.json: can't be read \(ENOENT\)/],
    ['a file that is no record', ['--record', 'sallyport.config.json'], /is no record of a verification/],
    [
      'a policy that the record is not about',
      ['--record', 'record.json', '--policy', 'o.json'],
      /verify again/,
    ],
    ['an unknown format', ['--record', 'record.json', '--format', 'pdf'], /expected dsse, cyclonedx, oscal/],
    [
      'no number of days',
      ['--record', 'record.json', '--valid', '400d'],
      /expected 1d to 397d, received "400d"/,
    ],
    [
      'a key of another kind',
      ['--record', 'record.json', '--key', 'rsa.pem'],
      /expected an Ed25519 key, received rsa/,
    ],
    [
      'a key that is none',
      ['--record', 'record.json', '--key', 'o.json'],
      /holds no private key in PEM; make one/,
    ],
    ['a check without a key', ['--check', 'record.json'], /is checked against the public key/],
    [
      'an origin that is none',
      ['--check', 'record.json', '--key', 'our.pub', '--origin', 'x'],
      /expected an origin/,
    ],
  ] as const)
    it(`ends with 2 for ${what}`, async (context) => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const folder = project(context, {
        ...keys(),
        'o.json': '{"extends":"api"}',
        'rsa.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      })
      const { code, err } = await run(context, folder, ['attest', ...words])
      assert.match(err, message)
      assert.equal(code, 2)
    })
})
