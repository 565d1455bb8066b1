// `sallyport keys`, on an embedded store.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { directory, run } from './command.ts'

const policy = {
  'sallyport.config.json': JSON.stringify({
    keys: { vendor: 'acme', expiresAfterDays: 90, overlapSeconds: 3600 },
  }),
}
const DAY_MS = 86_400_000

test('H5 keys are made, listed, rotated and revoked; the text of one is written once', async (context) => {
  const cwd = directory(context, policy)
  const keys = (...words: string[]) => run(context, cwd, ['keys', ...words, '--organisation', 'Acme'])
  const made = await keys(
    ...['create', '--create-organisation', '--plan', 'pro', '--name', 'Till'],
    ...['--scopes', 'products:read,orders:read', '--networks', '192.0.2.0/24'],
  )
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /^sk_acme_live_[0-9A-Za-z]{38}\n$/)
  assert.match(made.err, /^It is not kept and can’t be shown again\. Its id is [0-9a-f-]{36}, /)
  const secret = made.out.trim()
  const id = /id is ([0-9a-f-]{36})/.exec(made.err)![1]!

  const shown = await keys('show', id, '--json')
  const facts = JSON.parse(shown.out)
  assert.deepEqual(
    [facts.id, facts.key, facts.scopes, facts.networks, facts.plan, facts.generation],
    [id, `sk_acme_live_…${secret.slice(-4)}`, ['products:read', 'orders:read'], ['192.0.2.0/24'], null, 1],
  )
  const left = (Date.parse(facts.expires) - Date.now()) / DAY_MS
  assert.ok(left > 89 && left <= 90, 'as the policy says')

  const rotated = await keys('rotate', id, '--json')
  const next = JSON.parse(rotated.out)
  assert.match(next.key, /^sk_acme_live_/)
  assert.notEqual(next.key, secret)
  assert.equal(next.generation, 2)
  const overlap = Date.parse(next.previousEnds) - Date.now()
  assert.ok(overlap > 3_000_000 && overlap <= 3_600_000, 'the overlap of the policy')

  const publishable = await keys(
    ...['create', '--kind', 'publishable', '--environment', 'test', '--origins', 'https://shop.example'],
    ...['--expires', 'never', '--json'],
  )
  assert.match(JSON.parse(publishable.out).key, /^pk_acme_test_/)
  assert.equal(JSON.parse(publishable.out).expires, null)

  const revoked = await keys('revoke', id, '--reason', 'lost')
  assert.deepEqual(
    [revoked.code, revoked.out],
    [0, `revoked ${id}: every node refuses it within two seconds\n`],
  )
  assert.match((await keys('revoke', id)).out, /was revoked before/)
  const again = await keys('rotate', id)
  assert.deepEqual(
    [again.code, again.err],
    [2, 'sallyport: keys: the key is revoked or expired; make a new one\n'],
  )
  const list = await keys('list')
  assert.match(list.out, /pk_acme_test_….*never expires, never used/)
  assert.match(list.out, /sk_acme_live_….*revoked \d{4}-\d\d-\d\d/)
  for (const { out, err } of [shown, revoked, list]) assert.ok(!`${out}${err}`.includes(secret.slice(13)))
  const unused = await run(context, cwd, ['keys', 'list', '--unused', '0', '--json'])
  assert.deepEqual(
    JSON.parse(unused.out).keys.map((key: { readonly kind: string }) => key.kind),
    ['publishable'],
  )

  // Held by a process that answers nobody.
  const lock = new DatabaseSync(join(cwd, '.sallyport/store.lock'))
  lock.exec('begin exclusive')
  const held = await keys('list')
  lock.close()
  assert.equal(held.code, 2)
  assert.match(held.err, /^sallyport: --store: the store's folder is in use by .*; stop it, or /)
})

test('H7 keys are made and ended beside a gateway that has the store open', async (context) => {
  const cwd = directory(context, policy)
  const keys = (...words: string[]) =>
    run(context, cwd, ['keys', ...words, '--organisation', 'Acme', '--json'])
  const gateway = spawn(
    process.execPath,
    [
      '--eval',
      `import('@sallyport/store').then(async ({ answerNeighbours, openStore }) => {
         const directory = ${JSON.stringify(join(cwd, 'store'))}
         await answerNeighbours(await openStore({ directory }), directory)
         console.log('open')
         setInterval(() => {}, 1000)
       })`,
    ],
    { cwd: fileURLToPath(new URL('../../../..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
  )
  context.after(() => gateway.kill('SIGKILL'))
  await Promise.race([once(gateway.stdout, 'data'), once(gateway, 'exit')])
  const store = ['--store', 'store']
  const made = await keys('create', '--create-organisation', ...store)
  assert.equal(made.code, 0, made.err)
  const { id } = JSON.parse(made.out)
  assert.equal((await keys('rotate', id, ...store)).code, 0)
  assert.deepEqual(JSON.parse((await keys('revoke', id, ...store)).out), { id, revoked: true, before: false })
  const [key] = JSON.parse((await keys('list', ...store)).out).keys
  assert.equal(key.reason, 'revoked')
})

test('H6 the rules for scanners find keys of the vendor, and no other', async (context) => {
  const cwd = directory(context, policy)
  const { out } = await run(context, cwd, ['keys', 'rule', '--json'])
  const { pattern, gitleaks } = JSON.parse(out)
  const key = `sk_acme_live_${'a'.repeat(38)}`
  assert.match(`key = "${key}"`, new RegExp(`\\b(${pattern})\\b`))
  for (const other of [key.replace('acme', 'other'), key.slice(0, -1), key.replace('sk', 'pk'), `${key}b`])
    assert.doesNotMatch(other, new RegExp(`\\b(${pattern})\\b`))
  assert.ok(gitleaks.includes(pattern))
  const shown = await run(context, cwd, ['keys', 'rule'])
  assert.ok(shown.out.includes('[[rules]]') && shown.out.includes(`# ${pattern}`))
})

test('keys says in one line what is missing or wrong', async (context) => {
  const cwd = directory(context, policy)
  const bare = directory(context)
  const lines: readonly (readonly [string, readonly string[], RegExp])[] = [
    [cwd, [], /expected create, list, show, rotate, revoke, prove or rule, received undefined/],
    [cwd, ['show'], /keys show needs the id of a key/],
    [cwd, ['list', 'x'], /keys list takes no operand, received "x"/],
    [bare, ['rule'], /set keys\.vendor in the policy, or write --vendor acme/],
    [bare, ['rule', '--vendor', 'live'], /--vendor: expected 2 to 20 of a–z and 0–9/],
    [cwd, ['create', '--kind', 'public'], /--kind: expected secret or publishable, received "public"/],
    [cwd, ['create', '--expires', 'soon'], /--expires: expected a time such as 365d/],
    [cwd, ['list', '--unused', 'x'], /--unused: expected a number of days/],
    [cwd, ['create'], /keys belong to an organisation; name it with --organisation/],
    [
      cwd,
      ['create', '--organisation', 'Nobody'],
      /there is none named "Nobody"; make it with --create-organisation/,
    ],
    [
      cwd,
      ['create', '--organisation', 'A', '--create-organisation', '--scopes', 'a"b'],
      /keys: "a\\"b" is no scope; write one such as products:read/,
    ],
    [cwd, ['create', '--store', 'postgres://nobody@127.0.0.1:1/none'], /--store: the store can’t be reached/],
  ]
  for (const [place, words, message] of lines) {
    const { code, out, err } = await run(context, place, ['keys', ...words])
    assert.deepEqual([code, out], [2, ''], words.join(' '))
    assert.match(err, message)
    assert.equal(err.trim().split('\n').length, 1)
  }
})
