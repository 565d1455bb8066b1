// How a verification goes about it: what it finds in single places, what it does not send, what it can't see, and what
// it never tells.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { CouldNotVerify } from '../../src/posture/verify/result.ts'
import { verificationText } from '../../src/posture/verify/text.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { send, type Wire } from '../../src/posture/wire/send.ts'
import { parseTarget, replicaAt } from '../../src/posture/wire/target.ts'
import { bare, found, type Handler, NOSNIFF, only, under } from './server.ts'

const fine: Handler = (_request, response) => {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  // What paths that are not canonical keep, whatever the policy says of caches.
  response.setHeader('Cache-Control', 'no-store, private')
  response.setHeader('Content-Type', 'application/json')
  response.end('{}')
}

/** The classes that a bare server of Node answers without asking its handler. */
const byParser = (finding: string) =>
  !/ (?:bad-request-line|bad-header-name|headers-too-large|target-too-long|no-host|length-and-chunked|bare-lf|unknown-expect|unknown-method) /.test(
    finding,
  )

describe('verify', () => {
  it('finds what is missing in one class of answers only', async (context) => {
    const url = await bare(context, (request, response) => {
      if (request.url === '/fails') response.writeHead(503, { 'Cache-Control': 'no-store' }).end('no')
      else if (request.url === '/events') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' })
        response.write('data: 1\n\n')
      } else fine(request, response)
    })
    const result = await verify(NOSNIFF, url, {
      samples: [
        { class: 'error', path: '/fails' },
        { class: 'sse', path: '/events' },
      ],
    })
    const places = found(result).filter((each) => byParser(each))
    // HEAD of the failing path is an answer of its own.
    assert.deepEqual(places, ['xcto.missing error *', 'xcto.missing head *', 'xcto.missing sse *'])
    assert.equal(only(result, 'xcto.missing').mend, 'X-Content-Type-Options: nosniff')
    assert.match(only(result, 'xcto.missing').curl, /^(?:curl -s|printf )/)
  })

  it('finds a weaker value, a second line and a line too many', async (context) => {
    const policy: PolicyDocument = {
      ...NOSNIFF,
      transport: { hsts: { maxAgeSeconds: 63_072_000 } },
      headers: { frameOptions: 'DENY', strip: { 'x-powered-by': 'It names the framework.' } },
    }
    const url = await bare(context, (_request, response) => {
      response.setHeader('Strict-Transport-Security', 'max-age=60')
      response.setHeader('X-Frame-Options', ['DENY', 'SAMEORIGIN'])
      response.setHeader('X-Powered-By', 'Acme 1.2')
      response.end()
    })
    const ids = new Set((await verify(policy, url)).findings.map(({ id }) => id))
    for (const id of ['hsts.short-max-age', 'xfo.invalid', 'leak.framework']) assert.ok(ids.has(id), id)
  })

  it('takes a stronger value for what holds', async (context) => {
    const policy: PolicyDocument = {
      ...NOSNIFF,
      transport: { hsts: { maxAgeSeconds: 31_536_000 } },
      headers: {
        referrerPolicy: ['strict-origin-when-cross-origin'],
        contentTypeOptions: 'nosniff',
        strip: false,
      },
    }
    const url = await bare(context, (request, response) => {
      response.setHeader('Strict-Transport-Security', 'includeSubDomains; max-age="63072000"')
      response.setHeader('Referrer-Policy', 'no-referrer')
      fine(request, response)
    })
    const result = await verify(policy, url)
    assert.deepEqual(
      found(result).filter((each) => byParser(each)),
      [],
    )
  })

  it('H20 finds what an error tells, and not what the policy replaces', async (context) => {
    const leaky: Handler = (request, response) => {
      if (request.url !== '/fails') return void fine(request, response)
      response.writeHead(422, { 'Content-Type': 'application/json' })
      response.end(
        JSON.stringify({ error: "ENOENT: no such file or directory, open '/srv/app/secret.json'" }),
      )
    }
    const policy: PolicyDocument = { extends: 'api' }
    const url = await under(context, policy, leaky)
    const options = { place: 'node', samples: [{ class: 'error', path: '/fails' }] } as const
    assert.ok(found(await verify(policy, url, options)).includes('leak.error-detail bad-request *'))
    const replaced = await under(context, policy, (request, response) => {
      if (request.url !== '/fails') return void fine(request, response)
      response.writeHead(500, { 'Content-Type': 'text/plain' })
      response.end('Error: x\n    at handler (/srv/app/server.js:1:1)')
    })
    assert.deepEqual(found(await verify(policy, replaced, options)), [])
  })

  it('sends nothing that could change something, unless it is allowed to', async (context) => {
    const asked: string[] = []
    const policy: PolicyDocument = {
      extends: 'recommended',
      request: { maxBodyBytes: 1_000 },
      routes: { 'POST /v1/orders': { data: 'private' }, 'DELETE /v1/orders/:id': {}, '/v1/files/*': {} },
    }
    const url = await bare(context, (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      fine(request, response)
    })
    const writes = () =>
      asked.filter((line) => !/^(?:GET|HEAD|OPTIONS|TRACE) |\/\.well-known\/problems\//.test(line))
    const samples = [{ class: 'bad-json', path: '/v1/orders' }] as const
    const result = await verify(policy, url, { samples })
    assert.deepEqual(writes(), [])
    assert.ok(
      result.notRun.some(
        ({ probe, because }) => probe === 'class bad-json' && /--allow-writes/.test(because),
      ),
    )
    // The cells of writes are seen all the same, by preflights.
    assert.ok(result.findings.some(({ cell }) => cell === 'POST /v1/orders'))
    await verify(policy, url, { samples, allowWrites: true })
    for (const line of ['POST /v1/orders', 'DELETE /v1/orders/sample'])
      assert.ok(writes().includes(line), line)
  })

  it('asks again as each role, and never tells the credential', async (context) => {
    const secret = 'Bearer s3cret-token-of-the-user'
    const seen = new Set<string>()
    const url = await bare(context, (request, response) => {
      const { authorization = '' } = request.headers
      seen.add(authorization)
      // A server that echoes it must not lead it into the report.
      response.setHeader('X-Frame-Options', authorization)
      response.setHeader('Cache-Control', authorization === '' ? 'no-store' : 'public, max-age=60')
      response.end()
    })
    const policy: PolicyDocument = { ...NOSNIFF, cache: {}, headers: { frameOptions: 'DENY', strip: false } }
    const result = await verify(policy, url, {
      credentials: [{ role: 'user', header: 'Authorization', value: secret }],
      samples: [{ class: '200', path: '/v1/account' }],
    })
    assert.ok(seen.has(secret))
    const shared = result.findings.find(({ id, role }) => id === 'cache.private-storable' && role === 'user')
    assert.match(shared!.curl, /Authorization: \$USER_CREDENTIAL/)
    const text = JSON.stringify(result) + verificationText(result)
    assert.ok(!text.includes('s3cret') && text.includes('[credential]'))
  })

  it('verifies each replica, and says which differs', async (context) => {
    const good = await bare(context, fine)
    const bad = await bare(context, (_request, response) => response.end('{}'))
    const { target } = parseTarget(good)
    const replicas = [good, bad].map((url) => replicaAt(target, new URL(url).host))
    const result = await verify(NOSNIFF, target, { replicas })
    const place = result.findings.find(({ class: where, cell }) => where === '200' && cell === '*')
    assert.deepEqual(place?.replicas, [new URL(bad).host])
    const parsers = result.findings.find(({ class: where }) => where === 'no-host')
    assert.deepEqual(parsers?.replicas, [new URL(good).host, new URL(bad).host])
    assert.deepEqual(result.replicas, [new URL(good).host, new URL(bad).host])
    const gone = await verify(NOSNIFF, target, { replicas: [...replicas, replicaAt(target, '127.0.0.1:1')] })
    assert.match(
      only(gone, 'verify.unreachable').detail,
      /^127\.0\.0\.1:1 gave no answer \(connect: ECONNREFUSED\)/,
    )
  })

  it('says that it could not verify, instead of a result', async (context) => {
    await assert.rejects(verify(NOSNIFF, 'http://127.0.0.1:1'), (error) => {
      assert.ok(error instanceof CouldNotVerify)
      assert.match(error.message, /gave no answer \(connect: ECONNREFUSED\)/)
      return true
    })
    const url = await bare(context, fine)
    await assert.rejects(
      verify(NOSNIFF, url, { maxRequests: 0 }),
      /no answer could be held against the policy/,
    )
    const blocked = await bare(context, (_request, response) => {
      response.writeHead(403, { 'cf-mitigated': 'challenge', server: 'cloudflare' })
      response.end('<title>Just a moment...</title>')
    })
    await assert.rejects(verify(NOSNIFF, blocked), /were a block page of Cloudflare/)
  })

  it('does not judge single block pages, and says so', async (context) => {
    const url = await bare(context, (request, response) => {
      if (request.url !== '/blocked') return void fine(request, response)
      response.writeHead(403, { 'x-amzn-waf-action': 'captcha' })
      response.end()
    })
    const result = await verify(NOSNIFF, url, { samples: [{ class: '200', path: '/blocked' }] })
    assert.deepEqual(
      found(result).filter((each) => byParser(each)),
      [],
    )
    assert.deepEqual(result.notes, ['3 answers were a block page of AWS WAF, and were not judged'])
  })

  it('is polite: so many a second, fewer when told, never more than the limit', async (context) => {
    const url = await bare(context, fine)
    const waits: number[] = []
    const run = (wire: Wire) =>
      verify(NOSNIFF, url, {
        perSecond: 20,
        maxRequests: 12,
        wire,
        wait: async (ms) => void waits.push(ms),
      })
    const result = await run(send)
    assert.deepEqual([...new Set(waits)], [50])
    assert.equal(waits.length, 12)
    assert.equal(result.requests, 13)
    assert.ok(result.notRun.some(({ because }) => /over the limit of 12 requests/.test(because)))
    waits.length = 0
    await run(async (...given) => ({ ...(await send(...given)), status: 429 }) as Awaited<ReturnType<Wire>>)
    assert.ok(Math.max(...waits) > 400, waits.join())
  })

  it('asks once more where a reset has swallowed the answer', async (context) => {
    const url = await bare(context, fine)
    const known = new Set<string>()
    const wire: Wire = async (target, request, options) => {
      const key = JSON.stringify([request, options])
      if (known.has(key)) return send(target, request, options)
      known.add(key)
      return { kind: 'failure', phase: 'head', code: 'ECONNRESET', timing: { totalMs: 1 } }
    }
    const [direct, again] = [await verify(NOSNIFF, url), await verify(NOSNIFF, url, { wire })]
    assert.deepEqual([again.passed, again.of], [direct.passed, direct.of])
  })

  it('D21 finds that another policy is deployed than the one it verifies by', async (context) => {
    const policy: PolicyDocument = { extends: 'recommended', disclosure: { posture: 'public' } }
    const url = await under(context, policy, fine)
    assert.deepEqual(found(await verify(policy, url)), [])
    const result = await verify({ ...policy, version: '2' }, url)
    assert.match(only(result, 'drift.posture').detail, /^the published posture is of the policy sha256:/)
    assert.equal(result.findings.length, 1)
  })

  it('says of itself who it is', async (context) => {
    const agents = new Set<string>()
    const url = await bare(context, (request, response) => {
      agents.add(request.headers['user-agent'] ?? 'none')
      fine(request, response)
    })
    await verify(NOSNIFF, url, { userAgent: 'sallyport-verify/1.2.3' })
    assert.deepEqual([...agents].sort(), ['none', 'sallyport-verify/1.2.3'])
  })

  it('probes one of many routes with the same settings, and says so', async (context) => {
    const routes = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`/v1/r${i}/*`, {}]))
    const policy: PolicyDocument = {
      ...NOSNIFF,
      routes: { ...routes, '/odd': { data: 'public', credentials: 'none' } },
    }
    const paths = new Set<string>()
    const url = await bare(context, (request, response) => {
      paths.add(request.url!)
      fine(request, response)
    })
    const result = await verify(policy, url)
    assert.ok(paths.has('/odd') && paths.has('/v1/r0'))
    assert.match(result.notes[0]!, /^279 of 303 routes were not probed themselves/)
    assert.ok(result.requests < 400)
  })
})
