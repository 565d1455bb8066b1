// Against the usual stacks `verify` finds exactly the gaps that were measured beside them: their middleware is not
// asked where the parser answers, and not where the framework's own router does.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { Sample } from '../../src/posture/verify/plan.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { nodeHandler } from '../kinds/app-node.ts'
import { ORIGIN } from '../kinds/kinds.ts'
import { listening, type Running } from '../kinds/listen.ts'
import { usualApps } from '../kinds/servers.ts'

// What helmet sends by default, and nothing that it does not claim.
const HELMET: PolicyDocument = {
  transport: { hsts: { maxAgeSeconds: 31_536_000, includeSubDomains: true } },
  headers: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'SAMEORIGIN',
    referrerPolicy: ['no-referrer'],
    strip: false,
  },
  cache: { mode: 'off' },
  client: { requestId: false },
  request: { mode: 'off' },
  errors: { mode: 'off' },
}

const SAMPLES: readonly Sample[] = [
  { class: '200', path: '/ok' },
  { class: '304', path: '/same' },
  { class: 'redirect', path: '/moved' },
  { class: 'error', path: '/throws' },
  { class: 'error', path: '/rejects' },
  { class: '401', path: '/unauthorized' },
  { class: '403', path: '/forbidden' },
  { class: 'sse', path: '/events' },
  { class: 'bad-json', path: '/echo' },
  { class: '405', path: '/ok' },
]

/** The classes that Node's parser answers by itself. */
const PARSER = [
  'bad-header-name',
  'bad-request-line',
  'bare-lf',
  'headers-too-large',
  'length-and-chunked',
  'no-host',
  'target-too-long',
  'unknown-expect',
  'unknown-method',
]

const FOUR = ['framing.missing', 'hsts.missing', 'referrer.missing', 'xcto.missing']

async function verified(context: TestContext, app: Running, policy: PolicyDocument): Promise<Verification> {
  context.after(() => app.close())
  return verify(policy, `http://127.0.0.1:${app.port}`, {
    place: 'node',
    samples: SAMPLES,
    allowWrites: true,
  })
}

// Paths that are not canonical keep their fixed cache value whatever the policy says; no stack here has one.
function byClass({ findings }: Verification): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {}
  for (const { class: id, id: finding, control } of findings) {
    if (control === 'SP-CACHE-01') continue
    found[id] ??= []
    if (!found[id].includes(finding)) found[id].push(finding)
  }
  for (const list of Object.values(found)) list.sort()
  return found
}

function seen({ classes }: Verification): readonly string[] {
  return classes.filter(({ answers }) => answers > 0).map(({ id }) => id)
}

const gapsIn = (classes: readonly string[]) => Object.fromEntries(classes.map((id) => [id, FOUR]))

describe('verify finds the gaps of the usual stacks, and no others:', () => {
  const MIDDLEWARE = ['200', '304', '401', '403', '404', 'redirect', 'error', 'head', 'sse']

  for (const [name, extra] of [
    ['express', []],
    ['fastify', ['bad-percent']],
    // Its server answers "/v1\\account" by itself, since that is no URL.
    ['hono', ['bad-request']],
  ] as const)
    it(`headers of ${name}`, async (context) => {
      // Hono's own defaults are other values of the same headers.
      const hono: PolicyDocument = {
        ...HELMET,
        transport: { hsts: { maxAgeSeconds: 15_552_000, includeSubDomains: true } },
      }
      const result = await verified(context, await usualApps[name]!(), name === 'hono' ? hono : HELMET)
      assert.deepEqual(byClass(result), gapsIn([...PARSER, ...extra].sort()))
      for (const id of [...MIDDLEWARE, ...PARSER, 'bad-percent']) assert.ok(seen(result).includes(id), id)
    })

  it('all headers of a bare server, in every class', async (context) => {
    process.once('uncaughtException', () => {})
    const app = await listening(
      createServer((request, response) => void nodeHandler(false)(request, response)),
    )
    context.after(() => app.close())
    const samples = SAMPLES.filter(({ class: id }) => id !== 'error')
    const result = await verify(HELMET, `http://127.0.0.1:${app.port}`, { place: 'node', samples })
    assert.deepEqual(byClass(result), gapsIn(seen(result)))
    assert.ok(seen(result).length >= 20)
  })

  it('what CORS plugins tell origins that are denied', async (context) => {
    const policy: PolicyDocument = { ...HELMET, cors: { origins: [ORIGIN], bearer: 'listed' } }
    for (const name of ['express', 'fastify', 'hono']) {
      const result = await verified(context, await usualApps[name]!(), policy)
      const denied = result.findings.filter(
        ({ class: id, control }) => control === 'SP-CORS-01' && id.startsWith('preflight'),
      )
      assert.ok(
        denied.some(({ detail }) => /^answered 20\d instead of 403$/.test(detail)),
        name,
      )
      assert.ok(
        denied.some(({ mend }) => mend === 'remove the line access-control-allow-methods'),
        name,
      )
    }
  })
})
