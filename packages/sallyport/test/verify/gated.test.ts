// Routes that let nobody in without a credential: what known callers are answered is judged where one of them is given,
// and said to be unjudged where none is.

import assert from 'node:assert/strict'
import { createServer as createBare } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { Principal } from '../../src/guard/principal.ts'
import { readCredential } from '../../src/posture/verify/credential.ts'
import { verificationJunit } from '../../src/posture/verify/junit.ts'
import { verificationSarif } from '../../src/posture/verify/sarif.ts'
import { verificationText } from '../../src/posture/verify/text.ts'
import { type VerifyOptions, verify } from '../../src/posture/verify/verify.ts'
import { listening } from '../kinds/listen.ts'
import { type Handler, NOSNIFF } from './server.ts'

const POLICY: PolicyDocument = {
  ...NOSNIFF,
  headers: { contentTypeOptions: 'nosniff', frameOptions: 'DENY', strip: false },
  cache: { mode: 'enforce', owner: 'policy' },
  access: {
    catalogue: { scopes: { 'orders:read': 'Read orders.' } },
    tokens: [{ service: true }],
  },
  routes: {
    'GET /v1/orders': { access: { scopes: ['orders:read'] } },
    '/v1/status': { data: 'public', credentials: 'none' },
  },
}

const TOKENS: Readonly<Record<string, readonly string[]>> = { reader: ['orders:read'], stranger: [] }

/** A guarded server, and what stands before it, which may spoil the answers to a credential. */
async function gated(context: TestContext, handler: Handler, policy = POLICY): Promise<string> {
  const guard = createGuard(policy, 'node', {
    services: {
      tokens: {
        find: (token) => {
          const scopes = TOKENS[token]
          if (scopes === undefined) return 'unknown'
          const principal: Principal = { organisation: 'o', credential: { kind: 'token', id: token }, scopes }
          return { principal }
        },
      },
    },
  })
  const app = await listening(createServer(guard, handler))
  context.after(() => app.close())
  return `http://127.0.0.1:${app.port}`
}

const as = (...tokens: readonly string[]): Pick<VerifyOptions, 'credentials' | 'place'> => ({
  place: 'node',
  credentials: tokens.map((token) => readCredential(`${token}=authorization:@T`, { T: `Bearer ${token}` })),
})

const fine: Handler = (_request, response) => {
  response.setHeader('Content-Type', 'application/json')
  response.end('{}')
}

const unjudged = ({ notRun }: Awaited<ReturnType<typeof verify>>) =>
  notRun
    .filter(({ probe }) => probe.startsWith('what known callers'))
    .map(({ probe, because }) => [probe, because])

describe('a gated route', () => {
  it('is judged at 401 and, with a credential that opens it, at 200', async (context) => {
    const url = await gated(context, fine)
    const result = await verify(POLICY, url, as('reader'))
    assert.deepEqual(result.findings, [])
    assert.deepEqual(unjudged(result), [])
    const seen = Object.fromEntries(result.classes.map(({ id, answers }) => [id, answers]))
    assert.ok(seen['401']! > 0 && seen['200']! > 0)
  })

  it('is said to be unjudged for known callers where no credential is given, or none is let in', async (context) => {
    const url = await gated(context, fine)
    const alone = await verify(POLICY, url, { place: 'node' })
    assert.deepEqual(unjudged(alone), [
      [
        'what known callers of GET /v1/orders are answered',
        'nobody is let in without a credential; name one with --credential user=authorization:@USER_TOKEN',
      ],
      [
        'what known callers of * are answered',
        'nobody is let in without a credential; name one with --credential user=authorization:@USER_TOKEN',
      ],
    ])
    assert.match(
      verificationText(alone),
      /what known callers of GET \/v1\/orders .*: nobody is let in without/,
    )
    const refused = await verify(POLICY, url, as('stranger'))
    assert.deepEqual(refused.findings, [])
    assert.deepEqual(unjudged(refused), [
      [
        'what known callers of GET /v1/orders are answered',
        'no credential that was given is let in there; name one that is with --credential',
      ],
    ])
  })

  it('is found where the answer to a known caller lacks a line, with the role and without the credential', async (context) => {
    // A proxy that keeps the policy for strangers only.
    const inner = await gated(context, fine)
    const app = await listening(
      createBare(async (request, response) => {
        // What the client of this proxy can't send is of no matter here.
        if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method!)) return void response.writeHead(405).end()
        const { authorization, origin } = request.headers
        const asked = await fetch(inner + request.url, {
          method: request.method!,
          headers: { ...(authorization ? { authorization } : {}), ...(origin ? { origin } : {}) },
        })
        response.statusCode = asked.status
        for (const [name, value] of asked.headers)
          if (!/^(?:connection|keep-alive|transfer-encoding|date|content-encoding)$/.test(name))
            if (!(asked.status === 200 && authorization && name === 'x-frame-options'))
              response.setHeader(name, value)
        response.end(Buffer.from(await asked.arrayBuffer()))
      }),
    )
    context.after(() => app.close())
    const result = await verify(POLICY, `http://127.0.0.1:${app.port}`, as('reader'))
    const found = result.findings.filter(({ cell, role }) => cell === 'GET /v1/orders' && role === 'reader')
    assert.deepEqual(
      found.map(({ id }) => id),
      ['framing.missing'],
    )
    assert.match(found[0]!.curl, /-H 'authorization: \$READER_CREDENTIAL'/i)
    const forms = [verificationJunit(result), JSON.stringify(verificationSarif(result, '0', 'p.json'))]
    for (const text of forms) assert.match(text, /GET \/v1\/orders as reader/)
    for (const text of [...forms, verificationText(result)]) assert.doesNotMatch(text, /Bearer reader/)
  })

  it('is found where it lets somebody in without a credential', async (context) => {
    const open = { ...POLICY, access: { ...POLICY.access, mode: 'off' } } as PolicyDocument
    const result = await verify(POLICY, await gated(context, fine, open), as('reader'))
    assert.ok(
      result.findings.some(
        ({ id, cell, role }) => id === 'drift.access' && cell === 'GET /v1/orders' && !role,
      ),
    )
  })
})
