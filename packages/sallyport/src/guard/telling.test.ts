// What the log hears of refusals: from every control that refuses, bounded, and nothing where nothing was refused.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../ports/audit.ts'
import type { KeyRecord, KeyRing } from '../ports/keys.ts'
import type { Services } from '../ports/services.ts'
import type { Incoming } from './exchange.ts'
import { createGuard } from './guard.ts'
import type { PolicyDocument } from './policy.ts'

const POLICY: PolicyDocument = {
  transport: { tls: 'here', plainHttp: 'refuse' },
  cors: { origins: ['https://app.example'] },
  request: { maxTargetBytes: 200 },
  routes: { '/v1/x': { data: 'private' } },
}

interface Asked {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly raw?: readonly string[]
  readonly encrypted?: boolean
  readonly peer?: string
}

function incoming({
  method = 'GET',
  target = '/v1/x',
  headers = {},
  raw,
  encrypted = true,
  peer,
}: Asked): Incoming {
  const all: Record<string, string> = { host: 'a.example', ...headers }
  return {
    method,
    target,
    httpVersion: '1.1',
    rawHeaders: raw ?? Object.entries(all).flat(),
    header: (name) => all[name],
    peer: peer ?? '203.0.113.7',
    encrypted,
  }
}

function world(policy: PolicyDocument = POLICY, more: Services = {}) {
  const events: AuditEvent[] = []
  let close = () => {}
  const audit = {
    record: (event: AuditEvent) => void events.push(event),
    beforeClose(tell: () => void) {
      close = tell
    },
  }
  const guard = createGuard(policy, 'node', { services: { audit, ...more }, clock: () => 1_000_000 })
  return {
    events,
    close: () => close(),
    async ask(asked: Asked) {
      const verdict = await guard.admit(guard.open(incoming(asked)))
      return verdict?.kind === 'deny' ? verdict.code : verdict?.kind
    },
  }
}

const PREFLIGHT = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }

const REFUSALS: readonly (readonly [
  name: string,
  asked: Asked,
  action: string,
  code: string,
  control: string,
])[] = [
  [
    'a preflight',
    { method: 'OPTIONS', headers: PREFLIGHT },
    'cors.denied',
    'origin_not_allowed',
    'SP-CORS-01',
  ],
  ['two hosts', { raw: ['Host', 'a', 'Host', 'b'] }, 'request.refused', 'host_invalid', 'SP-REQUEST-01'],
  ['a long target', { target: `/${'x'.repeat(300)}` }, 'request.refused', 'target_too_long', 'SP-REQUEST-01'],
  [
    'a body of two lengths',
    { method: 'POST', raw: ['Host', 'a.example', 'Content-Length', '1', 'Transfer-Encoding', 'chunked'] },
    'request.refused',
    'ambiguous_framing',
    'SP-REQUEST-01',
  ],
  ['plain HTTP', { encrypted: false }, 'transport.refused', 'https_required', 'SP-TLS-01'],
]
for (const [name, asked, action, code, control] of REFUSALS)
  test(`H19 ${name} that is refused is told to the log, once of many`, async () => {
    const { ask, events, close } = world()
    for (let n = 0; n < 100; n++) assert.equal(await ask(asked), code)
    const [first, ...rest] = events
    assert.deepEqual(
      [first?.action, first?.code, first?.control, first?.outcome, first?.address, first?.details],
      [action, code, control, 'denied', '203.0.113.7', undefined],
    )
    assert.equal(rest.length, 0)
    close()
    assert.deepEqual(events[1]?.details, { more: 99, seconds: 300 })
    assert.equal(events.length, 2)
  })

test('H19 a path that is not canonical is told where it is refused', async () => {
  const { ask, events } = world({ ...POLICY, request: { nonCanonical: 'refuse' } })
  assert.equal(await ask({ target: '/v1/%2e%2e/x' }), 'path_not_canonical')
  assert.deepEqual([events[0]?.action, events[0]?.code], ['request.refused', 'path_not_canonical'])
})

test('a credential in clear is told as exposed, with whose key it is where that is known, and never itself', async () => {
  const record = { id: 'key_1', organisation: 'org_1', owner: 'ada' } as KeyRecord
  const keys: KeyRing = {
    find: () => 'unavailable',
    known: (key) => (key === 'known' ? { record } : undefined),
    used() {},
  }
  const { ask, events } = world(POLICY, { keys })
  const cases = [
    [{ authorization: 'Bearer known' }, 'authorization', 'key_1'],
    [{ authorization: 'Bearer hidden' }, 'authorization', undefined],
    [{ cookie: 'session=hidden' }, 'cookie', undefined],
    [{ 'x-api-key': 'known' }, 'x-api-key', 'key_1'],
  ] as const
  for (const [index, [headers, header, target]] of cases.entries()) {
    events.length = 0
    assert.equal(await ask({ encrypted: false, headers, peer: `203.0.113.${index}` }), 'https_required')
    const [exposed, refused] = events
    assert.deepEqual(
      [exposed?.action, exposed?.code, exposed?.target, exposed?.details],
      ['credential.exposed', 'https_required', target, { where: 'plain HTTP', header }],
    )
    assert.equal(refused?.action, 'transport.refused')
    assert.ok(!JSON.stringify(events).includes('hidden'))
  }
  events.length = 0
  await ask({ encrypted: false, peer: '203.0.113.99' })
  assert.deepEqual(
    events.map(({ action }) => action),
    ['transport.refused'],
  )
})

test('what passes, what is only reported and what is only tried is not told', async () => {
  const { ask, events } = world()
  assert.equal(await ask({}), undefined)
  const allowed = { ...PREFLIGHT, origin: 'https://app.example' }
  assert.equal(await ask({ method: 'OPTIONS', headers: allowed }), 'answer')
  assert.deepEqual(events, [])
  const reporting = world({ ...POLICY, cors: { ...POLICY.cors, mode: 'report' } })
  assert.equal(await reporting.ask({ method: 'OPTIONS', headers: PREFLIGHT }), undefined)
  assert.deepEqual(reporting.events, [])
  const audit = { record: () => assert.fail('told') }
  const tried = createGuard(POLICY, 'node', { services: { audit }, trial: {} })
  tried.admit(tried.open(incoming({ encrypted: false, headers: { authorization: 'Bearer x' } })))
})

test('callers of one IPv6 network are one kind, two codes of one caller are two', async () => {
  const { ask, events } = world()
  for (let n = 0; n < 9; n++) await ask({ encrypted: false, peer: `2001:db8:1:2::${n}` })
  await ask({ encrypted: false, peer: '2001:db8:1:3::1' })
  await ask({ raw: ['Host', 'a', 'Host', 'b'] })
  await ask({ raw: ['Host', 'a', 'Content-Length', 'x'] })
  assert.equal(events.length, 4)
})

test('the guards of one log count together, so a reload does not begin a flood anew', () => {
  const events: AuditEvent[] = []
  const services = { audit: { record: (event: AuditEvent) => void events.push(event) } }
  for (const _ of [1, 2]) {
    const guard = createGuard(POLICY, 'node', { services })
    guard.admit(guard.open(incoming({ encrypted: false })))
  }
  assert.equal(events.length, 1)
})
