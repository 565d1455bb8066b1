// `sallyport diff`: files, revisions, published postures; the gate and who may open it.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import '../../src/posture/page/index.ts'
import { directory, run } from './command.ts'

const STRONG = { extends: 'api' }
const WEAK = { extends: 'api', cors: { origins: ['https://evil.example'] } }
const file = (policy: object) => JSON.stringify(policy)

test('diff compares files, prints what has become possible, and ends with 1', async (context) => {
  const cwd = directory(context, { 'a.json': file(STRONG), 'b.json': file(WEAK) })
  const { code, out } = await run(context, cwd, ['diff', 'a.json', 'b.json'])
  assert.equal(code, 1)
  assert.match(out, /^[0-9a-f]{12} → [0-9a-f]{12}: weaker: nothing is stronger\n/)
  assert.match(out, /^ {2}https:\/\/evil\.example can now read \/v1\/account\/\* with cookies$/m)
  assert.equal((await run(context, cwd, ['diff', 'b.json', 'a.json'])).code, 0)
})

test('diff takes a revision of git, with what the policy imports', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.ts':
      "import { origins } from './origins.ts'\nexport default { extends: 'api', cors: { origins } }\n",
    'origins.ts': "export const origins = ['https://app.example.com']\n",
  })
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@a.example', ...words], { cwd })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'first')
  writeFileSync(
    join(cwd, 'origins.ts'),
    "export const origins = ['https://app.example.com', 'https://evil.example']\n",
  )
  const { code, out, err } = await run(context, cwd, ['diff', 'HEAD'])
  assert.equal(code, 1, err)
  assert.match(out, /https:\/\/evil\.example can now read/)
  const none = await run(context, cwd, ['diff', 'no-such-branch'])
  assert.deepEqual(
    [none.code, none.err],
    [
      2,
      'sallyport: no-such-branch: is neither a file, a URL, nor a revision of git here; name a policy file, https://… or a branch such as main (git fetch brings those of a server)\n',
    ],
  )
})

test('a policy of a revision may import from above its folder, and what is missing there is named', async (context) => {
  const top = directory(context)
  const cwd = join(top, 'api')
  mkdirSync(join(top, 'shared'))
  mkdirSync(cwd)
  const policy = (from: string) =>
    `import { origins } from '${from}'\nexport default { extends: 'api', cors: { origins } }\n`
  writeFileSync(join(cwd, 'sallyport.config.ts'), policy('../shared/origins.ts'))
  writeFileSync(join(top, 'shared/origins.ts'), "export const origins = ['https://app.example.com']\n")
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@a.example', ...words], { cwd: top })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'first')
  writeFileSync(join(top, 'shared/origins.ts'), "export const origins = ['https://evil.example']\n")
  const { code, out, err } = await run(context, cwd, ['diff', 'HEAD'])
  assert.equal(code, 1, err)
  assert.match(out, /https:\/\/evil\.example can now read/)
  git('rm', '-q', '--cached', 'shared/origins.ts')
  git('commit', '-qm', 'without')
  const missing = await run(context, cwd, ['diff', 'HEAD'])
  assert.deepEqual(
    [missing.code, missing.err],
    [2, 'sallyport: HEAD: has no shared/origins.ts, which its policy imports\n'],
  )
})

test('a published policy that is not the one its digest names is not compared', async (context) => {
  const server = createPlainServer((_request, response) =>
    response.end(
      JSON.stringify({ format: 'sallyport-posture/1', policyDigest: 'sha256:0', document: STRONG }),
    ),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const cwd = directory(context, { 'sallyport.config.json': file(STRONG) })
  const { code, err } = await run(context, cwd, ['diff', url])
  assert.equal(code, 2)
  assert.match(err, /the policy there is not the one that its digest names/)
})

test('diff takes the posture that a deployment publishes', async (context) => {
  const server = createServer(
    { ...STRONG, disclosure: { posture: 'public' } } as never,
    (_request, response) => response.end(),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  context.after(() => server.closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const cwd = directory(context, {
    'sallyport.config.json': file({ ...WEAK, disclosure: { posture: 'public' } }),
  })
  const { code, out } = await run(context, cwd, ['diff', url])
  assert.equal(code, 1)
  assert.match(out, /evil\.example/)
  const gone = await run(context, cwd, ['diff', 'http://127.0.0.1:1'])
  assert.equal(gone.code, 2)
  assert.match(gone.err, /no posture can be read there/)
})

test('a weakness is accepted with a reason, an owner and a day, and no longer than that', async (context) => {
  const cwd = directory(context, {
    'a.json': file({ headers: { frameOptions: 'DENY' } }),
    'b.json': file({ headers: { frameOptions: 'SAMEORIGIN' } }),
  })
  const words = ['diff', 'a.json', 'b.json']
  const { blocking } = JSON.parse((await run(context, cwd, [...words, '--json'])).out).gate
  assert.equal(blocking.length, 1)
  const accept = [...words, '--accept', blocking[0]]
  const bare = await run(context, cwd, accept)
  assert.deepEqual(
    [bare.code, bare.err],
    [2, 'sallyport: --reason: must be given with --accept, so that somebody can be asked later\n'],
  )
  const full = [
    ...accept,
    '--reason',
    'one widget frames us',
    '--owner',
    'ops@example.com',
    '--expires',
    '2099-01-01',
  ]
  const done = await run(context, cwd, full)
  assert.equal(done.code, 0, done.err)
  assert.match(done.out, /accepted by ops@example\.com until 2099-01-01 \(one widget frames us\)/)
  assert.equal((await run(context, cwd, words)).code, 0)
  const path = join(cwd, 'sallyport.accepted.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('2099', '2020'))
  const late = await run(context, cwd, words)
  assert.equal(late.code, 1)
  assert.match(late.out, /was accepted by ops@example\.com until 2020-01-01, which is over/)
  const unused = await run(context, cwd, ['diff', 'a.json', 'a.json'])
  assert.match(unused.out, /no longer needed in the accepted file/)
})

test('a wrong file of accepted weaknesses is named, and opens nothing', async (context) => {
  const cwd = directory(context, {
    'a.json': file(STRONG),
    'b.json': file(WEAK),
    'sallyport.accepted.json': '[{"fingerprint":"x"}]',
  })
  const { code, err } = await run(context, cwd, ['diff', 'a.json', 'b.json'])
  assert.equal(code, 2)
  assert.match(
    err,
    /sallyport\.accepted\.json: \[0\]\.fingerprint: expected twelve hexadecimal digits, received "x"; copy it from sallyport diff/,
  )
})

test('diff writes Markdown for a review', async (context) => {
  const cwd = directory(context, { 'a.json': file(STRONG), 'b.json': file(WEAK) })
  const { out } = await run(context, cwd, ['diff', 'a.json', 'b.json', '--markdown'])
  assert.match(out, /^\*\*Security policy:\*\* weaker/)
  assert.match(out, /^\| \*\*weaker\*\* \| cors\.origins \|/m)
})

test('what was accepted and what was changed stand on the page for reviewers', async (context) => {
  const cwd = directory(context, { 'a.json': file(STRONG), 'sallyport.config.json': file(WEAK) })
  const words = ['diff', 'a.json', 'sallyport.config.json']
  const { blocking } = JSON.parse((await run(context, cwd, [...words, '--json'])).out).gate
  await run(context, cwd, [
    ...words,
    '--log',
    '--accept',
    blocking[0],
    '--reason',
    'a test',
    '--owner',
    'ops',
    '--expires',
    '2099-01-01',
  ])
  const all = await run(context, cwd, ['posture', '--format', 'md', '--audience', 'reviewer'])
  assert.match(all.out, new RegExp(`a test \\| ops \\| 2099-01-01 \\| \`${blocking[0]}\``))
  assert.match(
    all.out,
    /## Changes\n\n\|.*\n\|.*\n\| \d{4}-.* \| weaker \| weaker: cors\.origins: https:\/\/evil/,
  )
  const open = await run(context, cwd, ['posture', '--format', 'md'])
  assert.doesNotMatch(open.out, /a test/)
})
