// `sallyport check` and `sallyport init`: policies as files.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PRESET_NAMES } from '../../src/presets/names.ts'
import { directory, run } from './command.ts'

const json = (policy: unknown) => ({ 'sallyport.config.json': JSON.stringify(policy) })

const wrongFiles: readonly (readonly [
  files: Record<string, string>,
  words: readonly string[],
  lines: readonly string[],
])[] = [
  [
    {},
    [],
    [
      'sallyport: no policy file here: looked for sallyport.config.ts, sallyport.config.mts, sallyport.config.js, sallyport.config.mjs, sallyport.config.json; make one with "sallyport init"',
    ],
  ],
  [
    {},
    ['policy.json'],
    ['sallyport: policy.json: there is no such file; name another, or make one with "sallyport init"'],
  ],
  [{}, ['.'], ['sallyport: .: a policy file ends in .ts, .mts, .js, .mjs or .json; rename it']],
  [
    { 'policy.yaml': '' },
    ['policy.yaml'],
    ['sallyport: policy.yaml: a policy file ends in .ts, .mts, .js, .mjs or .json; rename it'],
  ],
  [
    { 'sallyport.config.json': '{\n  "name": "x",\n}' },
    [],
    ['sallyport: sallyport.config.json:2:14: a comma before "}"'],
  ],
  [
    { 'sallyport.config.json': '{"cors": {}, "cors": {}}' },
    [],
    ['sallyport: sallyport.config.json:1:14: the name "cors" stands twice'],
  ],
  [
    { 'sallyport.config.json': '' },
    [],
    ['sallyport: sallyport.config.json:1:1: expected a value, found the end'],
  ],
  [
    { 'sallyport.config.ts': '', 'sallyport.config.json': '{}' },
    [],
    [
      'sallyport: there are sallyport.config.ts and sallyport.config.json here; keep one of them, or name the one meant',
    ],
  ],
  [
    { 'sallyport.config.ts': 'export const other = {}' },
    [],
    ['sallyport: sallyport.config.ts: exports no policy; write "export default definePolicy({ … })"'],
  ],
  [
    { 'sallyport.config.ts': 'export default () => ({})' },
    [],
    [
      "sallyport: sallyport.config.ts: policy: a policy is plain data: a function can't be digested or sent, received a function; write the value itself",
    ],
  ],
  [
    { 'sallyport.config.ts': 'const p: any = { cors: {} }; p.cors.origins = p; export default p' },
    [],
    [
      'sallyport: sallyport.config.ts: cors.origins: a policy is plain data: it contains itself; remove the reference that leads back',
    ],
  ],
  [
    { 'sallyport.config.mjs': 'export default { name: new Date(0), version: NaN }' },
    [],
    [
      "sallyport: sallyport.config.mjs: name: a policy is plain data: an instance of Date can't be digested or sent; write an object literal, a list, a text or a number",
      'sallyport: sallyport.config.mjs: version: a policy is plain data: NaN is not a number of JSON; write a number',
    ],
  ],
  [
    { 'sallyport.config.ts': 'throw new Error("no database\\n at secret.ts")' },
    [],
    ["sallyport: sallyport.config.ts: can't be loaded: no database"],
  ],
  [
    json({ cors: { origins: ['*'] }, hsts: true }),
    [],
    ['sallyport.config.json: hsts: there is no setting "hsts" here; did you mean "transport.hsts"?'],
  ],
  [
    json({ extends: 'api', transport: { hsts: { maxAgeSeconds: 60 } } }),
    [],
    [
      'sallyport.config.json: transport.hsts.maxAgeSeconds: the preload list asks for at least 31536000 seconds, received 60; write 63072000, or leave preload out',
    ],
  ],
]

for (const [files, words, lines] of wrongFiles)
  test(`check refuses ${JSON.stringify(files)} ${words.join(' ')}`, async (context) => {
    const { code, out, err } = await run(context, directory(context, files), ['check', ...words])
    assert.deepEqual({ code, out, err: err.trimEnd().split('\n') }, { code: 2, out: '', err: lines })
  })

test('check says where a syntax error is', async (context) => {
  const cwd = directory(context, { 'sallyport.config.ts': 'export default {' })
  const { code, err } = await run(context, cwd, ['check'])
  assert.equal(code, 2)
  assert.match(err, /^sallyport: sallyport\.config\.ts: can't be loaded: [^\n]+\n$/)
})

test('check names a file that it may not read, and a directory', async (context) => {
  const cwd = directory(context, json({}))
  mkdirSync(join(cwd, 'dir.json'))
  const dir = await run(context, cwd, ['check', 'dir.json'])
  assert.equal(dir.err, 'sallyport: dir.json: this is no file; name the file in it\n')
  chmodSync(join(cwd, 'sallyport.config.json'), 0)
  const { err } = await run(context, cwd, ['check'])
  // Whoever runs the tests as root may read everything.
  if (process.getuid?.() !== 0)
    assert.equal(
      err,
      'sallyport: sallyport.config.json: no permission to read it; change its mode or its owner\n',
    )
})

test('a folder with the name of a policy is called a folder, whatever the command', async (context) => {
  const cwd = directory(context)
  mkdirSync(join(cwd, 'sallyport.config.ts'))
  for (const words of [['check'], ['init'], ['start', '--port', '0']]) {
    const { code, err } = await run(context, cwd, words)
    assert.equal(code, 2)
    assert.equal(
      err,
      'sallyport: sallyport.config.ts: this is a folder, and a policy is a file; rename or remove it\n',
    )
  }
})

test('check prints digest, cells and warnings of a sound policy', async (context) => {
  const files = json({
    extends: 'api',
    cors: { mode: 'report' },
    routes: { '/v1/x': { headers: { mode: 'off' } } },
  })
  const { code, out, err } = await run(context, directory(context, files), ['check'])
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^sallyport\.config\.json is sound\ndigest sha256:[0-9a-f]{64}\n/)
  assert.match(out, /^ {2}\/v1\/account\/\* +private +mixed +no-store, private$/m)
  assert.match(out, /^ {2}\/v1\/status +public +none +public, max-age=30$/m)
  assert.match(out, /^ {2}! +private +mixed +no-store, private +paths that are not canonical/m)
  assert.match(out, /^warning: headers: mode "off": the control does nothing on \/v1\/x$/m)
  assert.match(out, /^warning: cors: mode "report": the control only counts what it would do everywhere but/m)
})

test('check warns of a security.txt that expires soon', async (context) => {
  const expires = new Date(Date.now() + 10.5 * 86_400_000).toISOString()
  const files = json({ disclosure: { securityTxt: { contact: ['mailto:security@example.com'], expires } } })
  const { code, out } = await run(context, directory(context, files), ['check'])
  assert.equal(code, 0)
  assert.match(out, /^warning: disclosure\.securityTxt\.expires: is only 10 days away, received "/m)
})

test('check prints its notes after the warnings, and says of an empty policy what to write', async (context) => {
  const cwd = directory(context, json({}))
  const empty = await run(context, cwd, ['check'])
  assert.match(empty.out, /^warning: headers: the policy sends no security header .*extends: "recommended"/m)
  assert.doesNotMatch(empty.out, /^note:/m)
  const preset = await run(context, directory(context, json({ extends: 'recommended' })), ['check'])
  assert.match(preset.out, /^note: transport\.hsts: every subdomain of the host must speak HTTPS/m)
  assert.doesNotMatch(preset.out, /^warning:/m)
})

test('check --json gives the same to programs', async (context) => {
  const cwd = directory(context, {
    ...json({ extends: 'api' }),
    'wrong.json': '{"data": "secret"}',
    'broken.json': '{',
  })
  const sound = await run(context, cwd, ['check', '--json'])
  assert.equal(sound.code, 0)
  const report = JSON.parse(sound.out) as { ok: boolean; digest: string; cells: { cell: string }[] }
  assert.equal(report.ok, true)
  assert.match(report.digest, /^sha256:/)
  assert.equal(report.cells.at(-1)!.cell, '!')
  const wrong = await run(context, cwd, ['check', '--json', 'wrong.json'])
  assert.equal(wrong.code, 2)
  assert.deepEqual(JSON.parse(wrong.out), {
    file: 'wrong.json',
    ok: false,
    problems: [
      {
        path: 'data',
        kind: 'value',
        received: 'secret',
        message: 'expected one of "private", "public", "stream", "asset"',
        mend: 'write one of them',
      },
    ],
  })
  const broken = await run(context, cwd, ['check', '--json', 'broken.json'])
  assert.equal(broken.code, 2)
  assert.equal((JSON.parse(broken.out) as { ok: boolean }).ok, false)
})

test('a policy may also be exported by name, and written in JavaScript', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.js': "export const policy = { extends: 'recommended' }",
  })
  assert.equal((await run(context, cwd, ['check'])).code, 0)
})

for (const preset of PRESET_NAMES)
  for (const form of [[], ['--json']])
    test(`what init writes from ${preset} ${form.join('')} is sound, without an installed package`, async (context) => {
      const cwd = directory(context)
      const name = form.length > 0 ? 'sallyport.config.json' : 'sallyport.config.ts'
      const init = await run(context, cwd, ['init', '--preset', preset, ...form])
      assert.deepEqual([init.code, init.out], [0, `wrote ${name}; next: sallyport check\n`])
      assert.ok(readFileSync(join(cwd, name), 'utf8').includes(preset))
      const check = await run(context, cwd, ['check'])
      assert.deepEqual([check.code, check.err], [0, ''])
    })

test('init never overwrites, not even through a dangling link', async (context) => {
  const cwd = directory(context, { 'sallyport.config.mjs': 'export default {}' })
  const first = await run(context, cwd, ['init'])
  assert.deepEqual(
    [first.code, first.err],
    [2, 'sallyport: sallyport.config.mjs is already here and stays as it is; remove it first\n'],
  )
  const other = directory(context)
  symlinkSync(join(other, 'elsewhere'), join(other, 'sallyport.config.ts'))
  const second = await run(context, other, ['init'])
  assert.deepEqual(
    [second.code, second.err],
    [2, 'sallyport: sallyport.config.ts is already here and stays as it is; remove it first\n'],
  )
})
