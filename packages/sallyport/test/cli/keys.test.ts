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

const minute = { limit: 100, windowSeconds: 60 }
const catalogue = {
  'sallyport.config.json': JSON.stringify({
    keys: { vendor: 'acme' },
    access: { catalogue: { scopes: { 'products:read': 'reads', 'orders:read': 'reads' } } },
    limits: {
      plans: { free: { buckets: { minute } }, enterprise: { buckets: { minute, hour: minute } } },
      defaultPlan: 'free',
    },
  }),
}

test('H6 a scope or a plan that the policy does not know is refused, with the one that was meant', async (context) => {
  const cwd = directory(context, catalogue)
  const create = (...words: string[]) =>
    run(context, cwd, ['keys', 'create', '--organisation', 'Acme', '--create-organisation', ...words])
  for (const [words, message] of [
    [
      ['--scopes', 'products:read,order:read'],
      /^sallyport: --scopes: .* has no scope "order:read"; did you mean orders:read\?\n$/,
    ],
    [['--scopes', 'x'], /--scopes: .* has no scope "x"; it has products:read, orders:read\n$/],
    [['--plan', 'enterprize'], /--plan: .* has no plan "enterprize"; did you mean enterprise\?\n$/],
  ] as const) {
    const { code, out, err } = await create(...words)
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, message)
  }
  const made = await create('--scopes', 'products:read', '--plan', 'enterprise')
  assert.equal(made.code, 0, made.err)
  assert.ok(!made.err.includes('checked'))
  const bare = directory(context)
  const there = ['keys', 'create', '--vendor', 'acme', '--organisation', 'A', '--create-organisation']
  const unchecked = await run(context, bare, [...there, '--scopes', 'anything', '--json'])
  assert.equal(unchecked.code, 0, unchecked.err)
  assert.equal(unchecked.err, 'No policy is at hand, so --scopes was not checked; name one with --policy.\n')
  const listless = await run(context, directory(context, policy), [...there, '--scopes', 'a', '--json'])
  assert.equal(listless.err, 'sallyport.config.json lists no scopes, so --scopes was not checked.\n')
})

test('a publishable key without origins is made, with a warning that no page can use it', async (context) => {
  const cwd = directory(context, policy)
  const words = [
    'keys',
    'create',
    '--kind',
    'publishable',
    '--organisation',
    'A',
    '--create-organisation',
    '--json',
  ]
  const without = await run(context, cwd, words)
  assert.deepEqual([without.code, /no page can use it/.test(without.err)], [0, true])
  assert.equal((await run(context, cwd, [...words, '--origins', 'https://shop.example'])).err, '')
})

test('keys are listed, shown and revoked without a policy and a vendor; those that expire soon of all or one', async (context) => {
  const cwd = directory(context)
  const keys = (...words: string[]) => run(context, cwd, ['keys', ...words])
  const make = async (organisation: string, expires: string) =>
    JSON.parse(
      (
        await keys(
          ...['create', '--vendor', 'acme', '--organisation', organisation, '--create-organisation'],
          ...['--expires', expires, '--json'],
        )
      ).out,
    )
  const [soon, other] = [await make('Acme', '20d'), await make('Other', '10d')]
  await make('Acme', '60d')
  assert.equal(JSON.parse((await keys('list', '--organisation', 'Acme', '--json')).out).keys.length, 2)
  const expiring = async (...words: string[]) =>
    JSON.parse((await keys('list', '--expiring', '30d', '--json', ...words)).out).keys.map(
      (key: { readonly id: string }) => key.id,
    )
  assert.deepEqual(await expiring(), [other.id, soon.id])
  assert.deepEqual(await expiring('--organisation', 'Acme'), [soon.id])
  assert.ok((await keys('list', '--expiring', '30d')).out.includes(other.organisation))
  const shown = await keys('show', soon.id, '--organisation', 'Acme')
  assert.match(shown.out, /^ {2}created +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/m)
  assert.match(shown.out, new RegExp(`^ {2}expires +${soon.expires.slice(0, 19)}`, 'm'))
  assert.equal((await keys('revoke', soon.id, '--organisation', 'Acme')).code, 0)
  assert.deepEqual(await expiring(), [other.id])
})

test('H1 an organisation gets another plan and limits of its own, which the policy must know', async (context) => {
  const cwd = directory(context, catalogue)
  await run(context, cwd, ['keys', 'create', '--organisation', 'Acme', '--create-organisation'])
  const plan = (...words: string[]) => run(context, cwd, ['keys', 'plan', '--organisation', 'Acme', ...words])
  assert.equal((await plan()).out, 'Acme: plan free, no limits of its own\n')
  const set = await plan('--plan', 'enterprise', '--limit', 'minute=5000', '--limit', 'hour=100000')
  assert.deepEqual([set.code, set.out, set.err], [0, 'Acme: plan enterprise, minute=5000, hour=100000\n', ''])
  const { organisation, ...facts } = JSON.parse((await plan('--limit', 'hour=1', '--json')).out)
  assert.match(organisation, /^[0-9a-f-]{36}$/)
  assert.deepEqual(facts, { plan: 'enterprise', limits: { minute: 5000, hour: 1 } })
  for (const [words, message] of [
    [['--plan', 'enterprize'], /has no plan "enterprize"; did you mean enterprise\?/],
    [['--limit', 'minutes=5'], /has no bucket "minutes"; did you mean minute\?/],
  ] as const) {
    const { code, err } = await plan(...words)
    assert.equal(code, 2)
    assert.match(err, message)
  }
  assert.equal((await plan('--plan', 'free', '--clear')).out, 'Acme: plan free, no limits of its own\n')
})

test('keys says in one line what is missing or wrong', async (context) => {
  const cwd = directory(context, policy)
  const bare = directory(context)
  const lines: readonly (readonly [string, readonly string[], RegExp])[] = [
    [cwd, [], /expected create, list, show, rotate, revoke, plan, prove or rule, received undefined/],
    [cwd, ['show'], /keys show needs the id of a key/],
    [cwd, ['list', 'x'], /keys list takes no operand, received "x"/],
    [bare, ['rule'], /set keys\.vendor in the policy, or write --vendor acme/],
    [bare, ['rule', '--vendor', 'live'], /--vendor: expected 2 to 20 of a–z and 0–9/],
    [cwd, ['create', '--kind', 'public'], /--kind: expected secret or publishable, received "public"/],
    [cwd, ['create', '--expires', 'soon'], /--expires: expected a time such as 365d/],
    [cwd, ['list', '--unused', 'x'], /--unused: expected a number of days/],
    [cwd, ['list', '--expiring', 'soon'], /--expiring: expected a time such as 365d/],
    [cwd, ['list', '--expiring', '1d', '--unused', '1'], /--expiring: goes without --unused/],
    [
      cwd,
      ['rotate', 'x', '--overlap', '30d'],
      /--overlap: the old key lives on for at most 7d, received "30d"/,
    ],
    [cwd, ['plan', '--limit', 'minute'], /--limit: expected BUCKET=REQUESTS of at most 10000000/],
    [cwd, ['plan', '--limit', 'minute=99999999'], /--limit: expected BUCKET=REQUESTS/],
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
    [cwd, ['plan'], /keys belong to an organisation; name it with --organisation/],
    [cwd, ['plan', '--organisation', 'Nobody'], /there is none named "Nobody"/],
    [cwd, ['create', '--store', 'postgres://nobody@127.0.0.1:1/none'], /--store: the store can’t be reached/],
  ]
  for (const [place, words, message] of lines) {
    const { code, out, err } = await run(context, place, ['keys', ...words])
    assert.deepEqual([code, out], [2, ''], words.join(' '))
    assert.match(err, message)
    assert.equal(err.trim().split('\n').length, 1)
  }
})
