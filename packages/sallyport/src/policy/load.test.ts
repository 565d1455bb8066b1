import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findPolicy, loadPolicy, PolicyFileError } from './load.ts'

function directory(context: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-load-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return path
}

const POLICY = { extends: 'api', routes: { '/x': { data: 'public' } } }
const LITERAL = JSON.stringify(POLICY)

const forms: Readonly<Record<string, string>> = {
  'sallyport.config.ts': `interface Own { x: number }\nimport { definePolicy } from 'sallyport'\nexport default definePolicy(${LITERAL})`,
  'sallyport.config.mts': `export const policy = ${LITERAL} satisfies object`,
  'sallyport.config.js': `export default ${LITERAL}`,
  'sallyport.config.mjs': `export const policy = ${LITERAL}`,
  'sallyport.config.json': LITERAL,
}

for (const [name, content] of Object.entries(forms))
  test(`${name} is found and read, by name too`, async (context) => {
    const path = directory(context, { [name]: content, 'package.json': '{"type": "module"}' })
    assert.equal(await findPolicy(path), join(path, name))
    assert.deepEqual(await loadPolicy(undefined, path), { policy: POLICY, file: join(path, name) })
    assert.deepEqual((await loadPolicy(join(path, name), '/')).policy, POLICY)
  })

test('what is loaded is frozen', async (context) => {
  const { policy } = await loadPolicy(undefined, directory(context, { 'sallyport.config.json': LITERAL }))
  assert.throws(() => Object.assign(policy, { name: 'x' }), TypeError)
})

test('a missing file is told with everything that was looked for', async (context) => {
  const path = directory(context, {})
  assert.equal(await findPolicy(path), undefined)
  await assert.rejects(loadPolicy(undefined, path), (error) => {
    assert.ok(error instanceof PolicyFileError)
    assert.equal(
      error.message,
      'no policy file here: looked for sallyport.config.ts, sallyport.config.mts, sallyport.config.js, sallyport.config.mjs, sallyport.config.json; make one with "sallyport init"',
    )
    return true
  })
})

const wrong: readonly (readonly [name: string, content: string | Uint8Array, message: string])[] = [
  ['p.json', Uint8Array.of(0x7b, 0xff, 0x7d), 'p.json: not UTF-8; save it as UTF-8'],
  ['p.json', '{\n\t"a" 1}', 'p.json:2:6: expected ":", found "1"'],
  [
    'p.json',
    '{"__proto__": {}}',
    'p.json: __proto__: a policy is plain data: "__proto__" is no name of a setting; remove it',
  ],
  [
    'p.mjs',
    'export default 7n',
    "p.mjs: policy: a policy is plain data: a bigint can't be digested or sent, received 7; write the value itself",
  ],
  [
    'p.mjs',
    'export default { get name() { return "x" } }',
    'p.mjs: name: a policy is plain data: this is a getter, which may answer differently each time; write the value itself',
  ],
  ['p.mjs', 'export default null', 'p.mjs: exports no policy; write "export default definePolicy({ … })"'],
  ['p.mjs', 'import "./nowhere.mjs"', "p.mjs: can't be loaded: Cannot find module"],
  ['p.txt', '{}', 'p.txt: a policy file ends in .ts, .mts, .js, .mjs or .json; rename it'],
]

for (const [name, content, message] of wrong)
  test(`refuses ${name} with ${JSON.stringify(String(content))}`, async (context) => {
    const path = directory(context, { [name]: content })
    await assert.rejects(loadPolicy(name, path), (error) => {
      assert.ok(error instanceof PolicyFileError)
      assert.equal(error.file, name)
      assert.equal(error.message.slice(0, message.length), message)
      assert.equal(error.message.includes('\n'), false)
      return true
    })
  })

test('a file beyond 16 MiB is not read', async (context) => {
  const path = directory(context, { 'p.json': new Uint8Array(16 * 1024 * 1024 + 1) })
  await assert.rejects(loadPolicy('p.json', path), /p\.json: 16777217 bytes; a policy file may have 16777216/)
})
