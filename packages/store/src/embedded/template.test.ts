// The packed database: of the PGlite that is installed, small, without secrets, and read by a parser that writes nowhere else.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import fc from 'fast-check'
import { DurableFiles, START } from './durable-files.ts'
import { TEMPLATE_VERSION, tarEntries, templateFile, unpackTemplate } from './template.ts'

it('is of the version of PGlite that is pinned and installed; else run .ci/update-store-template.ts', () => {
  const pinned = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.equal(pinned.dependencies['@electric-sql/pglite'], TEMPLATE_VERSION)
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'))
  const installed = JSON.parse(readFileSync(join(entry, '../../package.json'), 'utf8'))
  assert.equal(installed.version, TEMPLATE_VERSION)
  assert.ok(statSync(templateFile()).size <= 5 * 2 ** 20)
})

it('opens, with no role but postgres, no password, and checksums of its pages', async (test) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-template-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  unpackTemplate(folder)
  const database = new PGlite({ fs: new DurableFiles(folder), startParams: [...START] })
  const { rows } = await database.query(
    `select rolname, rolpassword, current_setting('data_checksums') as checksums from pg_authid where rolname !~ '^pg_'`,
  )
  await database.close()
  assert.deepEqual(rows, [{ rolname: 'postgres', rolpassword: null, checksums: 'on' }])
})

const archive = zstdDecompressSync(readFileSync(templateFile()))
const head = new Uint8Array(archive.subarray(0, 64 * 1024))

it('names nothing outside its folder, however the archive is damaged', () => {
  const change = fc.record({ at: fc.nat(head.length - 1), byte: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.nat(head.length), (changes, length) => {
      const damaged = head.slice(0, length)
      for (const { at, byte } of changes) if (at < length) damaged[at] = byte
      try {
        for (const { name } of tarEntries(damaged)) {
          assert.doesNotMatch(name, /^\/|(?:^|\/)\.\.(?:\/|$)|\0/)
          assert.notEqual(name, '')
        }
      } catch (error) {
        assert.match((error as Error).message, /^the template of the store/)
      }
    }),
  )
})

it('refuses names that lead outside, links, and an archive that was cut', () => {
  const named = (name: string, type = '0'): Uint8Array => {
    const block = Buffer.alloc(1024)
    block.write(name, 0, 'latin1')
    block.write('00000000000\0', 124, 'latin1')
    block.write(type, 156, 'latin1')
    return block
  }
  assert.deepEqual(
    [...tarEntries(named('./base/1'))].map(({ name }) => name),
    ['base/1'],
  )
  for (const name of ['../x', '/etc/x', 'a/../../x', 'a//x', 'a\\..\\x', '..'])
    assert.throws(() => [...tarEntries(named(name))], /names a file outside/, name)
  assert.throws(() => [...tarEntries(named('x', '2'))], /is damaged/)
  assert.throws(() => [...tarEntries(archive.subarray(0, 100 * 512))], /is damaged|ends too early/)
})
