// `sallyport tenancy init` and `check`, on a real PostgreSQL.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { postgresMissing, startPostgres } from '../../../store/test/fixtures/postgres.ts'
import { runAs } from '../../../store/test/tenancy/fixtures.ts'
import { directory, run } from './command.ts'

const TABLES = `
create table customers (organisation_id uuid, id bigint, email text, primary key (organisation_id, id));
create table orders (organisation_id uuid, id bigint, customer_id bigint, primary key (organisation_id, id),
  foreign key (organisation_id, customer_id) references customers (organisation_id, id));
`
const INIT = [
  'tenancy',
  'init',
  '--tables',
  'orders,customers',
  '--tenant-column',
  'organisation_id',
  '--tenant-type',
  'uuid',
  '--app-role',
  'shop',
]

test('H2 what init writes makes check content, twice, and one careless statement makes it fail', {
  skip: postgresMissing,
}, async (context) => {
  const server = await startPostgres()
  context.after(() => server.end())
  const { ownerUrl, name } = await server.database()
  const cwd = directory(context, {})
  const sql = (text: string, url = ownerUrl) => runAs(url, text)
  await sql(TABLES)
  const check = (...more: readonly string[]) =>
    run(context, cwd, ['tenancy', 'check', ownerUrl, '--app-role', 'shop', ...more])

  const written = await run(context, cwd, [...INIT, '--out', 'tenancy.sql'])
  assert.deepEqual([written.code, written.err], [0, ''])
  assert.match(written.out, /^wrote tenancy\.sql\n\nWhat is left to you:\n {2}1\. /)
  const migration = readFileSync(join(cwd, 'tenancy.sql'), 'utf8')
  await sql(`create role shop`, server.url('postgres', name))
  const before = await check()
  assert.equal(before.code, 0, before.out)
  assert.match(before.out, /out of the application’s reach: public\.customers, public\.orders/)

  for (let time = 0; time < 2; time += 1) await sql(migration)
  const good = await check('--record', 'sallyport.tenancy.json')
  assert.deepEqual([good.code, good.err], [0, ''], good.out)
  assert.match(good.out, /2 tables with organisation_id, asked by shop[\s\S]*Nothing was found/)
  const record = JSON.parse(readFileSync(join(cwd, 'sallyport.tenancy.json'), 'utf8'))
  assert.deepEqual([record.format, record.tables, record.findings], ['sallyport-tenancy-record/1', 2, 0])
  const again = await check('--json')
  assert.equal(JSON.parse(again.out).digest, record.digest)

  await sql('create policy support on orders using (true); grant truncate on customers to shop')
  const bad = await check('--sarif', 'out.sarif', '--junit', 'out.xml')
  assert.equal(bad.code, 1)
  assert.match(bad.out, /^CRITICAL {2}tenancy\.policy-open {2}public\.orders$/m)
  assert.match(bad.out, /^ {2}mend: revoke truncate on customers from shop;$/m)
  const sarif = JSON.parse(readFileSync(join(cwd, 'out.sarif'), 'utf8'))
  assert.deepEqual(
    sarif.runs[0].results.map((each: { ruleId: string; level: string }) => [each.ruleId, each.level]),
    [
      ['tenancy.policy-open', 'error'],
      ['tenancy.grant-truncate', 'error'],
      ['tenancy.check-implicit', 'note'],
    ],
  )
  assert.match(readFileSync(join(cwd, 'out.xml'), 'utf8'), /failures="2"/)

  // The lines that are said to mend it do.
  for (const { id, mend } of JSON.parse((await check('--json')).out).findings)
    if (id === 'tenancy.grant-truncate' || id === 'tenancy.policy-open') await sql(mend)
  assert.equal((await check()).code, 0)
})

test('tenancy says in one line what is missing or wrong, and shows no URL', async (context) => {
  const cwd = directory(context, { 'there.sql': '' })
  const closed = 'postgres://api:S3cret@127.0.0.1:1/shop'
  const lines: readonly (readonly [readonly string[], RegExp])[] = [
    [['tenancy'], /expected init or check, received undefined/],
    [['tenancy', 'init'], /needs your tables; write --tables orders,customers/],
    [['tenancy', 'init', '--tables', 'orders'], /needs the column; write --tenant-column organisation_id/],
    [
      ['tenancy', 'init', '--tables', 'a;b', '--tenant-column', 'x'],
      /--tables: expected names of tables .* received "a;b"/,
    ],
    [
      ['tenancy', 'init', '--tables', 'a', '--tenant-column', 'x"'],
      /--tenant-column: expected a name .* received "x\\""/,
    ],
    [
      ['tenancy', 'init', '--tables', 'a', '--tenant-column', 'x', '--tenant-type', 'json'],
      /--tenant-type: expected text, uuid, bigint, integer, received "json"/,
    ],
    [
      ['tenancy', 'init', '--tables', 'a', '--tenant-column', 'x', '--out', 'there.sql'],
      /--out there\.sql: is there already, and is not written over/,
    ],
    [['tenancy', 'init', '--json'], /--json: goes with check; leave it out/],
    [['tenancy', 'check', '--tables', 'a'], /--tables: goes with init; leave it out/],
    [
      ['tenancy', 'check', closed, '--tenant-setting', "x'"],
      /--tenant-setting: expected two names with a dot between, received "x'"/,
    ],
    [['tenancy', 'check'], /needs the database; write .* or set DATABASE_URL/],
    [
      ['tenancy', 'check', 'mysql://S3cret@x/y'],
      /expected a URL that starts with postgres:\/\/, received something else/,
    ],
    [
      ['tenancy', 'check', closed],
      /tenancy check: the server can’t be reached \(ECONNREFUSED\); check host and port/,
    ],
  ]
  for (const [words, said] of lines) {
    const { code, err } = await run(context, cwd, words)
    assert.equal(code, 2, words.join(' '))
    assert.match(err, said)
    assert.ok(!err.includes('S3cret') && err.trimEnd().split('\n').length === 1, err)
  }
})
