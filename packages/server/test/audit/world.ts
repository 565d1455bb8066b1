// A gateway with a store of its own, hands to do something at it, and the log that it leaves.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '@sallyport/store'
import { checkLog, readLog } from '@sallyport/store/audit'
import type { PolicyDocument } from 'sallyport'
import { gatewayFor, type Running, temporaryFolder, upstreamFor } from '../harness.ts'

const MAIN = fileURLToPath(new URL('../../../sallyport/src/cli/main.ts', import.meta.url))
const NAME = { from: 'json', field: 'email' } as const

export const POLICY: PolicyDocument = {
  transport: { tls: 'in-front' },
  client: { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' },
  keys: { vendor: 'acme' },
  access: { authenticated: false, catalogue: { scopes: { 'orders:write': 'Orders may be changed.' } } },
  audit: {
    record: true,
    risk: { signals: { 'session.failed': { weight: 30 } }, high: ['lock'], lockSeconds: 60 },
  },
  routes: {
    'POST /sign-in': {
      credentials: 'none',
      lockout: { name: NAME, addressFailures: 1_000 },
    },
    'POST /code': { credentials: 'none', lockout: { name: NAME, authenticator: 'totp' } },
    'POST /sign-out': { credentials: 'none', audit: { event: { action: 'session.ended' } } },
    'PUT /factor': { credentials: 'none', audit: { event: { action: 'session.mfa_changed' } } },
    '/v1/*': {
      data: 'private',
      access: { authenticated: true },
      limits: { addresses: { buckets: { anonymous: { limit: 40, windowSeconds: 60 } } } },
    },
    '/v1/orders': { access: { scopes: ['orders:write'] } },
  },
}

export interface Entry {
  readonly metadata: { readonly event_code: string; readonly sequence: number }
  readonly status_id: number
  readonly status_code?: string
  readonly resource?: { readonly uid: string }
  readonly risk_score?: number
  readonly risk_level_id?: number
  readonly risk_details?: string
  readonly actor?: { readonly user: { readonly uid?: string; readonly credential_uid?: string } }
  readonly src_endpoint?: { readonly ip: string }
  readonly unmapped: { readonly details?: Readonly<Record<string, unknown>> }
}

/** A gateway with a store of its own, and hands to do something at it. */
export async function world(
  context: TestContext,
  policy: PolicyDocument = POLICY,
  more: Partial<Parameters<typeof gatewayFor>[1]> = {},
) {
  const folder = await temporaryFolder(context)
  const directory = join(folder, 'store')
  const upstream = await upstreamFor(context, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    if (request.url?.startsWith('/missing')) {
      response.writeHead(404).end()
      return
    }
    const isWrong = body !== '' && JSON.parse(body).secret !== 'right'
    response.writeHead(isWrong ? 401 : 200, { 'Audit-Actor': 'acc_7' }).end()
  })
  let next = policy
  const start = (): Promise<Running> =>
    gatewayFor(context, {
      policy,
      upstream,
      stateFolder: folder,
      places: { store: { folder: directory }, ...more.places },
      source: { name: 'policy', files: [], load: async () => ({ policy: next }) },
    })
  let running = await start()
  const send = (method: string, path: string, from: string, headers: object = {}, body?: object) =>
    fetch(`${running.gateway.url}${path}`, {
      method,
      headers: { 'x-forwarded-for': from, 'content-type': 'application/json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).then(async (answer) => {
      await answer.arrayBuffer()
      return answer.status
    })
  return {
    get running() {
      return running
    },
    folder,
    directory,
    send,
    guess: (path: string, from: string, secret: string, email = 'ada@example.com') =>
      send('POST', path, from, {}, { email, secret }),
    withKey: (path: string, from: string, key: string) =>
      send('GET', path, from, { authorization: `Bearer ${key}` }),
    /** Whether an answer says that its key was rotated (RFC 9745). */
    endsSoon: async (path: string, from: string, key: string): Promise<boolean> => {
      const headers = { 'x-forwarded-for': from, authorization: `Bearer ${key}` }
      const answer = await fetch(`${running.gateway.url}${path}`, { headers })
      await answer.arrayBuffer()
      return answer.headers.has('deprecation')
    },
    async reload(policy: PolicyDocument) {
      next = policy
      return await running.gateway.reload()
    },
    /** Changes the records while no gateway has them. */
    async between(sql: string): Promise<void> {
      await running.gateway.close({ graceMs: 0 })
      const store = await openStore({ directory })
      await store.asOwner((client) => client.query(sql))
      await store.close()
      running = await start()
    },
    /** `sallyport keys`, beside the running gateway. */
    keys: (...words: string[]) =>
      command(folder, 'keys', ...words, '--vendor', 'acme', '--organisation', 'Acme', '--store', directory),
    /** Ends the gateway and gives the whole log, which must hold. */
    async log(): Promise<readonly Entry[]> {
      await running.gateway.close({ graceMs: 0 })
      return logOf(directory)
    },
  }
}

/** The command, in a folder. Rejects with what it says where it does not end with 0. */
export function command(
  folder: string,
  ...words: string[]
): Promise<{ readonly out: string; readonly err: string }> {
  return new Promise((resolve, reject) =>
    execFile(process.execPath, [MAIN, ...words], { cwd: folder }, (error, out, err) =>
      error ? reject(new Error(err + out)) : resolve({ out, err }),
    ),
  )
}

/** The whole log of a store, which must hold. */
export async function logOf(directory: string): Promise<readonly Entry[]> {
  const store = await openStore({ directory })
  try {
    assert.deepEqual((await checkLog(store)).faults, [])
    return (await readLog(store, 0, 10_000)).map(({ entry }) => JSON.parse(entry))
  } finally {
    await store.close()
  }
}

export const of = (log: readonly Entry[], action: string): readonly Entry[] =>
  log.filter(({ metadata }) => metadata.event_code === action)
