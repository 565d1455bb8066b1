// `/v1/keys` at a gateway with records of its own: who may do what there, and what is said, kept and told.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  keyAdministration,
  openPeppers,
  openStore,
  principalInsert,
  type ReachedStore,
  reachStore,
  type Store,
  storeInsert,
} from '@sallyport/store'
import { readLog } from '@sallyport/store/audit'
import type { PolicyDocument, Principal, SessionSource } from 'sallyport'
import { keyFormat } from 'sallyport/keys'
import { type Gateway, startGateway } from '../src/index.ts'

const POLICY: PolicyDocument = {
  extends: 'commerce',
  transport: { tls: 'in-front' },
  keys: { vendor: 'acme', environment: 'both', selfService: {} },
  access: { sessions: { cookie: 'session' } },
  limits: { mode: 'off' },
  routes: { '/v1/orders/*': { access: { scopes: ['orders:read'] } } },
}

const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)

/** Sessions of people: the cookie says who, of what role, in which organisation and store. */
function people(organisations: Readonly<Record<string, string>>): SessionSource {
  return {
    find(header) {
      const [, subject, role, home, store] = /session=(\w+)\.(\w+)\.(\w+)(?:\.(\w+))?/.exec(header)!
      const principal: Principal = {
        organisation: organisations[home!]!,
        subject: subject!,
        role: role!,
        ...(store === undefined ? {} : { store }),
        credential: { kind: 'session', id: `session-of-${subject}` },
        scopes: [],
      }
      return { principal }
    },
  }
}

describe('keys of an organisation at the gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'))
  let gateway: Gateway
  let upstream: Server
  let home: string
  let other: string
  const asked: string[] = []
  let first: { readonly key: string; readonly id: string }
  let foreign: { readonly key: string; readonly id: string }
  let trial: { readonly key: string; readonly id: string }
  const organisations: Record<string, string> = {}

  before(async () => {
    const directory = join(folder, 'store')
    const store = await openStore({ directory })
    const administration = await administrationOf(store, directory)
    home = await administration.createOrganisation('Acme', 'pro', 'test')
    other = await administration.createOrganisation('Other', 'free', 'test')
    organisations['acme'] = home
    organisations['other'] = other
    const make = (organisation: string, scopes: readonly string[], more = {}) =>
      administration.create({
        ...{ organisation, name: 'Till', kind: 'secret', environment: 'live', scopes, createdBy: 'test' },
        ...more,
      } as Parameters<typeof administration.create>[0])
    first = await make(home, ['settings:read', 'settings:write', 'orders:read'])
    trial = await make(home, ['settings:read', 'settings:write'], { environment: 'test' })
    foreign = await make(other, ['settings:read', 'settings:write', 'orders:read'])
    await store.queryAs(home, storeInsert, [home, 'north', 'North'])
    await store.queryAs(home, principalInsert, [home, 'ada', 'person', 'Ada', 'admin', ['orders:read']])
    await store.close()
    upstream = createServer((request, response) => {
      asked.push(request.url!)
      response.end('upstream')
    })
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
    gateway = await startGateway({
      policy: POLICY,
      upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      listen: { host: '127.0.0.1', port: 0 },
      stateFolder: folder,
      places: { store: { folder: directory } },
      services: { sessions: people(organisations) },
    })
  })
  after(async () => {
    await gateway?.close({ graceMs: 0 })
    upstream?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function administrationOf(store: Store, directory: string) {
    const peppers = await openPeppers(store, { directory }, random)
    return keyAdministration(store, { format: keyFormat('acme'), peppers, random, clock: Date.now })
  }

  interface Asked {
    readonly as?: string
    readonly session?: string
    readonly body?: unknown
    readonly raw?: string
    readonly headers?: Readonly<Record<string, string>>
  }

  async function ask(method: string, path: string, { as, session, body, raw, headers = {} }: Asked = {}) {
    const answer = await fetch(`${gateway.url}${path}`, {
      method,
      headers: {
        ...(as === undefined ? {} : { Authorization: `Bearer ${as}` }),
        ...(session === undefined ? {} : { Cookie: `session=${session}` }),
        ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
      ...(method === 'POST' ? { body: raw ?? JSON.stringify(body ?? {}) } : {}),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: text.startsWith('{') ? JSON.parse(text) : undefined,
    }
  }

  const make = async (as: string, wish: object = {}) =>
    (await ask('POST', '/v1/keys', { as, body: { name: 'Made', ...wish } })).json as {
      key: string
      id: string
    }

  it('H7 rotates a key: the old one is refused in the next request, and the new one works', async () => {
    const made = await make(first.key, { scopes: ['orders:read'] })
    assert.equal((await ask('GET', '/v1/orders/1', { as: made.key })).status, 200)
    const rotated = await ask('POST', `/v1/keys/${made.id}/rotate`, { as: first.key })
    assert.equal(rotated.status, 200)
    assert.equal(rotated.json.generation, 2)
    assert.match(rotated.headers.get('cache-control')!, /no-store/)
    assert.equal((await ask('GET', '/v1/orders/1', { as: made.key })).status, 401)
    assert.equal((await ask('GET', '/v1/orders/1', { as: rotated.json.key })).status, 200)
  })

  it('H7 ends a key at once: revoked, it is refused in the next request, and stays in the list', async () => {
    const made = await make(first.key, { scopes: ['orders:read'] })
    assert.equal((await ask('GET', '/v1/orders/1', { as: made.key })).status, 200)
    const revoked = await ask('DELETE', `/v1/keys/${made.id}`, { as: first.key })
    assert.equal(revoked.status, 200)
    assert.ok(revoked.json.revoked)
    assert.equal((await ask('GET', '/v1/orders/1', { as: made.key })).status, 401)
    const shown = await ask('GET', `/v1/keys/${made.id}`, { as: first.key })
    assert.equal(shown.json.revokedReason, 'by its organisation')
    const again = await ask('DELETE', `/v1/keys/${made.id}`, { as: first.key })
    assert.deepEqual([again.status, again.json.revoked], [200, revoked.json.revoked])
    const rotated = await ask('POST', `/v1/keys/${made.id}/rotate`, { as: first.key })
    assert.deepEqual([rotated.status, rotated.json.code], [409, 'key_ended'])
  })

  it('H7 keeps the old key for an overlap that is asked for, and tells its holder', async () => {
    const made = await make(first.key, { scopes: ['orders:read'] })
    const body = { overlapSeconds: 60 }
    const rotated = await ask('POST', `/v1/keys/${made.id}/rotate`, { as: first.key, body })
    assert.ok(Date.parse(rotated.json.beforeEnds) > Date.now())
    const old = await ask('GET', '/v1/orders/1', { as: made.key })
    assert.equal(old.status, 200)
    assert.ok(old.headers.get('sunset'))
    // It lives on for work that is under way: it neither makes itself new nor ends the one that replaced it.
    for (const [method, path] of [
      ['POST', '/v1/keys/self/rotate'],
      ['DELETE', '/v1/keys/self'],
    ] as const)
      assert.equal((await ask(method, path, { as: made.key })).json.code, 'forbidden')
  })

  it('H5 gives the text out once, with no-store, and neither list, look nor log has it', async () => {
    const made = await ask('POST', '/v1/keys', { as: first.key, body: { name: 'Once' } })
    assert.equal(made.status, 201)
    assert.match(made.json.key, /^sk_acme_live_[0-9A-Za-z]{38}$/)
    assert.equal(made.headers.get('location'), `/v1/keys/${made.json.id}`)
    assert.match(made.headers.get('cache-control')!, /no-store.*private/)
    const seen = [
      await ask('GET', '/v1/keys', { as: first.key }),
      await ask('GET', `/v1/keys/${made.json.id}`, { as: first.key }),
    ]
    for (const { status, text, headers } of seen) {
      assert.equal(status, 200)
      assert.match(headers.get('cache-control')!, /no-store/)
      assert.ok(!text.includes(made.json.key.slice(13, 40)))
    }
    assert.deepEqual(seen[0]!.json.keys[0], seen[1]!.json)
    const log = await entries()
    assert.ok(!log.some((entry) => entry.includes(made.json.key.slice(13, 40))))
  })

  /** The log, read beside the running gateway. */
  async function entries(): Promise<readonly string[]> {
    return beside(async (store) => (await readLog(store, 0, 1_000)).map(({ entry }) => entry))
  }

  async function beside<T>(work: (store: ReachedStore) => Promise<T>): Promise<T> {
    const store = await reachStore({ directory: join(folder, 'store') })
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  it('H19 has each change in the log, with who did it, before it is answered', async () => {
    const made = await make(first.key, { scopes: ['orders:read'] })
    await ask('POST', `/v1/keys/${made.id}/rotate`, { session: 'ada.admin.acme' })
    await ask('DELETE', `/v1/keys/${made.id}`, { session: 'ada.admin.acme' })
    const told = (await entries()).filter((entry) => entry.includes(made.id))
    const wanted = [
      ['key.created', home, first.id],
      ['key.rotated', 'ada', 'session-of-ada'],
      ['key.revoked', 'ada', 'session-of-ada'],
    ] as const
    assert.equal(told.length, 3)
    for (const [at, parts] of wanted.entries())
      for (const part of parts) assert.ok(told[at]!.includes(part), `${told[at]} lacks ${part}`)
  })

  it('H10 an admin works on keys, a member reads them, and nobody reaches another store', async () => {
    const made = await ask('POST', '/v1/keys', {
      session: 'ada.admin.acme.north',
      body: { name: 'Of the store', scopes: ['orders:read'] },
    })
    assert.equal(made.status, 201)
    // The records know her, so her rights bound it from now on.
    assert.deepEqual([made.json.store, made.json.owner, made.json.createdBy], ['north', 'ada', 'ada'])
    const member = { session: 'bob.member.acme' }
    assert.equal((await ask('GET', '/v1/keys', member)).status, 200)
    for (const [method, path] of [
      ['POST', '/v1/keys'],
      ['POST', `/v1/keys/${made.json.id}/rotate`],
      ['DELETE', `/v1/keys/${made.json.id}`],
    ] as const) {
      const refused = await ask(method, path, { ...member, body: { name: 'No' } })
      assert.deepEqual([refused.status, refused.json.code], [403, 'forbidden'])
    }
    const north = await ask('GET', '/v1/keys', { session: 'ada.admin.acme.north' })
    assert.deepEqual(
      north.json.keys.map(({ id }: { id: string }) => id),
      [made.json.id],
    )
    const outside = { session: 'ada.admin.acme.north' }
    for (const [method, path] of [
      ['GET', `/v1/keys/${first.id}`],
      ['POST', `/v1/keys/${first.id}/rotate`],
      ['DELETE', `/v1/keys/${first.id}`],
    ] as const)
      assert.equal((await ask(method, path, outside)).status, 404)
    const south = await ask('POST', '/v1/keys', {
      session: 'ada.admin.acme',
      body: { name: 'Nowhere', store: 'south' },
    })
    assert.deepEqual(south.json.errors, [{ pointer: '/store', code: 'not_found' }])
  })

  it('H2 H10 a key of another organisation is answered byte for byte as one that does not exist', async () => {
    const like = (text: string) => text.replace(/"requestId":"[^"]*"/, '')
    for (const [method, suffix] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
    ] as const) {
      const theirs = await ask(method, `/v1/keys/${foreign.id}${suffix}`, { as: first.key })
      const nobodys = await ask(method, `/v1/keys/${crypto.randomUUID()}${suffix}`, { as: first.key })
      assert.equal(theirs.status, 404)
      assert.equal(like(theirs.text), like(nobodys.text))
      const names = (headers: Headers) => [...headers.keys()].sort().join()
      assert.equal(names(theirs.headers), names(nobodys.headers))
    }
    assert.equal((await ask('GET', '/v1/orders/1', { as: foreign.key })).status, 200)
    const listed = await ask('GET', '/v1/keys?limit=100', { as: first.key })
    assert.ok(!listed.text.includes(foreign.id) && !listed.text.includes(other))
  })

  it('H6 for a key of the test world there is no key of the live one', async () => {
    const unknown = crypto.randomUUID()
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
    ] as const) {
      const answers = await Promise.all(
        [first.id, unknown].map((id) => ask(method, `/v1/keys/${id}${path}`, { as: trial.key })),
      )
      assert.deepEqual(
        answers.map(({ status, json }) => [status, json.code]),
        [
          [404, 'not_found'],
          [404, 'not_found'],
        ],
        method,
      )
    }
    const { json } = await ask('GET', '/v1/keys', { as: trial.key })
    assert.deepEqual(
      json.keys.map(({ id }: { id: string }) => id),
      [trial.id],
    )
    assert.equal((await ask('GET', '/v1/keys/self', { as: first.key })).status, 200)
  })

  it('H6 a publishable key works on no key, not even on itself', async () => {
    const made = await ask('POST', '/v1/keys', {
      as: first.key,
      body: {
        name: 'Page',
        kind: 'publishable',
        scopes: ['settings:write'],
        origins: ['https://shop.example'],
      },
    })
    assert.match(made.json.key, /^pk_acme_live_/)
    for (const [method, path] of [
      ['GET', '/v1/keys'],
      ['GET', '/v1/keys/self'],
      ['POST', '/v1/keys'],
      ['POST', '/v1/keys/self/rotate'],
      ['DELETE', '/v1/keys/self'],
    ] as const) {
      const refused = await ask(method, path, { as: made.json.key, body: { name: 'No' } })
      assert.deepEqual([refused.status, refused.json.code], [403, 'publishable_key_not_allowed'])
    }
  })

  it('H10 nobody makes or takes a key that reaches further than he does', async () => {
    const small = await make(first.key, {
      scopes: ['settings:write', 'orders:read'],
      networks: ['127.0.0.0/8'],
    })
    const wider = await ask('POST', '/v1/keys', {
      as: small.key,
      body: {
        name: 'Wider',
        scopes: ['orders:read', 'settings:read'],
        networks: ['127.0.0.1', '0.0.0.0/0'],
        environment: 'test',
        plan: 'enterprise',
        expires: '2099-01-01T00:00:00Z',
      },
    })
    assert.deepEqual([wider.status, wider.json.code], [403, 'rights_exceeded'])
    assert.deepEqual(
      wider.json.errors.map(({ pointer }: { pointer: string }) => pointer),
      ['/scopes/1', '/networks/1', '/expires', '/environment', '/plan'],
    )
    const taken = await ask('POST', `/v1/keys/${first.id}/rotate`, { as: small.key })
    assert.deepEqual([taken.status, taken.json.code], [403, 'rights_exceeded'])
    const below = await ask('POST', '/v1/keys', { as: small.key, body: { name: 'Below' } })
    assert.deepEqual([below.status, below.json.networks], [201, ['127.0.0.0/8']])
    assert.ok(below.json.createdBy === small.id)
    const reader = await make(first.key, { scopes: ['settings:read'] })
    const refused = await ask('POST', '/v1/keys', { as: reader.key, body: { name: 'No' } })
    assert.deepEqual([refused.status, refused.json.code], [403, 'insufficient_scope'])
    assert.match(refused.headers.get('www-authenticate')!, /scope="settings:write"/)
    assert.equal((await ask('GET', '/v1/keys', { as: reader.key })).status, 200)
  })

  it('H7 a secret key without any scope rotates and revokes itself, and sees no other', async () => {
    const made = await make(first.key)
    assert.equal((await ask('GET', '/v1/keys', { as: made.key })).json.code, 'insufficient_scope')
    assert.equal((await ask('GET', `/v1/keys/${first.id}`, { as: made.key })).status, 403)
    const rotated = await ask('POST', '/v1/keys/self/rotate', { as: made.key })
    assert.equal(rotated.json.id, made.id)
    assert.equal((await ask('GET', '/v1/keys/self', { as: made.key })).status, 401)
    const shown = await ask('GET', '/v1/keys/self', { as: rotated.json.key })
    assert.deepEqual([shown.json.id, shown.json.generation], [made.id, 2])
    assert.equal(shown.json.expires, rotated.json.expires)
    assert.equal((await ask('DELETE', '/v1/keys/self', { as: rotated.json.key })).status, 200)
    assert.equal((await ask('GET', '/v1/keys/self', { as: rotated.json.key })).status, 401)
  })

  it('does nothing twice for one Idempotency-Key, and names the key instead', async () => {
    const headers = { 'Idempotency-Key': '"a 1"' }
    const wish = { as: first.key, headers, body: { name: 'Twice' } }
    // At once, as a client does that lost its patience.
    const both = await Promise.all([ask('POST', '/v1/keys', wish), ask('POST', '/v1/keys', wish)])
    const [made, repeated] = both.sort((a, b) => a.status - b.status)
    assert.deepEqual([made!.status, repeated!.status], [201, 409])
    assert.deepEqual([repeated!.json.code, repeated!.json.key], ['request_repeated', made!.json.id])
    const path = `/v1/keys/${made!.json.id}/rotate`
    const turn = { as: first.key, headers: { 'Idempotency-Key': 'turn-1' } }
    const turned = await ask('POST', path, turn)
    const again = await ask('POST', path, turn)
    assert.deepEqual([turned.status, again.status, again.json.key], [200, 409, made!.json.id])
    assert.equal((await ask('GET', '/v1/keys/self', { as: turned.json.key })).status, 200)
    const wrong = await ask('POST', path, { as: first.key, headers: { 'Idempotency-Key': 'a"b' } })
    assert.deepEqual(wrong.json.errors, [{ parameter: 'Idempotency-Key', code: 'wrong_value' }])
    // Another organisation names its requests for itself.
    assert.equal((await ask('POST', '/v1/keys', { ...wish, as: foreign.key })).status, 201)
  })

  it('H13 reads strict bodies, and says what is wrong by pointer and code, never by value', async () => {
    const wrong = async (raw: string, headers = {}) => {
      const { status, json } = await ask('POST', '/v1/keys', { as: first.key, raw, headers })
      return [status, json.code, ...(json.errors ?? []).map((each: object) => Object.values(each).join(' '))]
    }
    assert.deepEqual(await wrong('{}'), [422, 'input_invalid', '/name missing'])
    assert.deepEqual(await wrong('{"name":"x","isAdmin":true,"a/b~c":1}'), [
      422,
      'input_invalid',
      '/isAdmin unknown',
      '/a~1b~0c unknown',
    ])
    assert.deepEqual(await wrong('{"name":7,"scopes":["a","a"],"origins":"x","kind":"root"}'), [
      422,
      'input_invalid',
      '/name wrong_type',
      '/scopes/1 repeated',
      '/origins wrong_type',
      '/kind wrong_value',
    ])
    assert.deepEqual(await wrong('{"name":"x","name":"y"}'), [400, 'body_malformed'])
    assert.deepEqual(await wrong('['.repeat(5_000)), [400, 'body_malformed'])
    assert.deepEqual(await wrong('[]'), [422, 'input_invalid', ' wrong_type'])
    assert.deepEqual(await wrong('{"name":"x"}', { 'Content-Type': 'text/plain' }), [
      415,
      'unsupported_media_type',
    ])
    assert.deepEqual(await wrong(`{"name":"${'x'.repeat(20_000)}"}`), [413, 'body_too_large'])
    const form = await ask('POST', `/v1/keys/${first.id}/rotate`, {
      as: first.key,
      raw: '',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    assert.equal(form.status, 415)
  })

  it('says which methods a path takes, and that there is nothing else; the upstream hears of none of it', async () => {
    const before = asked.length
    const cases = [
      ['PUT', '/v1/keys', 405, 'GET, HEAD, POST'],
      ['POST', '/v1/keys/self', 405, 'GET, HEAD, DELETE'],
      ['GET', '/v1/keys/self/rotate', 405, 'POST'],
      ['GET', '/v1/keys/self/other', 404, null],
      ['POST', '/v1/keys/self/rotate/again', 404, null],
      ['HEAD', '/v1/keys', 200, null],
      ['GET', '/v1/keys?limit=0', 422, null],
      ['GET', '/v1/keys?order=asc', 422, null],
      ['GET', '/v1/keys?limit=1&limit=2', 422, null],
    ] as const
    for (const [method, path, status, allow] of cases) {
      const answer = await ask(method, path, { as: first.key })
      assert.deepEqual([answer.status, answer.headers.get('allow')], [status, allow], `${method} ${path}`)
    }
    for (const [method, path] of [
      ['GET', '/v1/keys'],
      ['POST', '/v1/keys'],
      ['DELETE', '/v1/keys/self'],
    ] as const) {
      const nobody = await ask(method, path)
      assert.equal(nobody.status, 401)
      assert.match(nobody.headers.get('cache-control')!, /no-store/)
    }
    assert.equal(asked.length, before)
  })

  it('lists in pages, the newest first, each key once', async () => {
    for (const name of ['p1', 'p2', 'p3']) await make(first.key, { name })
    const seen: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const page = await ask('GET', `/v1/keys?limit=2${after === '' ? '' : `&after=${after}`}`, {
        as: first.key,
      })
      assert.ok(page.json.keys.length <= 2)
      seen.push(...page.json.keys.map(({ name }: { name: string }) => name))
      after = page.json.next
    }
    assert.deepEqual(seen.slice(0, 3), ['p3', 'p2', 'p1'])
    const { keys } = (await ask('GET', '/v1/keys?limit=100', { as: first.key })).json
    assert.equal(seen.length, keys.length)
  })
})
