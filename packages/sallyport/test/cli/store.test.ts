// `sallyport store` and `sallyport doctor`, on an embedded store.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { directory, run } from './command.ts'

const keys = generateKeyPairSync('ed25519')
const files = {
  'private.pem': keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  'public.pem': keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
}

test('store exports to a file for its owner only, imports it into a new store, and doctor finds both well', async (context) => {
  const cwd = directory(context, files)
  const exported = await run(context, cwd, [
    'store',
    'export',
    '--store',
    'one',
    '--file',
    'all.jsonl',
    '--key',
    'private.pem',
  ])
  assert.deepEqual([exported.code, exported.err], [0, ''])
  assert.match(exported.out, /^exported \d+ rows to all\.jsonl\n$/)
  assert.equal(statSync(join(cwd, 'all.jsonl')).mode & 0o777, 0o600)
  const words = ['store', 'import', '--file', 'all.jsonl', '--key', 'public.pem', '--json']
  const imported = await run(context, cwd, [...words, '--store', 'two'])
  assert.deepEqual([imported.code, imported.err], [0, ''])
  assert.equal(JSON.parse(imported.out).action, 'import')
  const healthy = await run(context, cwd, ['doctor', '--store', 'two', '--json'])
  assert.equal(healthy.code, 0)
  assert.equal(JSON.parse(healthy.out).ok, true)
  writeFileSync(
    join(cwd, 'all.jsonl'),
    readFileSync(join(cwd, 'all.jsonl'), 'utf8').replace('"seq":0', '"seq":9'),
  )
  const changed = await run(context, cwd, [...words, '--store', 'two'])
  assert.equal(changed.code, 2)
  assert.match(changed.err, /^sallyport: --store: the export can’t be trusted: its lines were changed/)
})

test('store and doctor say in one line what is missing or wrong', async (context) => {
  const cwd = directory(context, { ...files, 'not-a-folder': '' })
  const lines: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['store'], 2, /expected export or import, received undefined/],
    [['store', 'export', '--key', 'private.pem'], 2, /needs the file; write --file store\.jsonl/],
    [['store', 'export', '--file', 'a'], 2, /an export is signed; name a private Ed25519 key with --key/],
    [['store', 'import', '--file', 'a'], 2, /checked against the public key/],
    [['store', 'import', '--file', 'a', '--key', 'public.pem'], 2, /--file: can’t be read \(ENOENT\)/],
    [
      [
        'store',
        'import',
        '--store',
        'x',
        '--owner',
        'postgres://a',
        '--file',
        'public.pem',
        '--key',
        'public.pem',
      ],
      2,
      /--owner: goes with a store on a server/,
    ],
    [['doctor', '--store', 'none/store'], 1, /WRONG {2}open {2}the folder around the store does not exist/],
    [
      ['doctor', '--store', 'postgres://nobody@/none?host=/nowhere'],
      1,
      /WRONG {2}open {2}the server can’t be reached/,
    ],
  ]
  for (const [words, code, message] of lines) {
    const result = await run(context, cwd, words)
    assert.match(result.out + result.err, message)
    assert.equal(result.code, code, words.join(' '))
  }
})
