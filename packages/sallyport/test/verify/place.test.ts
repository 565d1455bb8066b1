// Where the policy runs decides what a path that is not canonical meets; a gateway that something in front of it cleans
// paths for must not pass.

import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { createServer as guarded } from '../../src/adapters/node/index.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import '../../src/posture/page/index.ts'
import { type Captured, captureOf, verifyCaptured } from '../../src/posture/verify/captured.ts'
import { verificationText } from '../../src/posture/verify/text.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { listening } from '../kinds/listen.ts'

const PUBLIC: PolicyDocument = { extends: 'recommended', disclosure: { posture: 'public' } }
const SILENT: PolicyDocument = { extends: 'recommended' }

/** A gateway behind a proxy that cleans paths, so that none that is not canonical arrives. */
async function cleaned(context: TestContext, policy: PolicyDocument): Promise<string> {
  const gateway = await listening(
    guarded(createGuard(policy, 'gateway'), (_request, response) => response.end('{}')),
  )
  const proxy = await listening(
    createServer((incoming, response) => {
      const path = incoming
        .url!.replaceAll(/%2f|\/{2,}|\\/gi, '/')
        .replaceAll(/;[^/]*|%00/g, '')
        .replaceAll(/%2e/gi, '.')
        .replace(/[^/]+\/\.\.\//, '')
        .toLowerCase()
      const { method = 'GET', headers } = incoming
      const onward = request({ port: gateway.port, path, method, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode!, answer.rawHeaders)
        answer.pipe(response)
      })
      onward.on('error', () => response.destroy())
      incoming.pipe(onward)
    }),
  )
  context.after(() => proxy.close())
  context.after(() => gateway.close())
  return `http://127.0.0.1:${proxy.port}`
}

describe('where nobody says in which place the policy runs', () => {
  it('the posture that the deployment publishes does', async (context) => {
    const url = await cleaned(context, PUBLIC)
    const captured: Captured[] = []
    const result = await verify(PUBLIC, url, {
      onExchange: (exchanged) => captured.push(...[captureOf(exchanged) ?? []].flat()),
    })
    const paths = result.findings.filter(({ id, curl }) => id === 'drift.request' && /\/v1/.test(curl))
    assert.ok(paths.length > 0, JSON.stringify(result.findings.map(({ id }) => id)))
    assert.deepEqual(result.notJudged, [])
    assert.ok(result.notes.includes('the published posture says that the policy runs in place gateway'))
    const again = await verifyCaptured(PUBLIC, captured, 'captured')
    assert.ok(again.findings.some(({ id, curl }) => id === 'drift.request' && /\/v1/.test(curl)))
  })

  it('the report says that either answer was taken, until somebody says it', async (context) => {
    const url = await cleaned(context, SILENT)
    const open = await verify(SILENT, url)
    assert.deepEqual(open.notJudged, [
      {
        probe: 'paths that are not canonical',
        because: "both a gateway's and an application's answer are taken; say --place gateway",
      },
    ])
    assert.match(
      verificationText(open),
      /^Not judged:\n {2}paths that are not canonical: both a gateway's and an application's answer are taken; say --place gateway$/m,
    )
    const told = await verify(SILENT, url, { place: 'gateway' })
    assert.deepEqual(told.notJudged, [])
    assert.ok(told.findings.some(({ id, curl }) => id === 'drift.request' && /\/v1/.test(curl)))
    assert.doesNotMatch(verificationText(told), /Not judged/)
  })

  it('a policy that says what such a path meets needs nobody to say it', async (context) => {
    const policy: PolicyDocument = { ...SILENT, request: { nonCanonical: 'refuse' } }
    const result = await verify(policy, await cleaned(context, policy))
    assert.deepEqual(result.notJudged, [])
    assert.ok(result.findings.some(({ id }) => id === 'drift.request'))
  })
})

describe('a route in other letters', () => {
  const policy: PolicyDocument = {
    extends: 'recommended',
    routes: { '/v1/account/*': { data: 'private', cache: { mode: 'off' } }, 'POST /v1/orders': {} },
  }

  /** Something in front that writes paths in small letters, or none. */
  async function behind(context: TestContext, isLowered: boolean): Promise<string> {
    const gateway = await listening(
      guarded(createGuard(policy, 'gateway'), (_request, response) => response.end('{}')),
    )
    context.after(() => gateway.close())
    if (!isLowered) return `http://127.0.0.1:${gateway.port}`
    const proxy = await listening(
      createServer(({ url = '/', method = 'GET', headers }, response) => {
        const path = url.toLowerCase()
        request({ port: gateway.port, path, method, headers, agent: false }, (answer) => {
          response.writeHead(answer.statusCode!, answer.rawHeaders)
          answer.pipe(response)
        }).end()
      }),
    )
    context.after(() => proxy.close())
    return `http://127.0.0.1:${proxy.port}`
  }

  it('must be refused by a gateway', async (context) => {
    const result = await verify(policy, await behind(context, false), { place: 'gateway' })
    assert.deepEqual(result.findings, [])
  })

  it('is found where something lets it through', async (context) => {
    const result = await verify(policy, await behind(context, true), { place: 'gateway' })
    const curls = result.findings.filter(({ id }) => id === 'drift.request').map(({ curl }) => curl)
    assert.ok(
      curls.some((curl) => curl.includes('/V1/Account')),
      curls.join('\n'),
    )
  })
})
