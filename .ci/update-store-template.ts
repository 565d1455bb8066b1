// `node .ci/update-store-template.ts`: writes the database that a new embedded store begins with, after the pinned version
// of PGlite has changed. Its initdb draws a new identifier, so no two runs give the same bytes.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { constants, zstdCompressSync } from 'node:zlib'
import { DurableFiles, START } from '../packages/store/src/embedded/durable-files.ts'
import { templateFile } from '../packages/store/src/embedded/template.ts'

const fromStore = createRequire(new URL('../packages/store/package.json', import.meta.url))
const { PGlite } = (await import(
  pathToFileURL(fromStore.resolve('@electric-sql/pglite')).href
)) as typeof import('@electric-sql/pglite')

const folder = mkdtempSync(join(tmpdir(), 'sallyport-template-'))
try {
  const database = new PGlite({ fs: new DurableFiles(join(folder, 'new')), startParams: [...START] })
  await database.waitReady
  // A store makes no databases, so it needs no templates for them: two thirds of its files are copies otherwise.
  await database.exec('update pg_database set datistemplate = false')
  for (const name of ['template0', 'template1']) await database.exec(`drop database ${name}`)
  await database.exec('checkpoint')
  await database.close()
  rmSync(join(folder, 'new/postmaster.pid'), { force: true })
  const tar = join(folder, 'new.tar')
  const flags = ['--format=ustar', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  execFileSync('tar', [...flags, '-C', join(folder, 'new'), '-cf', tar, '.'])
  const file = fileURLToPath(templateFile())
  mkdirSync(dirname(file), { recursive: true })
  // A small window: what unpacks it needs as much memory.
  const params = { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 21 }
  writeFileSync(file, zstdCompressSync(readFileSync(tar), { params }))
  console.log(`wrote ${file}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
