// An export holds everything, can't be changed unseen, and fills the other engine; doctor names what is wrong.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  diagnose,
  exportStore,
  importStore,
  keyByDigest,
  keyInsert,
  openStore,
  organisationInsert,
  organisationPlan,
  revocationHead,
  type Store,
  storeInsert,
  storeList,
} from '../src/index.ts'
import { embeddedStore, storeFolder } from './fixtures/embedded.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './fixtures/postgres.ts'

const keys = generateKeyPairSync('ed25519')
const digest = new Uint8Array(32).fill(0xfe)

async function filled(store: Store): Promise<void> {
  for (const id of ['a', 'b']) {
    await store.query(organisationInsert, [id, `“${id}”\n\u2028`, 'free', { requests: 100 }])
    for (let index = 0; index < 3; index += 1) await store.queryAs(id, storeInsert, [id, `s${index}`, 'Shop'])
  }
  const key = [
    'k',
    'a',
    null,
    'Till',
    'secret',
    'live',
    'sk_…',
    null,
    ['x', 'y,"z'],
    [],
    [],
    'me',
    new Date(86_400_000),
    digest,
    1,
    null,
    null,
  ]
  await store.query(keyInsert, key as unknown as Parameters<typeof store.query<typeof keyInsert>>[1])
  await store.query(organisationPlan, ['a', 'pro', null])
}

async function lines(store: Store): Promise<readonly string[]> {
  const written: string[] = []
  const rows = await exportStore(store, {
    write: (line) => void written.push(line),
    privateKey: keys.privateKey,
    now: new Date(0),
  })
  assert.equal(rows, written.length - 2)
  return written
}

const given = (text: readonly string[], publicKey = keys.publicKey) => ({
  async *lines() {
    yield* text
  },
  publicKey,
})

it('refuses an export that was changed, cut or signed by another, and a store that is not empty', async (test) => {
  const store = await embeddedStore(test)
  await filled(store)
  const text = await lines(store)
  const row = text.findIndex((line) => line.includes('"plan": "pro"') || line.includes('"plan":"pro"'))
  const wrong: readonly [readonly string[], RegExp][] = [
    [text.with(row, text[row]!.replace('pro', 'max')), /its lines were changed/],
    [text.toSpliced(row, 1), /too early or has lines too many/],
    [text.slice(0, -1), /too early or has lines too many/],
    [[], /too early/],
    [['{}', ...text.slice(1)], /first line is not/],
    [text.with(-1, '{'), /not JSON/],
  ]
  for (const [changed, message] of wrong)
    await assert.rejects(importStore(store, given(changed)), { code: 'refused', message })
  const other = generateKeyPairSync('ed25519').publicKey
  await assert.rejects(importStore(store, given(text, other)), /signature is not of the given key/)
  await assert.rejects(importStore(store, given(text)), /holds records already/)
  // What failed guesses or the audit log remember is no less a record.
  for (const sql of [
    `insert into lockouts (name_digest, authenticator) values (sha256('x'), 'password')`,
    `insert into audit_entries (index, uid, at, action, entry) values (0, 'u', now(), 'a', '{}')`,
  ]) {
    const used = await embeddedStore(test)
    await used.asOwner((client) => client.query(sql))
    const rowsOf = async () => (await lines(used)).slice(1, -1)
    const kept = await rowsOf()
    await assert.rejects(
      importStore(used, given(text)),
      /holds records already \((?:lockouts|audit_entries)\)/,
    )
    assert.deepEqual(await rowsOf(), kept)
  }
})

describe('between the engines', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  it('moves everything from embedded to a server and back, byte for byte', async (test) => {
    const first = await embeddedStore(test)
    await filled(first)
    const text = await lines(first)
    const onServer = await openStore(await server.database())
    test.after(() => onServer.close())
    assert.equal(await importStore(onServer, given(text)), text.length - 2)
    assert.deepEqual(await onServer.query(revocationHead, []), [{ seq: 1 }])
    const [key] = await onServer.query(keyByDigest, [[digest]])
    assert.deepEqual([key?.id, key?.scopes, key?.organisation_plan], ['k', ['x', 'y,"z'], 'pro'])
    assert.equal((await onServer.queryAs('b', storeList, [])).length, 3)
    const again = await lines(onServer)
    const back = await embeddedStore(test)
    await importStore(back, given(again))
    assert.deepEqual(await lines(back), text)
  })

  it('is not opened by a role that row-level security does not bind; doctor says so too', async () => {
    const { url, ownerUrl, name } = await server.database()
    await (await openStore({ url, ownerUrl })).close()
    for (const [role, message] of [
      ['postgres', /is a superuser/],
      ['sallyport_owner', /owns tables/],
    ] as const) {
      const wrong = server.url(role, name)
      await assert.rejects(openStore({ url: wrong }), { code: 'refused', message })
      const [finding] = await diagnose({ url: wrong })
      assert.equal(finding?.ok, false)
      assert.match(finding.says, message)
    }
    const findings = await diagnose({ url })
    // The server of the tests does not sync, to be quick.
    assert.deepEqual(
      findings.filter(({ ok }) => !ok).map(({ check }) => check),
      ['durability'],
    )
    const late = await diagnose({ url }, () => Date.now() + 3_600_000)
    assert.match(late.find(({ check }) => check === 'clock')!.says, /3[56]\d\d s apart/)
    const [away] = await diagnose({ url: 'postgres://api@/none?host=/nowhere' })
    assert.deepEqual([away?.check, away?.ok], ['open', false])
  })
})

it('finds nothing wrong with an embedded store, and says what is wrong with a damaged one', async (test) => {
  const directory = await storeFolder(test)
  const findings = await diagnose({ directory })
  assert.deepEqual(
    findings.map(({ check, ok }) => [check, ok]),
    [
      ['version', true],
      ['durability', true],
      ['schema', true],
      ['clock', true],
      ['pages', true],
    ],
  )
  const [open] = await diagnose({ directory: `${directory}/base` })
  assert.equal(open?.ok, false)
})
