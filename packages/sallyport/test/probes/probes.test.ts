// The probes of headers, cache, transport and errors against real servers: under a guard nothing is found, on a bare
// server every claim is missed, and each probe has an id of its own.

import assert from 'node:assert/strict'
import { createServer as createBare, type RequestListener } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import { cache } from '../../src/controls/cache/index.ts'
import { errors } from '../../src/controls/errors/index.ts'
import { headers } from '../../src/controls/headers/index.ts'
import { transport } from '../../src/controls/transport/index.ts'
import type { Control } from '../../src/guard/control.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import { WEAKER } from '../kinds/hostile.ts'
import { listening } from '../kinds/listen.ts'
import { probesOf, prove } from './prove.ts'

const CONTROLS = [headers, cache, transport, errors] as readonly unknown[] as readonly Control<never>[]

const hostile: RequestListener = (request, response) => {
  for (const [name, value] of WEAKER) response.setHeader(name, value)
  response.statusCode = request.url === '/missing' ? 404 : 200
  response.end('{}')
}

async function running(t: TestContext, server: ReturnType<typeof createBare>) {
  const app = await listening(server)
  t.after(() => app.close())
  return app
}

const POLICIES: Readonly<Record<string, PolicyDocument>> = {
  api: { extends: 'api' },
  payments: { extends: 'payments' },
  commerce: { extends: 'commerce' },
  recommended: { extends: 'recommended' },
  'a nonce, an asset and a floor': {
    extends: 'recommended',
    headers: {
      contentSecurityPolicy: { 'script-src': ["'nonce'", "'strict-dynamic'"] },
      reportingEndpoints: { csp: 'https://reports.example/csp' },
      contentSecurityPolicyReportOnly: { 'default-src': ["'none'"], 'report-to': ['csp'] },
      originAgentCluster: '?1',
      permittedCrossDomainPolicies: 'none',
    },
    routes: {
      '/assets/*': { data: 'asset', credentials: 'none' },
      '/files/:name': { data: 'private', cache: { owner: 'handler', floor: 'private' } },
      'GET /news': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 60 } },
    },
  },
}

describe('probes', () => {
  for (const [name, document] of Object.entries(POLICIES)) {
    it(`find nothing on a guarded server with a hostile handler: ${name}`, async (t) => {
      const app = await running(t, createServer(document, hostile))
      const policy = resolvePolicy(document)
      for (const control of CONTROLS) assert.deepEqual(await prove(app, control, policy), {}, control.name)
    })

    it(`have unique ids: ${name}`, () => {
      for (const control of CONTROLS) {
        const ids = probesOf(control, resolvePolicy(document)).map(({ id }) => id)
        assert.equal(new Set(ids).size, ids.length)
      }
    })
  }

  it('each miss their claim on a bare server', async (t) => {
    const app = await running(t, createBare(hostile))
    const policy = resolvePolicy({ extends: 'recommended' })
    for (const control of CONTROLS) {
      const found = await prove(app, control, policy)
      const claims = probesOf(control, policy).filter(({ id }) => !id.startsWith('headers/reporting'))
      assert.deepEqual(Object.keys(found).sort(), claims.map(({ id }) => id).sort(), control.name)
    }
  })

  // The cell of paths that are not canonical has its fixed cache value all the same.
  it('are none for a control that does not enforce', () => {
    for (const mode of ['report', 'off'] as const) {
      const policy = resolvePolicy({
        headers: { mode },
        cache: { mode },
        transport: { mode },
        errors: { mode },
      })
      for (const control of CONTROLS)
        assert.deepEqual(
          probesOf(control, policy).filter(({ id }) => id !== 'cache/value !'),
          [],
        )
    }
  })
})
