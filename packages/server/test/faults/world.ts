// A gateway with records before an API: keys open /v1/*, guesses at passwords are counted at /sign-in, /open asks for
// nothing. What a fault of the store does to each of the three is what the tests here look at.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { keyAdministration, openPeppers, openStore, type StoreSettings } from '@sallyport/store'
import type { PolicyDocument } from 'sallyport'
import { keyFormat } from 'sallyport/keys'
import type { GatewayOptions } from '../../src/index.ts'
import { type Answer, ask, gatewayFor, type Running, temporaryFolder, upstreamFor } from '../harness.ts'

export const POLICY: PolicyDocument = {
  transport: { tls: 'in-front' },
  client: { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' },
  keys: { vendor: 'acme' },
  audit: { record: true },
  routes: {
    '/v1/*': { data: 'private', access: { authenticated: true } },
    'POST /sign-in': {
      credentials: 'none',
      lockout: { name: { from: 'json', field: 'email' }, addressFailures: 1_000 },
    },
    '/open': { data: 'public', credentials: 'none' },
  },
}

/** The environment of gateways on a server: all have the same secrets. */
export const ENVIRONMENT = {
  FAULTS_TEST_AUDIT: 'a secret that all gateways of the tests have',
  FAULTS_TEST_LOCKOUT: 'another secret that all of them have',
  SALLYPORT_PEPPER_1: Buffer.alloc(32, 9).toString('base64url'),
} as const

/** The places of a gateway on a server whose URL is in the variable. */
export const onServer = (urlFrom: string, more: { readonly connections?: number } = {}) =>
  ({
    store: { urlFrom, ...more },
    secrets: { audit: { from: 'FAULTS_TEST_AUDIT' }, lockout: { from: 'FAULTS_TEST_LOCKOUT' } },
  }) as const

/** Keys that a store has, made while no gateway has it open. */
export async function keysIn(settings: StoreSettings, count = 1): Promise<readonly string[]> {
  const store = await openStore(settings)
  try {
    const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)
    const place = 'url' in settings ? { environment: ENVIRONMENT } : { directory: settings.directory }
    const peppers = await openPeppers(store, place, random)
    const administration = keyAdministration(store, {
      format: keyFormat('acme'),
      peppers,
      random,
      clock: Date.now,
    })
    const organisation = await administration.createOrganisation('Acme', 'free', 'test')
    const keys: string[] = []
    for (let made = 0; made < count; made += 1) {
      const wanted = { organisation, name: 'Till', kind: 'secret', environment: 'live' } as const
      keys.push((await administration.create({ ...wanted, createdBy: 'ada' })).key)
    }
    return keys
  } finally {
    await store.close()
  }
}

/** A gateway, and hands to ask it. */
export interface World extends Running {
  readonly folder: string
  /** How many requests the API has seen. */
  passed(): number
  /** With a key, or what is put in its place. */
  withKey(key: string): Promise<Answer>
  withoutKey(): Promise<Answer>
  /** Shows a key in the URL: 400, and an event of the log. */
  exposing(): Promise<Answer>
  get(path: string): Promise<Answer>
  open(): Promise<Answer>
  guess(password?: string, email?: string): Promise<Answer>
  ready(): Promise<{ readonly status: number; readonly reasons: string[]; readonly warnings: string[] }>
  metric(name: string): Promise<number | undefined>
}

/** Starts one; it ends with the test. */
export async function worldOf(
  context: TestContext,
  places: NonNullable<GatewayOptions['places']>,
  more: Partial<GatewayOptions> = {},
): Promise<World> {
  let passed = 0
  const upstream = await upstreamFor(context, async (request, response) => {
    passed += 1
    let body = ''
    for await (const chunk of request) body += chunk
    response.writeHead(body.includes('wrong') ? 401 : 200).end('{}')
  })
  const folder = more.stateFolder ?? (await temporaryFolder(context))
  const running = await gatewayFor(context, {
    policy: POLICY,
    upstream,
    stateFolder: folder,
    places,
    admin: { host: '127.0.0.1', port: 0 },
    ...more,
  })
  let guesses = 0
  return {
    ...running,
    folder,
    passed: () => passed,
    withKey: (key) => ask(running, '/v1/things', { headers: { authorization: `Bearer ${key}` } }),
    withoutKey: () => ask(running, '/v1/things'),
    exposing: () => ask(running, `/v1/things?key=sk_acme_live_${'a'.repeat(38)}`),
    get: (path) => ask(running, path),
    open: () => ask(running, '/open'),
    guess: (password = 'right', email = 'ada@example.com') =>
      ask(running, '/sign-in', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `198.51.100.${guesses++ % 250}` },
        body: JSON.stringify({ email, password }),
      }),
    async ready() {
      const answer = await fetch(`${running.gateway.adminUrl}/readyz`)
      return { status: answer.status, ...(await answer.json()) }
    },
    async metric(name) {
      const families = await running.gateway.plane.metrics()
      return families.find((family) => family.name === name)?.samples[0]?.value
    },
  }
}

/** Asks until the answer is as it must become; for as long as a minute. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  holds: (answer: T) => boolean,
): Promise<T> {
  const end = performance.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (holds(answer)) return answer
    if (performance.now() > end) assert.fail(`${what}: ${JSON.stringify(answer)}`)
    await wait(20)
  }
}
