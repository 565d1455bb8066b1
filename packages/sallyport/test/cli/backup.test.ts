// `sallyport backup`, `restore` and `secrets`, as an operator runs them.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ringOf, sealField } from '../../../store/src/secrets/index.ts'
import { postgresMissing, startPostgres } from '../../../store/test/fixtures/postgres.ts'
import { runAs } from '../../../store/test/tenancy/fixtures.ts'
import { operator } from '../../src/cli/operator.ts'
import { directory, run } from './command.ts'

const recipient = generateKeyPairSync('x25519')
const pem = {
  'backup.identity': recipient.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  'backup.recipient': recipient.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  'sallyport.config.json': '{ "keys": { "vendor": "acme" } }',
}
const OPENING = ['--identity', 'backup.identity', '--key', '.sallyport/backup.pub']

test('H3 a store is backed up, proved, and restored under another name, and its keys work with its pepper', async (context) => {
  const cwd = directory(context, pem)
  const made = await run(context, cwd, ['keys', 'create', '--organisation', 'Shop', '--create-organisation'])
  assert.equal(made.code, 0, made.err)
  const backup = ['backup', '--recipient', 'backup.recipient', '--keep', '1']
  const first = await run(context, cwd, [...backup, '--record', 'sallyport.backup.json'])
  assert.equal(first.code, 0, first.err)
  assert.match(first.out, /^proved backups\/sallyport-.*\.backup: \d+ rows, .* restored and compared\n$/)
  assert.match(first.err, /^Not in the backup, and needed .*\.pepper.*backup\.pub/s)
  const second = await run(context, cwd, backup)
  assert.deepEqual([second.code, second.err], [0, ''])
  assert.match(second.out, /\nremoved sallyport-.*\.backup\n$/)
  const [file] = readdirSync(join(cwd, 'backups')).filter((name) => name.endsWith('.backup'))
  const listed = await run(context, cwd, ['backup', 'list', '--json'])
  assert.deepEqual(
    JSON.parse(listed.out).map((each: { file: string }) => each.file),
    [file],
  )
  const verified = await run(context, cwd, ['backup', 'verify', `backups/${file}`, ...OPENING])
  assert.deepEqual([verified.code, verified.err], [0, ''])
  assert.match(verified.out, /✓ .*: signed, decrypted, restored and compared/)

  const restore = ['restore', `backups/${file}`, ...OPENING, '--store', 'new/other']
  const restored = await run(context, cwd, restore)
  assert.deepEqual([restored.code, restored.err], [0, ''])
  assert.match(restored.out, /every session has ended[\s\S]*as other\.pepper/)
  const list = ['keys', 'list', '--organisation', 'Shop', '--store', 'new/other']
  const without = await run(context, cwd, list)
  assert.match(without.err, /other\.pepper beside the store is gone/)
  copyFileSync(join(cwd, '.sallyport/store.pepper'), join(cwd, 'new/other.pepper'))
  const within = await run(context, cwd, list)
  assert.deepEqual([within.code, within.err], [0, ''])
  assert.match(within.out, /unnamed/)
  const again = await run(context, cwd, restore)
  assert.deepEqual([again.code, again.out], [2, ''])
  assert.match(again.err, /the store holds records already/)

  const page = await run(context, cwd, ['posture', '--format', 'md'])
  assert.doesNotMatch(page.out, /Last proved backup/)
  writeFileSync(join(cwd, 'sallyport.config.json'), '{ "backup": { "everySeconds": 86400 } }')
  const declared = await run(context, cwd, ['posture', '--format', 'md'])
  assert.match(declared.out, /Last proved backup.*UTC, restored into an empty store and compared/)

  const path = join(cwd, 'backups', file!)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(7, bytes.length - 20))
  const bad = await run(context, cwd, ['backup', 'verify', path, ...OPENING])
  assert.equal(bad.code, 1)
  assert.match(bad.out, /✗ .*it was changed or cut/)
})

test('H3 backup, restore and secrets say in one line what is missing or wrong', async (context) => {
  const cwd = directory(context, {
    ...pem,
    'ed.pub': generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  })
  const lines: readonly (readonly [readonly string[], RegExp])[] = [
    [['backup', 'now'], /expected nothing, list, verify or check, received "now"/],
    [['backup'], /make one elsewhere with openssl genpkey -algorithm x25519/],
    [['backup', '--recipient', 'backup.identity'], /holds a private key; name the public one/],
    [['backup', '--recipient', 'ed.pub'], /holds a key of ed25519, expected X25519/],
    [['backup', '--recipient', 'sallyport.config.json'], /holds no public key in PEM/],
    [['backup', '--recipient', 'backup.recipient'], /there is no store in this folder/],
    [['backup', '--recipient', 'backup.recipient', '--keep', '0'], /--keep: expected a number/],
    [['backup', 'verify'], /name the backup/],
    [['backup', 'verify', 'x'], /name it with --identity/],
    [['backup', 'verify', 'x', '--identity', 'backup.identity'], /backup\.pub of the state folder/],
    [['restore', 'x'], /name an empty one with --store/],
    [['restore', 'x', '--store', 'y', '--identity', 'backup.identity', '--key', 'ed.pub'], /x: is not there/],
    [
      ['restore', 'x', '--store', 'postgres://h/d', '--identity', 'backup.identity', '--key', 'ed.pub'],
      /as the owner of the tables; name it with --owner/,
    ],
    [['backup', 'check'], /or set DATABASE_URL/],
    [['backup', 'check', 'mysql://u:hunter2@h/d'], /starts with postgres:\/\/, received something else/],
    [['backup', 'check', 'postgres://u:hunter2@127.0.0.1:1/d'], /could not be asked \(ECONNREFUSED\)/],
    [['backup', 'check', 'postgres://h/d', '--max-age', 'x'], /expected days such as 8d/],
    [['secrets'], /expected key, count or rotate/],
    [['secrets', 'count', 'postgres://h/d'], /needs the table/],
  ]
  for (const [words, message] of lines) {
    const { code, out, err } = await run(context, cwd, words)
    assert.deepEqual([code, out], [2, ''], words.join(' '))
    assert.match(err, message)
    assert.doesNotMatch(err, /hunter2|\n./)
  }
  assert.equal(existsSync(join(cwd, '.sallyport/store')), false)
})

test('H3 secrets rotates a column, and check looks at a server', {
  skip: postgresMissing,
}, async (context) => {
  const server = await startPostgres()
  context.after(() => server.end())
  const { ownerUrl } = await server.database()
  const cwd = directory(context)
  const made = await run(context, cwd, ['secrets', 'key'])
  assert.match(made.out, /^[\w-]{43}\n$/)
  const key = Buffer.alloc(32, 1)
  const sealed = sealField(ringOf(new Map([[1, key]])), Buffer.from('x'), {
    table: 'accounts',
    column: 'totp',
    row: '1',
  })
  await runAs(
    ownerUrl,
    `create table accounts (id int primary key, totp bytea); insert into accounts values (1, '\\x${sealed.toString('hex')}')`,
  )
  const environment = {
    DATABASE_URL: ownerUrl,
    SALLYPORT_FIELD_KEY_1: key.toString('base64url'),
    SALLYPORT_FIELD_KEY_2: made.out.trim(),
  }
  const words = ['--table', 'accounts', '--column', 'totp']
  const count = await run(context, cwd, ['secrets', 'count', ...words], environment)
  assert.deepEqual([count.code, count.out], [0, 'key 1: 1\n'])
  const rotated = await run(context, cwd, ['secrets', 'rotate', ...words, '--json'], environment)
  assert.deepEqual(JSON.parse(rotated.out), {
    table: 'accounts',
    column: 'totp',
    rotated: 1,
    byKey: { 2: 1 },
  })
  // The log of a store that is named is told; one that is not there is not made.
  await run(context, cwd, [
    'keys',
    'create',
    '--vendor',
    'acme',
    '--organisation',
    'A',
    '--create-organisation',
  ])
  const told = await run(
    context,
    cwd,
    ['secrets', 'rotate', ...words, '--store', '.sallyport/store'],
    environment,
  )
  assert.deepEqual([told.code, told.err], [0, ''])
  const log = await run(context, cwd, ['audit', 'search', '--action', 'secrets.rotated', '--json'])
  const entry = JSON.parse(log.out)
  assert.deepEqual(
    [entry.resource.uid, entry.unmapped.details, entry.actor.user.uid],
    ['accounts.totp', { fields: 0, key: 2 }, operator()],
  )
  const nowhere = await run(context, cwd, ['secrets', 'rotate', ...words, '--store', 'nowhere'], environment)
  assert.equal(nowhere.code, 2)
  assert.match(
    nowhere.err,
    /the fields were encrypted anew, and the audit log did not take it: .*no store in this folder/,
  )
  assert.equal(existsSync(join(cwd, 'nowhere')), false)
  const { SALLYPORT_FIELD_KEY_2: _, ...old } = environment
  const lost = await run(context, cwd, ['secrets', 'rotate', ...words], old)
  assert.deepEqual([lost.code, lost.out], [2, ''])
  assert.match(lost.err, /secrets rotate: accounts\.totp: a value needs key 2/)

  const check = await run(context, cwd, ['backup', 'check', ownerUrl])
  assert.equal(check.code, 1)
  assert.match(
    check.out,
    /CRITICAL {2}backup\.not-durable[\s\S]*HIGH {2}backup\.archive-off[\s\S]*\n3 findings\n$/,
  )
})
