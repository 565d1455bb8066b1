// Reading a file again and again: what it says now, with all that it imports, or why it can't be read.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PolicyFileError } from './load.ts'
import { loadFresh } from './load-fresh.ts'

const KIND = { noun: 'a policy', whenMissing: 'name another', example: 'export default { }' }

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-fresh-'))
  context.after(() => rm(path, { recursive: true, force: true }))
  return path
}

test('a module is read as it is now, and so is what it imports', async (context) => {
  const path = await folder(context)
  const file = join(path, 'policy.ts')
  await writeFile(file, `import { name } from './name.ts'\nexport default { name }\n`)
  for (const name of ['first', 'second']) {
    await writeFile(join(path, 'name.ts'), `export const name: string = '${name}'\n`)
    assert.deepEqual(await loadFresh(file, 'policy.ts', KIND), { name })
  }
})

test('what is wrong with a file is said as by the first reading', async (context) => {
  const path = await folder(context)
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['export default { a: () => 1 }', /^policy\.mjs: a: .*function/],
    ['export default {', /^policy\.mjs: can't be loaded: /],
    ['export const other = 1', /^policy\.mjs: exports no policy; write "export default \{ \}"$/],
    ['process.exit(0)', /^policy\.mjs: can't be loaded: it ended the thread that read it$/],
    ['throw null', /^policy\.mjs: can't be loaded: null$/],
  ]
  for (const [text, message] of cases) {
    await writeFile(join(path, 'policy.mjs'), text)
    await assert.rejects(loadFresh(join(path, 'policy.mjs'), 'policy.mjs', KIND), (error) => {
      assert.ok(error instanceof PolicyFileError)
      assert.match(error.message, message)
      return true
    })
  }
  await assert.rejects(
    loadFresh(join(path, 'none.json'), 'none.json', KIND),
    /^PolicyFileError: none\.json: there is no such file; name another$/,
  )
})
