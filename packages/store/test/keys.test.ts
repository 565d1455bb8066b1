// Keys in the store of records: made, looked up by a ring, rotated, revoked; the same on both engines.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { AuditEvent } from 'sallyport'
import { createKeyRing, digestOf, type KeyRecord, keyFormat, type RunningKeyRing } from 'sallyport/keys'
import {
  type KeyAdministration,
  keyAdministration,
  keyAdministrator,
  keyRecords,
  openPeppers,
  openStore,
  type Pepper,
  principalChange,
  principalInsert,
  pushRevocations,
  type Store,
} from '../src/index.ts'
import { statement } from '../src/statement.ts'
import { embeddedStore, storeFolder } from './fixtures/embedded.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './fixtures/postgres.ts'

const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)
const pepper = (version: number, fill: number): Pepper => ({
  version,
  name: `PEPPER_${version}`,
  secret: new Uint8Array(32).fill(fill),
})
const environment = { SALLYPORT_PEPPER_1: Buffer.alloc(32, 1).toString('base64url') }

interface World {
  readonly store: Store
  readonly administration: KeyAdministration
  readonly ring: RunningKeyRing
  readonly organisation: string
  readonly events: AuditEvent[]
  readonly create: (changes?: object) => Promise<{ readonly key: string; readonly id: string }>
}

async function worldOf(
  test: TestContext,
  store: Store,
  peppers: readonly Pepper[] = [pepper(1, 1)],
): Promise<World> {
  const events: AuditEvent[] = []
  const ring = createKeyRing(keyRecords(store, peppers))
  test.after(() => ring.close())
  const administration = keyAdministration(store, {
    format: keyFormat('acme'),
    peppers,
    random,
    clock: Date.now,
    audit: { record: (event) => void events.push(event) },
    onChange: () => ring.poke(),
  })
  await ring.ready
  const organisation = await administration.createOrganisation('Acme', 'free', 'test')
  return {
    store,
    administration,
    ring,
    organisation,
    events,
    create: (changes = {}) =>
      administration.create({
        organisation,
        name: 'Till',
        kind: 'secret',
        environment: 'live',
        scopes: ['orders:read', 'orders:write'],
        createdBy: 'ada',
        ...changes,
      }),
  }
}

/** What the ring says once it says something: a caller comes again after 503. */
async function found(ring: RunningKeyRing, key: string): Promise<KeyRecord | 'unknown'> {
  for (;;) {
    const answer = await ring.find(key)
    if (answer === 'unavailable') await wait(5)
    else return answer === 'unknown' ? answer : answer.record
  }
}

/** Asks until a record is as it must become. */
async function until(
  ring: RunningKeyRing,
  key: string,
  good: (record: KeyRecord) => boolean,
): Promise<KeyRecord> {
  for (;;) {
    const record = await found(ring, key)
    if (record !== 'unknown' && good(record)) return record
    await wait(5)
  }
}

const NO_LOG = { size: 0, waiting: 0, lost: 0, problem: undefined, fault: undefined, checkpoint: undefined }
const QUIET_LOG = { append: async () => {}, state: NO_LOG }
const WANTED = {
  name: 'Made',
  kind: 'secret',
  environment: 'live',
  scopes: ['orders:read'],
  origins: [],
  networks: [],
  expiresAt: Date.now() + 86_400_000,
} as const

const everything = (table: string) =>
  statement(`all_of_${table}`, [], { row: 'text' }, `select t::text as row from ${table} t`)

function keyBehaviour(open: (test: TestContext) => Promise<Store>): void {
  it('H5 stores a digest under a pepper, and nothing from which a key could be had', async (test) => {
    const { store, create, ring } = await worldOf(test, await open(test))
    const { key, id } = await create()
    const record = await found(ring, key)
    assert.ok(record !== 'unknown')
    assert.deepEqual([record.id, record.display], [id, `sk_acme_live_…${key.slice(-4)}`])
    const sha256 = Buffer.from(await digestOf(key), 'latin1')
    for (const table of ['api_keys', 'api_key_generations', 'pepper_versions', 'revocations'])
      for (const { row } of await store.query(everything(table), []))
        for (const secret of [key, key.slice(13, 45), sha256.toString('hex'), sha256.toString('base64')])
          assert.ok(!row.includes(secret), `${table} holds the key or its bare digest`)
  })

  it('H5 a digest that was written without the pepper opens nothing', async (test) => {
    const { store, create, ring, organisation } = await worldOf(test, await open(test))
    await create()
    const forged = keyFormat('acme').make({ kind: 'secret', environment: 'live' }, random)
    const other = keyAdministration(store, {
      format: keyFormat('acme'),
      peppers: [pepper(1, 9)],
      random: (bytes) => bytes.fill(0),
      clock: Date.now,
    })
    const { key } = await other.create({
      organisation,
      name: 'Forged',
      kind: 'secret',
      environment: 'live',
      createdBy: 'mallory',
    })
    assert.equal(await found(ring, key), 'unknown')
    assert.equal(await found(ring, forged), 'unknown')
  })

  it('H5 keys of an older pepper are found beside those of the newest', async (test) => {
    const store = await open(test)
    const first = await worldOf(test, store)
    const { key } = await first.create()
    const later = await worldOf(test, store, [pepper(2, 2), pepper(1, 1)])
    const { key: newer } = await later.create()
    for (const each of [key, newer]) assert.notEqual(await found(later.ring, each), 'unknown')
    assert.equal(await found(first.ring, newer), 'unknown', 'who lacks the newest pepper')
  })

  it('H7 a rotated key is another at once, and the old one is refused', async (test) => {
    const { administration, create, ring, organisation, events } = await worldOf(test, await open(test))
    const { key, id } = await create({ expiresAt: Date.now() + 86_400_000 })
    await found(ring, key)
    const rotated = await administration.rotate(organisation, id, 'ada')
    assert.equal(rotated.generation, 2)
    const old = await until(ring, key, ({ generationEndsAt }) => generationEndsAt !== undefined)
    assert.ok(old.generationEndsAt! <= Date.now() + 1_000 && old.generation === 1)
    assert.ok(old.generationReplacedAt !== undefined)
    const record = await found(ring, rotated.key)
    assert.ok(record !== 'unknown')
    assert.deepEqual([record.id, record.generation, record.generationEndsAt], [id, 2, undefined])
    assert.deepEqual(record.scopes, ['orders:read', 'orders:write'])
    assert.deepEqual(
      events.map(({ action, target, actor }) => [action, target, actor]),
      [
        ['organisation.created', organisation, 'test'],
        ['key.created', id, 'ada'],
        ['key.rotated', id, 'ada'],
      ],
    )
  })

  it('H7 an overlap lets the old key live on, never beyond its own expiry, and two generations at most', async (test) => {
    const { administration, create, ring, organisation } = await worldOf(test, await open(test))
    const expiresAt = Date.now() + 60_000
    const { key, id } = await create({ expiresAt })
    const second = await administration.rotate(organisation, id, 'ada', {
      overlapSeconds: 3_600,
      expiresAt: expiresAt + 86_400_000,
    })
    assert.equal(second.beforeEndsAt, expiresAt)
    const old = await until(
      ring,
      key,
      ({ generation, generationEndsAt }) => generation === 1 && generationEndsAt !== undefined,
    )
    assert.equal(old.generationEndsAt, expiresAt)
    assert.equal((await administration.show(organisation, id)).expires_at?.getTime(), expiresAt + 86_400_000)
    await administration.rotate(organisation, id, 'ada', { overlapSeconds: 60 })
    const first = await until(ring, key, ({ generationEndsAt }) => generationEndsAt !== expiresAt)
    assert.ok(first.generationEndsAt! <= Date.now() + 1_000, 'the first ends with the third')
    for (const overlapSeconds of [-1, 604_801, 1.5])
      await assert.rejects(administration.rotate(organisation, id, 'ada', { overlapSeconds }), {
        code: 'wrong',
      })
  })

  it('H7 a revoked key is refused, and can’t be rotated or revoked again', async (test) => {
    const { administration, create, ring, organisation } = await worldOf(test, await open(test))
    const { key, id } = await create()
    await found(ring, key)
    await assert.rejects(administration.revoke('another', id, 'eve', 'spite'), { code: 'unknown' })
    assert.equal(await administration.revoke(organisation, id, 'ada', 'lost'), true)
    await until(ring, key, ({ revokedAt }) => revokedAt !== undefined)
    assert.equal(await administration.revoke(organisation, id, 'ada', 'lost'), false)
    await assert.rejects(administration.rotate(organisation, id, 'ada'), { code: 'ended' })
  })

  it('a key has the rights that its owner has now: less scopes, another role, none when disabled', async (test) => {
    const { store, create, ring, organisation } = await worldOf(test, await open(test))
    await store.queryAs(organisation, principalInsert, [
      organisation,
      'ada',
      'person',
      'Ada',
      'admin',
      ['orders:read'],
    ])
    const { key } = await create({ owner: 'ada' })
    const record = await found(ring, key)
    assert.ok(record !== 'unknown')
    assert.deepEqual([record.owner, record.ownerRole, record.ownerScopes], ['ada', 'admin', ['orders:read']])
    await store.queryAs(organisation, principalChange, ['ada', 'member', [], false])
    ring.poke()
    const changed = await until(ring, key, ({ ownerRole }) => ownerRole === 'member')
    assert.deepEqual(changed.ownerScopes, [])
    await store.queryAs(organisation, principalChange, ['ada', 'member', [], true])
    ring.poke()
    await until(ring, key, ({ revokedAt }) => revokedAt !== undefined)
    await assert.rejects(create({ owner: 'ada' }), { code: 'unknown' })
    await assert.rejects(create({ owner: 'nobody' }), { code: 'unknown' })
  })

  it('a leaked secret key is revoked by whoever reports it; a publishable one is public anyway', async (test) => {
    const { store, create } = await worldOf(test, await open(test))
    const seen: string[] = []
    const ring = createKeyRing(
      keyRecords(store, [pepper(1, 1)], { onExposed: ({ id }, source) => void seen.push(`${id} ${source}`) }),
    )
    test.after(() => ring.close())
    await ring.ready
    const [secret, publishable] = [
      await create(),
      await create({ kind: 'publishable', origins: ['https://shop.example'] }),
    ]
    for (const { key } of [secret, publishable]) {
      await found(ring, key)
      await ring.exposed(key, 'https://git.example/blob')
    }
    await until(ring, secret.key, ({ revokedAt }) => revokedAt !== undefined)
    const shown = await found(ring, publishable.key)
    assert.ok(shown !== 'unknown' && shown.revokedAt === undefined)
    assert.deepEqual(seen, [`${secret.id} https://git.example/blob`])
  })

  it('lists, finds what expires and what nobody uses, and writes last uses', async (test) => {
    const { administration, create, ring, organisation } = await worldOf(test, await open(test))
    const day = 86_400_000
    const ids = []
    for (const days of [0.5, 6.5, 29.5, 300])
      ids.push((await create({ expiresAt: Date.now() + days * day })).id)
    const listed = await administration.list(organisation)
    assert.deepEqual(new Set(listed.map(({ id }) => id)), new Set(ids))
    const page = await administration.list(organisation, 3)
    const rest = await administration.list(organisation, 3, page.at(-1))
    assert.deepEqual(
      [...page, ...rest].map(({ id }) => id),
      listed.map(({ id }) => id),
    )
    const expiring = async (days: number) =>
      (await administration.expiring(days * 86_400)).map(({ id }) => id)
    assert.deepEqual(await expiring(30), ids.slice(0, 3))
    assert.deepEqual(await expiring(7), ids.slice(0, 2))
    assert.deepEqual(await expiring(0), [])
    ring.used(ids[0]!, Date.now() + 2 * day)
    await ring.close()
    assert.deepEqual(new Set((await administration.unused(-1)).map(({ id }) => id)), new Set(ids.slice(1)))
  })

  it('H7 another plan of an organisation is known to a ring that has its keys cached', async (test) => {
    const { administration, create, ring, organisation, events } = await worldOf(test, await open(test))
    const { key } = await create()
    const planOf = async () => {
      const answer = await ring.find(key)
      assert.ok(typeof answer !== 'string')
      return [answer.record.plan, answer.record.planOverrides]
    }
    await planOf()
    const overrides = { buckets: [{ name: 'minute', limit: 5_000 }] }
    await administration.setPlan(organisation, 'enterprise', overrides, 'ada')
    const { action, target, details } = events.at(-1)!
    assert.deepEqual(
      [action, target, details],
      ['organisation.plan_changed', organisation, { plan: 'enterprise', limits: 'minute=5000' }],
    )
    while ((await planOf())[0] !== 'enterprise') await wait(5)
    assert.deepEqual(await planOf(), ['enterprise', overrides])
    await administration.setPlan(organisation, 'free', undefined, 'ada')
    while ((await planOf())[0] !== 'free') await wait(5)
    assert.deepEqual(await planOf(), ['free', undefined])
    await assert.rejects(administration.setPlan('nobody', 'free', undefined, 'ada'), { code: 'unknown' })
  })

  it('H19 gives no key out that is not in the log, and begins nothing while the log is known to be away', async (test) => {
    const { store, ring, organisation, create } = await worldOf(test, await open(test))
    const told: AuditEvent[] = []
    const log = { away: false, fault: undefined as string | undefined }
    const administrator = keyAdministrator(store, {
      peppers: [pepper(1, 1)],
      settled: ring.settled,
      log: {
        async append(event) {
          if (log.away) throw new Error('the log is away')
          told.push(event)
        },
        get state() {
          return { ...NO_LOG, fault: log.fault }
        },
      },
    })
    const home = { organisation }
    const actor = { subject: 'ada', credential: { kind: 'session', id: 's1' }, address: '192.0.2.1' }
    const change = { actor, vendor: 'acme' }
    const made = await administrator.create(home, WANTED, change)
    assert.ok(typeof made === 'object' && 'key' in made)
    assert.deepEqual(told, [
      {
        action: 'key.created',
        outcome: 'success',
        organisation,
        actor: 'ada',
        credential: 's1',
        address: '192.0.2.1',
        target: made.record.id,
        control: 'SP-KEYS-01',
        details: { kind: 'secret', environment: 'live' },
      },
    ])
    log.away = true
    await assert.rejects(administrator.create(home, WANTED, change))
    await assert.rejects(administrator.rotate(home, made.record.id, { overlapSeconds: 0 }, change))
    await assert.rejects(administrator.revoke(home, made.record.id, change))
    log.away = false
    log.fault = 'unavailable'
    const { id } = await create()
    await assert.rejects(administrator.rotate(home, id, { overlapSeconds: 0 }, change))
    assert.equal((await administrator.find(home, id))?.generation, 1)
  })

  it('H7 a request that comes again makes nothing twice, whoever else uses its name', async (test) => {
    const { store, organisation } = await worldOf(test, await open(test))
    const administrator = keyAdministrator(store, { peppers: [pepper(1, 1)], log: QUIET_LOG })
    const home = { organisation }
    const by = (subject: string, requestName: string) => ({
      actor: { subject, credential: { kind: 'session', id: subject } },
      vendor: 'acme',
      requestName,
    })
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => administrator.create(home, WANTED, by('ada', 'r1'))),
    )
    const given = outcomes.flatMap((each) => (typeof each === 'object' && 'key' in each ? [each] : []))
    assert.equal(given.length, 1)
    const { record } = given[0]!
    for (const each of outcomes) if (each !== given[0]) assert.deepEqual(each, { repeated: record.id })
    assert.equal((await administrator.list(home, 10)).length, 1)
    assert.ok('key' in Object(await administrator.create(home, WANTED, by('bob', 'r1'))))
    // A rotation is another request, and each key has names of its own.
    const rotate = () => administrator.rotate(home, record.id, { overlapSeconds: 0 }, by('ada', 'r1'))
    assert.ok('key' in Object(await rotate()))
    assert.deepEqual(await rotate(), { repeated: record.id })
    assert.equal((await administrator.find(home, record.id))?.generation, 2)
    const byKey = (id: string) => ({
      ...by('ada', 'r1'),
      actor: { subject: 'ada', credential: { kind: 'key', id } },
    })
    for (const id of ['k1', 'k2'])
      assert.ok('key' in Object(await administrator.create(home, WANTED, byKey(id))), id)
  })

  it('H10 whoever the records know owns what he makes; one who is disabled makes nothing', async (test) => {
    const { store, organisation, ring } = await worldOf(test, await open(test))
    const administrator = keyAdministrator(store, { peppers: [pepper(1, 1)], log: QUIET_LOG })
    const home = { organisation }
    await store.queryAs(organisation, principalInsert, [
      organisation,
      'eve',
      'person',
      'Eve',
      'admin',
      ['orders:read'],
    ])
    const change = { actor: { subject: 'eve', credential: { kind: 'session', id: 's' } }, vendor: 'acme' }
    const made = await administrator.create(home, { ...WANTED, plan: 'free' }, change)
    assert.ok(typeof made === 'object' && 'key' in made)
    // The plan of the organisation is no plan of its own: it changes with it.
    assert.deepEqual([made.record.owner, made.record.plan], ['eve', undefined])
    const record = await found(ring, made.key)
    assert.deepEqual(record !== 'unknown' && record.ownerScopes, ['orders:read'])
    await store.queryAs(organisation, principalChange, ['eve', 'admin', [], true])
    assert.equal(await administrator.create(home, WANTED, change), 'owner')
    const own = await administrator.create(
      home,
      { ...WANTED, plan: 'pro' },
      {
        actor: { subject: organisation, credential: { kind: 'key', id: made.record.id } },
        vendor: 'acme',
      },
    )
    assert.ok(typeof own === 'object' && 'key' in own)
    assert.deepEqual(
      [own.record.owner, own.record.plan, own.record.createdBy],
      [undefined, 'pro', made.record.id],
    )
  })

  it('refuses what no key can be, in words', async (test) => {
    const { create } = await worldOf(test, await open(test))
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ name: '' }, /the name is one line/],
      [{ scopes: ['a b'] }, /"a b" is no scope/],
      [{ kind: 'publishable', origins: ['https://a.example/'] }, /is no origin/],
      [{ origins: ['https://a.example'] }, /a secret key is for servers/],
      [{ cidrs: ['10.0.0.0/33'] }, /is no network/],
      [{ expiresAt: Date.now() - 1 }, /expired already/],
    ]
    for (const [changes, message] of wrong) await assert.rejects(create(changes), { code: 'wrong', message })
  })
}

describe('keys in the embedded store', () => {
  keyBehaviour((test) => embeddedStore(test))

  it('H5 keeps its pepper in a file for its owner only, beside the folder, and misses it when it is gone', async (test) => {
    const directory = await storeFolder(test)
    const store = await openStore({ directory, waitMs: 60_000 })
    test.after(() => store.close())
    const [made] = await openPeppers(store, { directory }, random)
    const file = `${directory}.pepper`
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(await openPeppers(store, { directory }, random), [made])
    await (await worldOf(test, store, [made!])).create()
    const kept = readFileSync(file)
    writeFileSync(file, Buffer.alloc(32, 7).toString('base64url'))
    await assert.rejects(openPeppers(store, { directory }, random), {
      code: 'refused',
      message: /not the one/,
    })
    writeFileSync(file, 'short')
    await assert.rejects(openPeppers(store, { directory }, random), {
      code: 'refused',
      message: /must hold 32 bytes/,
    })
    rmSync(file)
    await assert.rejects(openPeppers(store, { directory }, random), { code: 'refused', message: /is gone/ })
    writeFileSync(file, kept)
    chmodSync(file, 0o644)
    await assert.rejects(openPeppers(store, { directory }, random), { code: 'refused', message: /chmod 600/ })
  })
})

describe('keys on PostgreSQL 15', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())
  const open = async (test: TestContext): Promise<Store> => {
    const store = await openStore({ ...(await server.database()), waitMs: 60_000 })
    test.after(() => store.close())
    return store
  }
  keyBehaviour(open)

  it('H5 takes its peppers from the environment, the highest for new keys', async (test) => {
    const store = await open(test)
    const two = {
      ...environment,
      SALLYPORT_PEPPER_2: Buffer.alloc(32, 2).toString('base64url'),
      PATH: '/bin',
    }
    assert.deepEqual(
      (await openPeppers(store, { environment: two }, random)).map(({ version }) => version),
      [2, 1],
    )
    for (const wrong of [{}, { SALLYPORT_PEPPER_1: 'short' }, { SALLYPORT_PEPPER_1: two.SALLYPORT_PEPPER_2 }])
      await assert.rejects(openPeppers(store, { environment: wrong }, random), { code: 'refused' })
  })

  it('H7 a node that listens hears of a revocation at once, and says so while it can’t', async (test) => {
    const urls = await server.database()
    const store = await openStore({ ...urls, waitMs: 60_000 })
    test.after(() => store.close())
    let lost: boolean | undefined
    let poked = 0
    const end = pushRevocations(urls.url, {
      poke: () => void poked++,
      pushLost: (isLost) => {
        lost = isLost
      },
    })
    test.after(end)
    assert.equal(lost, true)
    const { create, administration, organisation } = await worldOf(test, store)
    while (lost) await wait(5)
    const { id } = await create()
    await administration.rotate(organisation, id, 'ada')
    while (poked === 0) await wait(5)
    // Every connection of the server is ended; the listener comes back by itself.
    const ask = statement(
      'end_all',
      [],
      { ended: 'bool' },
      `select pg_terminate_backend(pid) as ended from pg_stat_activity where query like 'listen %' and usename = current_user`,
    )
    await store.query(ask, [])
    while (!lost) await wait(5)
    while (lost) await wait(5)
    await end()
  })

  it('H7 a key that is rotated is refused on every node, with all pushes cut', async (test) => {
    const urls = await server.database()
    const store = await openStore({ ...urls, waitMs: 60_000 })
    test.after(() => store.close())
    const peppers = await openPeppers(store, { environment }, random)
    const { create, administration, organisation } = await worldOf(test, store, peppers)
    const { key, id } = await create()
    const nodes = await Promise.all([startNode(test, urls.url), startNode(test, urls.url)])
    for (const node of nodes) assert.equal(await ask(node, key), 200)
    const before = await Promise.all(nodes.map(polls))
    const began = performance.now()
    const rotated = await administration.rotate(organisation, id, 'ada')
    await Promise.all(
      nodes.map(async (node, index) => {
        while ((await ask(node, key)) !== 401) await wait(10)
        // One question may have been under way; the next one knows.
        assert.ok((await polls(node)) - before[index]! <= 2)
        assert.equal(await ask(node, rotated.key), 200)
      }),
    )
    test.diagnostic(`refused on both nodes after ${Math.round(performance.now() - began)} ms`)
  })
})

const nodeFile = fileURLToPath(new URL('fixtures/key-node.ts', import.meta.url))

async function startNode(test: TestContext, url: string): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [nodeFile, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  test.after(() => child.kill('SIGKILL'))
  const [port] = (await once(createInterface(child.stdout!), 'line')) as [string]
  return `http://127.0.0.1:${port}`
}

async function ask(node: string, key: string): Promise<number> {
  const answer = await fetch(`${node}/v1/orders`, {
    headers: { authorization: `Bearer ${key}` },
  })
  await answer.text()
  return answer.status
}

async function polls(node: string): Promise<number> {
  return Number(await (await fetch(`${node}/polls`)).text())
}
