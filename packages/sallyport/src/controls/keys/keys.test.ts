import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verdictOf } from '../../controls/faces.ts'
import type { Denial, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { createGuard, type GuardOptions } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { keyFormat } from '../../keys/format.ts'
import { createKeyRing } from '../../keys/ring.ts'
import { type SimulatedRecords, simulatedRecords, simulation } from '../../keys/simulation.ts'
import { PolicyError } from '../../policy/problem.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import { keys } from './index.ts'

const policy: PolicyDocument = {
  transport: { tls: 'in-front' },
  // What a caller may do is judged behind.
  access: { mode: 'off' },
  keys: { vendor: 'acme', header: ['authorization', 'x-api-key'] },
  routes: {
    '/v1/products': { keys: { publishable: { scopes: ['products:read'] } } },
    '/v1/open': { credentials: 'none', data: 'public' },
    '/v1/session': { credentials: 'cookie' },
  },
}
const format = keyFormat('acme')
const strange = (kind: 'secret' | 'publishable' = 'secret', environment: 'live' | 'test' = 'live') =>
  format.make({ kind, environment }, (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>))

interface Asked {
  readonly key?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string | undefined
}

const NOW = 1_800_000_000_000

async function api(document: PolicyDocument = policy, options: GuardOptions = {}) {
  const time = simulation()
  const records: SimulatedRecords = simulatedRecords(time)
  const ring = createKeyRing(records, time)
  await ring.ready
  const events: AuditEvent[] = []
  const guard = createGuard(document, 'node', {
    clock: () => NOW,
    services: { keys: ring, audit: { record: (event) => void events.push(event) } },
    ...options,
  })
  const open = ({ key, method = 'GET', path = '/v1/orders', headers = {}, ...rest }: Asked): Exchange => {
    const all: Record<string, string> = {
      host: 'api.example',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    }
    return guard.open({
      method,
      target: path,
      httpVersion: '1.1',
      rawHeaders: Object.entries(all).flat(),
      header: (name) => all[name],
      peer: 'address' in rest ? rest.address : '192.0.2.1',
      encrypted: false,
    })
  }
  const ask = async (asked: Asked): Promise<{ readonly exchange: Exchange; readonly verdict: Verdict }> => {
    const exchange = open(asked)
    return { exchange, verdict: await guard.admit(exchange) }
  }
  const code = async (asked: Asked): Promise<string> => {
    const { verdict, exchange } = await ask(asked)
    if (verdict === undefined) return exchange.principal === undefined ? 'nobody' : 'in'
    return verdict.kind === 'deny' ? verdict.code : String(verdict.status)
  }
  return { time, records, ring, events, guard, open, ask, code }
}

const header = (verdict: Verdict, name: string) =>
  (verdict as Denial).headers?.pairs.find(([each]) => each === name)?.[1]

test('H6 a key says who calls, with the scopes that its owner still has', async () => {
  const { ask, records, ring, time } = await api()
  const key = records.add({
    owner: 'ada',
    ownerScopes: ['orders:read', 'customers:read'],
    ownerRole: 'member',
    store: 'shop',
    plan: 'pro',
    expiresAt: NOW + 1,
  })
  const { exchange, verdict } = await ask({ key })
  assert.equal(verdict, undefined)
  assert.deepEqual(exchange.principal, {
    organisation: 'acme-inc',
    store: 'shop',
    subject: 'ada',
    role: 'member',
    plan: 'pro',
    scopes: ['orders:read'],
    credential: {
      kind: 'key',
      id: 'key-0',
      class: 'secret',
      environment: 'live',
      generation: 1,
      expiresAt: NOW + 1,
    },
  })
  await time.advance(0)
  await ring.close()
  assert.deepEqual(records.written, [new Map([['key-0', NOW]])])
})

test('a known key is judged at once: nobody waits', async () => {
  const { ask, guard, open, records } = await api()
  const key = records.add()
  await ask({ key })
  assert.equal(guard.admit(open({ key })), undefined)
})

test('H7 bad keys all hear the same, whatever is wrong with them', async () => {
  const { ask, records, events } = await api()
  const wrong = {
    malformed: `${strange().slice(0, -1)}!`,
    'another vendor': keyFormat('other').make({ kind: 'secret', environment: 'live' }, (bytes) =>
      bytes.fill(7),
    ),
    'a bare word': 'sk_',
    test: records.add({ environment: 'test' }),
    unknown: strange(),
    revoked: records.add({ revokedAt: NOW - 1 }),
    expired: records.add({ expiresAt: NOW }),
    replaced: records.add({ generationEndsAt: NOW }),
    disabled: records.add({ organisationDisabledAt: NOW - 1 }),
    'a record of another kind': records.add(),
  }
  records.end(wrong['a record of another kind'], { kind: 'publishable' })
  for (const [name, key] of Object.entries(wrong)) {
    const { verdict, exchange } = await ask({ key })
    assert.deepEqual(
      verdict,
      {
        kind: 'deny',
        code: 'invalid_credential',
        headers: {
          pairs: [['WWW-Authenticate', 'Bearer error="invalid_token"']],
          wire: 'WWW-Authenticate: Bearer error="invalid_token"\r\n',
        },
      },
      name,
    )
    assert.equal(exchange.principal, undefined)
  }
  assert.deepEqual(
    events.map(({ action, details }) => [action, details?.['fault']]),
    [
      ...['malformed', 'malformed', 'malformed', 'wrong environment', 'unknown', 'revoked', 'expired'],
      ...['replaced', 'organisation disabled', 'unknown'],
    ].map((fault) => [fault === 'revoked' ? 'key.used_after_revocation' : 'key.refused', fault]),
  )
  for (const key of Object.values(wrong)) if (key.length > 4) assert.ok(!JSON.stringify(events).includes(key))
})

test('what is no key is left alone: tokens, other schemes, nothing at all, and routes that take none', async () => {
  const { code, records } = await api()
  const key = records.add()
  assert.equal(await code({}), 'nobody')
  assert.equal(await code({ key: 'eyJhbGciOiJFUzI1NiJ9.e30.x' }), 'nobody')
  assert.equal(await code({ headers: { authorization: `Basic ${key}` } }), 'nobody')
  assert.equal(await code({ headers: { authorization: 'Bearer' } }), 'nobody')
  assert.equal(await code({ key, path: '/v1/open' }), 'nobody')
  assert.equal(await code({ key, path: '/v1/session' }), 'nobody')
  assert.equal(records.asked.find, 0)
})

test('a key is read from the headers that the policy names, and from one of them', async () => {
  const { code, records } = await api()
  const key = records.add()
  assert.equal(await code({ headers: { authorization: `bearer ${key}` } }), 'in')
  assert.equal(await code({ headers: { authorization: `BEARER   ${key} ` } }), 'in')
  assert.equal(await code({ headers: { 'x-api-key': key } }), 'in')
  assert.equal(await code({ headers: { 'x-api-key': `${key}, ${key}` } }), 'invalid_credential')
  assert.equal(await code({ key, headers: { 'x-api-key': key } }), 'ambiguous_credentials')
  const bearerOnly = await api({ ...policy, keys: { vendor: 'acme' } })
  assert.equal(await bearerOnly.code({ headers: { 'x-api-key': bearerOnly.records.add() } }), 'nobody')
})

test('H6 a secret key is refused where a browser sends it, and told as exposed', async () => {
  const { code, records, events } = await api()
  const key = records.add()
  assert.equal(await code({ key }), 'in')
  assert.equal(await code({ key, headers: { origin: 'https://app.example' } }), 'secret_key_in_browser')
  assert.equal(await code({ key, headers: { origin: 'null' } }), 'secret_key_in_browser')
  assert.deepEqual(
    events.map(({ action, credential, details }) => [action, credential, details?.['where']]),
    [
      ['key.exposed', 'key-0', 'browser'],
      ['key.exposed', 'key-0', 'browser'],
    ],
  )
})

test('a key in the URL is refused and told as exposed, also percent-encoded', async () => {
  const { code, records, events } = await api()
  const key = records.add()
  for (const path of [
    `/v1/orders?api_key=${key}`,
    `/v1/orders/${key}`,
    `/v1/orders?api_key=${key.replaceAll('_', '%5F')}`,
    `/v1/orders?api_key=${[...key].map((each) => `%${each.charCodeAt(0).toString(16)}`).join('')}`,
    `/v1/orders?next=%2Fv1%3Fapi_key%3D${key.replaceAll('_', '%255F')}`,
  ])
    assert.equal(await code({ path, key }), 'credential_in_url', path)
  assert.equal(events.length, 5)
  assert.equal(await code({ path: `/v1/orders?key=${strange('publishable')}` }), 'credential_in_url')
  assert.equal(events.length, 5, 'a publishable key is public')
  assert.equal(await code({ path: '/v1/sk_acme_live_keys?a=%', key }), 'in')
})

test('a key in the URL is refused also where no key is read', async () => {
  const { code, records, events } = await api()
  const key = records.add()
  for (const path of [
    `/v1/open?k=${key}`,
    `/v1/open?k=${key.replaceAll('_', '%255f')}`,
    `/v1/session?${key}`,
  ])
    assert.equal(await code({ path }), 'credential_in_url', path)
  assert.equal(await code({ path: `/v1/open?k=${strange('publishable')}` }), 'credential_in_url')
  assert.deepEqual(
    events.map(({ action, credential, cell }) => [action, credential, cell]),
    ['/v1/open', '/v1/open', '/v1/session'].map((cell) => ['key.exposed', 'key-0', cell]),
  )
})

test('the log is told whose an exposed key is, though nobody used it before; and nothing where it can’t be found', async () => {
  const { ask, code, records, events } = await api()
  const path = `/v1/orders?api_key=${records.add({ organisation: 'org-7', owner: 'ada' })}`
  const { verdict } = await ask({ path })
  assert.equal((verdict as Denial).code, 'credential_in_url')
  const { organisation, actor, credential, target } = events[0]!
  assert.deepEqual(
    { organisation, actor, credential, target },
    {
      organisation: 'org-7',
      actor: 'ada',
      credential: 'key-0',
      target: 'key-0',
    },
  )
  assert.ok(!JSON.stringify(events).includes(path.slice(-32)))
  records.fails = true
  assert.equal(await code({ path: `/v1/orders?api_key=${records.add()}` }), 'credential_in_url')
  assert.equal(events[1]!.credential, undefined)
  records.fails = false
  for (let time = 0; time < 35; time++)
    assert.equal(await code({ path: `/v1/orders/${strange()}` }), 'credential_in_url')
  const asked = records.asked.find
  assert.equal(await code({ path: `/v1/orders/${strange()}` }), 'credential_in_url')
  assert.equal(records.asked.find, asked, 'made-up keys can’t wear out the records')
  assert.equal(events.length, 38)
})

test('H6 a publishable key opens what is declared for it, by method, scope and origin', async () => {
  const { ask, code, records } = await api()
  const key = records.add({
    kind: 'publishable',
    scopes: ['products:read', 'orders:write'],
    origins: ['https://shop.example'],
  })
  const path = '/v1/products'
  const { exchange } = await ask({ key, path })
  assert.deepEqual(exchange.principal?.scopes, ['products:read'])
  assert.equal(exchange.principal?.credential.class, 'publishable')
  assert.equal(await code({ key, path, headers: { origin: 'https://shop.example' } }), 'in')
  const wrong: readonly Asked[] = [
    { path, headers: { origin: 'https://evil.example' } },
    { path, headers: { origin: 'https://shop.example.evil.example' } },
    { path, headers: { origin: 'null' } },
    { path, method: 'POST' },
    { path: '/v1/orders' },
    { path: '/v1//products' },
  ]
  for (const asked of wrong)
    assert.equal(await code({ ...asked, key }), 'publishable_key_not_allowed', JSON.stringify(asked))
})

test('a key that is bound to networks is refused elsewhere', async () => {
  const { code, records, events } = await api()
  const key = records.add({ cidrs: ['198.51.100.0/24', '2001:db8::/32'] })
  assert.equal(await code({ key, address: '198.51.100.7' }), 'in')
  assert.equal(await code({ key, address: '::ffff:198.51.100.7' }), 'in')
  assert.equal(await code({ key, address: '2001:db8::1' }), 'in')
  assert.equal(await code({ key }), 'address_not_allowed')
  assert.equal(await code({ key, address: undefined }), 'address_not_allowed')
  assert.equal(events.length, 2)
  const broken = records.add({ cidrs: ['nonsense'] })
  assert.equal(await code({ key: broken }), 'address_not_allowed')
})

test('after too many bad keys an address has none looked up; those that are known pass, and so do others', async () => {
  const { ask, code, records, events, time } = await api()
  const [known, cold] = [records.add(), records.add()]
  assert.equal(await code({ key: known }), 'in')
  for (let time = 0; time < 30; time++) assert.equal(await code({ key: strange() }), 'invalid_credential')
  const asked = records.asked.find
  for (const key of [strange(), `${strange()}x`, cold]) {
    const { verdict } = await ask({ key })
    assert.equal((verdict as Denial).code, 'too_many_failures')
    assert.match(header(verdict, 'Retry-After')!, /^[1-9]\d?$/)
  }
  assert.equal(records.asked.find, asked, 'nobody was asked')
  assert.deepEqual(
    events.slice(30).map(({ action, code, address }) => [action, code, address]),
    [['limit.exceeded', 'too_many_failures', '192.0.2.1']],
    'told once',
  )
  assert.equal(await code({ key: known }), 'in')
  // Its record is too old by now, but there is such a key: behind the same address others may work with theirs.
  await time.advance(20_000)
  assert.equal(await code({ key: cold }), 'too_many_failures')
  assert.equal(await code({ key: known }), 'in')
  assert.equal(await code({ key: cold, address: '192.0.2.2' }), 'in')
})

test('an IPv6 subscriber is one address, and callers whose address is hidden are not counted together', async () => {
  const { code } = await api()
  for (let time = 0; time < 30; time++) await code({ key: strange(), address: `2001:db8:1:2::${time}` })
  assert.equal(await code({ key: strange(), address: '2001:db8:1:2:ffff::1' }), 'too_many_failures')
  assert.equal(await code({ key: strange(), address: '2001:db8:1:3::1' }), 'invalid_credential')
  for (let time = 0; time < 40; time++)
    assert.equal(await code({ key: strange(), address: undefined }), 'invalid_credential')
})

test('when nobody can say whose a key is, it is refused with 503', async () => {
  const { ask, records } = await api()
  records.fails = true
  const { verdict } = await ask({ key: records.add() })
  assert.equal((verdict as Denial).code, 'credentials_unavailable')
  assert.equal(header(verdict, 'Retry-After'), '1')
})

test('H7 whoever uses a key that was replaced is told so, and so is the log, once a minute', async () => {
  const { ask, guard, records, events } = await api()
  const key = records.add({
    generationReplacedAt: NOW - 5_000,
    generationEndsAt: NOW + 3_600_000,
  })
  const { exchange } = await ask({ key })
  const lines = (said: Readonly<Record<string, string>>) =>
    exchange.cell.compiled.perAnswer.flatMap(
      (line) => line(exchange, 200, { get: (name) => said[name] }).pairs,
    )
  assert.deepEqual(
    lines({}).filter(([name]) => name === 'Deprecation' || name === 'Sunset'),
    [
      ['Deprecation', `@${NOW / 1000 - 5}`],
      ['Sunset', new Date(NOW + 3_600_000).toUTCString()],
    ],
  )
  assert.ok(!lines({ sunset: 'x' }).some(([name]) => name === 'Sunset'), 'the application has its own')
  await ask({ key })
  assert.deepEqual(
    events.map(({ action, details }) => [action, details]),
    [['key.used_after_rotation', { generation: 1 }]],
  )
  const other = await ask({ key: records.add() })
  assert.ok(
    !other.exchange.cell.compiled.perAnswer
      .flatMap((line) => line(other.exchange, 200, { get: () => undefined }).pairs)
      .some(([name]) => name === 'Sunset'),
  )
  assert.equal(guard.strict.id, '!')
})

test('in report mode nobody is let in or refused by it', async () => {
  const { code, guard, records } = await api({ ...policy, keys: { ...policy.keys, mode: 'report' } })
  assert.equal(await code({ key: records.add() }), 'nobody')
  assert.equal(await code({ key: strange() }), 'nobody')
  assert.deepEqual([...guard.wouldDo], [['SP-KEYS-01 invalid_credential *', 1]])
})

test('a guard without what knows the keys is not made; one that only tries a policy is', () => {
  assert.throws(
    () => createGuard(policy, 'node'),
    (error: unknown) => {
      assert.ok(error instanceof PolicyError)
      assert.equal(error.problems.length, 1)
      assert.match(error.message, /^keys: .*createKeyRing\(records\)/)
      return true
    },
  )
  createGuard({ ...policy, keys: { vendor: 'acme', mode: 'off' }, routes: {} }, 'node')
  createGuard(policy, 'node', { trial: {} })
})

test('a policy that is only tried judges what the text says, and takes its word for who calls', async () => {
  const principal = {
    organisation: 'o',
    scopes: [],
    credential: { kind: 'key', id: 'k', class: 'publishable' },
  } as const
  const trial = await api(policy, { trial: {} })
  assert.equal(await trial.code({ key: 'sk_x' }), 'invalid_credential')
  assert.equal(await trial.code({ key: strange() }), 'nobody')
  assert.equal(
    await trial.code({ key: strange(), headers: { origin: 'https://a.example' } }),
    'secret_key_in_browser',
  )
  const named = await api(policy, { trial: { principal } })
  assert.equal(await named.code({ path: '/v1/products' }), 'in')
  assert.equal(await named.code({ path: '/v1/orders' }), 'publishable_key_not_allowed')
  assert.equal(named.records.asked.find + trial.records.asked.find, 0)
})

test('what contradicts itself is found', () => {
  const problems = (document: PolicyDocument) => {
    try {
      resolvePolicy(document)
      return []
    } catch (error) {
      return (error as PolicyError).problems.map(({ path, kind }) => `${path} ${kind}`)
    }
  }
  assert.deepEqual(problems({ keys: { environment: 'test' } }), ['keys.environment contradiction'])
  assert.deepEqual(problems({ keys: { vendor: 'live' } }), ['keys.vendor value'])
  assert.deepEqual(
    problems({
      keys: { vendor: 'acme' },
      routes: { '/a': { credentials: 'none', keys: { publishable: {} } } },
    }),
    ['routes["/a"].keys.publishable contradiction'],
  )
  assert.deepEqual(problems({ routes: { '/a': { keys: { vendor: 'acme' } } } }), [
    'routes["/a"].keys.vendor route',
  ])
})

test('H6 more that is accepted, for longer, is weaker; and what is weaker one way is stronger the other', () => {
  const cell = resolvePolicy({}).cells[0]!
  const base = { vendor: 'acme' } as const
  const weaker = [
    [base, {}],
    [
      { ...base, environment: 'live' },
      { ...base, environment: 'both' },
    ],
    [base, { ...base, header: ['authorization', 'x-api-key'] }],
    [base, { ...base, overlapSeconds: 60 }],
    [base, { ...base, expiresAfterDays: 366 }],
    [base, { ...base, failuresPerMinute: 31 }],
    [base, { ...base, publishable: { methods: ['GET'] } }],
    [
      { ...base, publishable: { methods: ['GET'] } },
      { ...base, publishable: {} },
    ],
    [
      { ...base, publishable: {} },
      { ...base, publishable: { scopes: ['a'] } },
    ],
    [{ ...base, leakReports: {} }, base],
    [base, { ...base, selfService: {} }],
    [
      { ...base, selfService: {} },
      { ...base, selfService: { roles: ['admin', 'member'] } },
    ],
    [base, { ...base, mode: 'report' }],
  ] as const
  for (const [before, after] of weaker) {
    const there = keys.compare(before, after, cell)
    assert.equal(verdictOf(there), 'weaker', JSON.stringify(after))
    for (const { because } of there) assert.ok(because.length > 10)
    assert.equal(verdictOf(keys.compare(after, before, cell)), 'stronger', JSON.stringify(after))
  }
  for (const [before, after] of [
    [base, { vendor: 'other' }],
    [
      { ...base, environment: 'live' },
      { ...base, environment: 'test' },
    ],
    [
      { ...base, selfService: {} },
      { ...base, selfService: { writeScope: 'orders:write' } },
    ],
    [
      { ...base, selfService: {} },
      { ...base, selfService: { readScope: 'orders:read' } },
    ],
  ] as const)
    assert.equal(verdictOf(keys.compare(before, after, cell)), 'incomparable')
  // What holds where nothing is said is no change when it is said.
  const said = { readScope: 'settings:read', writeScope: 'settings:write', roles: ['admin'] }
  assert.deepEqual(keys.compare({ ...base, selfService: {} }, { ...base, selfService: said }, cell), [])
  assert.deepEqual(keys.compare(base, { ...base, environment: 'live', overlapSeconds: 0 }, cell), [])
})

test('the page says what keys are, or that the application has them', () => {
  const cells = (document: PolicyDocument) =>
    resolvePolicy(document).cells.map((cell) => ({ cell, setting: cell.settings['keys'] as never }))
  const values = (document: PolicyDocument) =>
    keys.describe(cells(document), 'node').entries.map(({ name, value }) => `${name}: ${value}`)
  assert.deepEqual(values({}), ['API keys: left to the application'])
  const said = values(policy).join('\n')
  for (const words of [
    'sk_acme_live_…',
    'never in plain text',
    'within two seconds',
    'the old key ends at once',
    'GET, HEAD with products:read at most',
    'open nothing here',
  ])
    assert.ok(said.includes(words), words)
})

const SERVED: PolicyDocument = {
  extends: 'commerce',
  transport: { tls: 'in-front' },
  keys: { vendor: 'acme', selfService: {} },
}

test('who works on keys is on the page, and proved for those who may not', () => {
  const cells = resolvePolicy(SERVED).cells.map((cell) => ({
    cell,
    setting: cell.settings['keys'] as never,
  }))
  const section = keys.describe(cells, 'node')
  const said = section.entries.map(({ name, value }) => `${name}: ${value}`).join('\n')
  for (const words of ['at /v1/keys', 'role admin', 'settings:write', 'never more than whoever makes it'])
    assert.ok(said.includes(words), words)
  assert.ok(section.limits.some((each) => each.includes('outlive it')))
  const probes = keys.probe(cells).filter(({ cell }) => cell === '/v1/keys/*')
  assert.deepEqual(probes.map(({ id }) => id).slice(-2), ['keys/list-nobody', 'keys/make-nobody'])
  const seen = (status: number, cache: string) => ({
    status,
    headers: cache === '' ? [] : ([['Cache-Control', cache]] as const),
    body: '',
    encrypted: true,
  })
  for (const { id, expect } of probes.slice(-2)) {
    assert.deepEqual(expect(seen(401, 'no-store, private')), [])
    assert.equal(expect(seen(403, 'no-store')).length, id === 'keys/list-nobody' ? 1 : 0)
    assert.equal(expect(seen(200, 'no-store')).length, 1)
    assert.equal(expect(seen(401, '')).length, 1)
    assert.equal(expect(seen(401, 'private')).length, 1)
  }
})

test('a scope or role that the catalogue lacks is refused with what is meant', () => {
  const faults = (selfService: object, more: PolicyDocument = SERVED) => {
    try {
      resolvePolicy({ ...more, keys: { vendor: 'acme', selfService } })
      return ''
    } catch (error) {
      assert.ok(error instanceof PolicyError)
      return error.message
    }
  }
  assert.equal(faults({}), '')
  assert.match(
    faults({ writeScope: 'setings:write' }),
    /keys\.selfService\.writeScope.*did you mean "settings:write"\?/s,
  )
  assert.match(faults({ roles: ['admni'] }), /keys\.selfService\.roles\[0\].*did you mean "admin"\?/s)
  assert.match(faults({ readScope: 'a b' }), /the name of a scope/)
  // Where nothing is listed, every name may be meant.
  assert.equal(faults({ writeScope: 'keys:write', roles: ['boss'] }, { transport: { tls: 'in-front' } }), '')
  assert.throws(
    () => createGuard(SERVED, 'node', { services: { keys: { find: () => 'unknown', used() {} } } }),
    {
      message: /services: \{ keyAdministrator/,
    },
  )
})

test('a policy that is only tried answers at /v1/keys without anybody being asked', () => {
  const verdict = (principal: object | undefined, method = 'GET') => {
    const guard = createGuard(SERVED, 'node', {
      trial: principal === undefined ? {} : { principal: principal as never },
    })
    const judged = guard.admit(
      guard.open({
        method,
        target: '/v1/keys',
        httpVersion: '1.1',
        rawHeaders: ['Host', 'a.example'],
        header: (name) => (name === 'host' ? 'a.example' : undefined),
        peer: '192.0.2.1',
        encrypted: true,
      }),
    )
    assert.ok(judged !== undefined && !(judged instanceof Promise))
    return judged.kind === 'deny' ? judged.code : judged.status
  }
  const credential = { kind: 'session', id: 's' }
  const admin = { organisation: 'a', role: 'admin', scopes: [], credential }
  assert.equal(verdict(undefined), 'unauthenticated')
  assert.equal(verdict(admin), 200)
  assert.equal(verdict(admin, 'POST'), 201)
  assert.equal(verdict({ ...admin, role: 'member' }), 200)
  assert.equal(verdict({ ...admin, role: 'member' }, 'POST'), 'forbidden')
})
