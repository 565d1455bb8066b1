// What runs is adopted without a change: proved against helmet, @fastify/helmet and bare servers themselves; and the
// steps lead to `recommended`, none of them a step back.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import fastifyHelmet from '@fastify/helmet'
import cors from 'cors'
import express from 'express'
import Fastify from 'fastify'
import helmet, { type HelmetOptions } from 'helmet'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import { type Adoption, adopt } from '../../src/posture/adopt/adopt.ts'
import { observeOptions } from '../../src/posture/adopt/options.ts'
import { afterStep } from '../../src/posture/adopt/steps.ts'
import { diffPolicies } from '../../src/posture/diff/diff.ts'
import { type Captured, captureOf } from '../../src/posture/verify/captured.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { parseTarget } from '../../src/posture/wire/target.ts'
import { recommended } from '../../src/presets/recommended.ts'
import { listening } from '../kinds/listen.ts'

async function running(context: TestContext, server: Parameters<typeof listening>[0]): Promise<string> {
  const app = await listening(server)
  context.after(() => app.close())
  return `http://127.0.0.1:${app.port}`
}

function helmetApp(options?: HelmetOptions) {
  const app = express().set('env', 'test')
  app.use(helmet(options))
  app.get('/v1/prices', (_request, response) => {
    response.set('Cache-Control', 'public, max-age=60').json([])
  })
  app.get('/docs', (_request, response) => void response.send('<h1>Docs</h1>'))
  app.use((_request, response) => void response.status(404).json({ error: 'nothing here' }))
  return app
}

const SAMPLES = [
  { class: '200', path: '/v1/prices' },
  { class: '200', path: '/docs' },
] as const

function adoptLive(url: string, origins: readonly string[] = []): Promise<Adoption> {
  return adopt({ kind: 'live', target: parseTarget(url).target, options: { samples: SAMPLES }, origins })
}

function settings(policy: PolicyDocument): Readonly<Record<string, Record<string, unknown>>> {
  return policy as Readonly<Record<string, Record<string, unknown>>>
}

describe('what answers is adopted without a change:', () => {
  it('express with helmet', async (context) => {
    const { policy, taken, left, proof } = await adoptLive(await running(context, createServer(helmetApp())))
    assert.deepEqual(proof?.changes, [])
    assert.equal(taken.length, 10)
    assert.deepEqual(left, [])
    assert.equal(policy.headers?.frameOptions, 'SAMEORIGIN')
    assert.deepEqual(policy.transport, { hsts: { maxAgeSeconds: 31_536_000, includeSubDomains: true } })
    // Node's own refusals carry none of it today.
    const gained = proof?.gains.flatMap(({ classes }) => classes) ?? []
    for (const id of ['no-host', 'headers-too-large', 'bad-request-line']) assert.ok(gained.includes(id), id)
  })

  it('fastify with its helmet', async (context) => {
    const app = Fastify()
    await app.register(fastifyHelmet)
    app.get('/v1/prices', async () => [])
    await app.ready()
    const { proof, taken } = await adoptLive(await running(context, app.server))
    assert.deepEqual(proof?.changes, [])
    assert.ok(taken.includes('strict-transport-security'))
  })

  it('a bare server, by a policy that sets nothing', async (context) => {
    const url = await running(
      context,
      createServer((_request, response) => response.end('{}')),
    )
    const { policy, taken, proof } = await adoptLive(url)
    assert.deepEqual([taken, proof], [[], undefined])
    assert.deepEqual(settings(policy)['headers'], { strip: false })
  })

  it('headers that differ from answer to answer stay the application’s', async (context) => {
    let nonce = 0
    const url = await running(
      context,
      createServer((request, response) => {
        if (request.url !== '/docs') response.setHeader('X-Content-Type-Options', 'nosniff')
        response.setHeader('X-Frame-Options', request.url === '/docs' ? 'SAMEORIGIN' : 'DENY')
        response.setHeader('Content-Security-Policy', `script-src 'nonce-${nonce++}'`)
        response.setHeader('Referrer-Policy', 'no-referrer')
        response.setHeader('Permissions-Policy', 'camera=(), geolocation=(self "https://maps.example")')
        response.setHeader('Strict-Transport-Security', 'max-age=300; preload')
        response.end()
      }),
    )
    const { policy, taken, left, proof } = await adoptLive(url)
    assert.deepEqual(proof?.changes, [])
    assert.deepEqual(taken, ['referrer-policy', 'permissions-policy'])
    assert.deepEqual(settings(policy)['headers'], {
      strip: false,
      referrerPolicy: ['no-referrer'],
      permissionsPolicy: { camera: [], geolocation: ['self', 'https://maps.example'] },
    })
    const reasons = Object.fromEntries(left.map(({ header, because }) => [header, because]))
    assert.match(reasons['x-content-type-options']!, /answers have none$/)
    assert.match(reasons['x-frame-options']!, /not the same everywhere \(2 values\)/)
    assert.match(reasons['content-security-policy']!, /not the same everywhere/)
    assert.match(reasons['strict-transport-security']!, /a policy refuses the value: the preload list/)
  })

  it('a page of a CDN is never taken for the application', async (context) => {
    const url = await running(
      context,
      createServer((_request, response) => {
        response.setHeader('cf-mitigated', 'challenge')
        response.setHeader('X-Frame-Options', 'SAMEORIGIN')
        response.writeHead(403).end('<title>Just a moment...</title>')
      }),
    )
    await assert.rejects(adoptLive(url), /block page/)
  })

  it('recorded answers', async (context) => {
    const captured: Captured[] = []
    const url = await running(context, createServer(helmetApp()))
    await verify({ headers: { contentTypeOptions: 'nosniff' } }, url, {
      samples: SAMPLES,
      onExchange(exchanged) {
        const kept = captureOf(exchanged)
        // A browser sends nothing that its parser refuses.
        if (kept && !('raw' in kept.request) && kept.answer.status !== 400) captured.push(kept)
      },
    })
    const { proof, taken } = await adopt({ kind: 'har', captured })
    assert.deepEqual(proof?.changes, [])
    assert.equal(taken.length, 10)
  })
})

describe('the options of helmet give the policy that helmet’s own answers give:', () => {
  const CASES: Readonly<Record<string, HelmetOptions | undefined>> = {
    'no options': undefined,
    'switched off': { contentSecurityPolicy: false, hsts: false, frameguard: false, noSniff: false },
    'older names': {
      hsts: { maxAge: 63_072_000, preload: true },
      frameguard: { action: 'deny' },
      dnsPrefetchControl: { allow: true },
    },
    'newer names': {
      strictTransportSecurity: { maxAge: 600, includeSubDomains: false },
      xFrameOptions: { action: 'deny' },
      referrerPolicy: { policy: ['no-referrer', 'strict-origin'] },
      crossOriginEmbedderPolicy: true,
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' },
      xPermittedCrossDomainPolicies: { permittedPolicies: 'master-only' },
      originAgentCluster: false,
    },
    'own directives': {
      contentSecurityPolicy: {
        directives: {
          defaultSrc: ["'none'"],
          'script-src': ["'self'", 'https://cdn.example'],
          styleSrc: null,
          upgradeInsecureRequests: null,
        },
      },
    },
    'directives without defaults, report-only': {
      contentSecurityPolicy: { useDefaults: false, reportOnly: true, directives: { defaultSrc: "'self'" } },
    },
  }
  for (const [name, options] of Object.entries(CASES))
    it(name, async (context) => {
      const url = await running(context, createServer(helmetApp(options)))
      const observed = observeOptions({ helmet: options ?? true })!
      const fromOptions = await adopt({ kind: 'options', observed })
      const fromAnswers = await adoptLive(url)
      assert.deepEqual(fromOptions.policy, fromAnswers.policy)
      assert.deepEqual(fromAnswers.proof?.changes, [])
      assert.equal(fromOptions.proof, undefined)
    })

  it('options that are functions are left, and said to be', async () => {
    const observed = observeOptions({
      helmet: { contentSecurityPolicy: { directives: { scriptSrc: [() => "'nonce-1'"] } } },
      cors: { origin: [/\.example\.com$/, 'https://app.example'], credentials: true },
      rateLimit: { windowMs: 900_000, limit: () => 5 },
    })!
    const { taken, steps, notes } = await adopt({ kind: 'options', observed })
    assert.ok(!taken.includes('content-security-policy'))
    assert.match(notes.join('\n'), /cors\.origin has a pattern/)
    assert.match(notes.join('\n'), /rateLimit\.limit is computed/)
    assert.equal(
      steps.find(({ setting }) => setting === 'cors')?.snippet,
      "cors: { origins: ['https://app.example'] }",
    )
  })

  it('the options of one package are told by their keys', () => {
    for (const [timeWindow, windowMs] of [
      ['15 minutes', 900_000],
      ['1 hour', 3_600_000],
      [30_000, 30_000],
      ['soon', undefined],
    ] as const)
      assert.deepEqual(observeOptions({ rateLimit: { max: 300, timeWindow } })?.rateLimits, [
        { limit: 300, windowMs },
      ])
    assert.deepEqual(observeOptions({ windowMs: 60_000, max: 100 })?.rateLimits, [
      { limit: 100, windowMs: 60_000 },
    ])
    assert.deepEqual(observeOptions({ origin: 'https://app.example', methods: ['GET'] })?.corsOrigins, [
      'https://app.example',
    ])
    assert.equal(
      observeOptions({ hsts: false })?.answers[0]?.headers.some(([name]) => /^strict/.test(name)),
      false,
    )
    for (const other of [{ port: 3000 }, {}, [], null, 'x', undefined])
      assert.equal(observeOptions(other), undefined)
  })
})

describe('the steps', () => {
  it('lead to recommended, and none is a step back', async (context) => {
    const adopted = await adoptLive(await running(context, createServer(helmetApp())))
    let policy = adopted.policy
    for (const step of adopted.steps) {
      const next = afterStep(policy, step)
      const { verdict } = await diffPolicies(policy, next)
      // Helmet's directives upgrade http: links, of which nothing is left to load under 'none'.
      const allowed =
        step.setting === 'headers.contentSecurityPolicy' ? /^incomparable$/ : /^(?:stronger|neutral)$/
      assert.match(verdict, allowed, `${step.setting}: ${verdict}`)
      policy = next
    }
    const ours = resolvePolicy(policy).cells.at(-2)!.settings as Record<string, Record<string, unknown>>
    const theirs = resolvePolicy(recommended).cells.at(-2)!.settings as typeof ours
    for (const [control, setting] of Object.entries(theirs))
      for (const [key, value] of Object.entries(setting ?? {}))
        assert.deepEqual(ours[control]?.[key], value, `${control}.${key}`)
  })

  it('are none from recommended itself', async (context) => {
    const { guard } = await import('../../src/adapters/express.ts')
    const app = express()
    guard(app, { extends: 'recommended' })
    app.get('/v1/prices', (_request, response) => void response.json([]))
    const { steps } = await adoptLive(await running(context, createServer(app)))
    const settingsLeft = steps.map(({ setting }) => setting)
    // What no header shows is still to be declared.
    assert.deepEqual(settingsLeft, ['errors', 'request', 'cache', 'headers.strip', 'client'])
  })

  it('say what could break, by what was seen', async (context) => {
    const app = express().set('env', 'test')
    app.use(cors({ origin: ['https://app.example'], credentials: true }))
    app.use(helmetApp())
    const url = await running(context, createServer(app))
    const { steps, notes } = await adoptLive(url, ['https://app.example'])
    const breaksOf = (setting: string) => steps.find((each) => each.setting === setting)!.breaks.join(' ')
    assert.match(breaksOf('cache'), /\/v1\/prices \(public, max-age=60\)/)
    assert.match(breaksOf('headers.contentSecurityPolicy'), /\/docs/)
    assert.match(breaksOf('errors'), /404 as application\/json/)
    assert.match(breaksOf('cors'), /Seen so far: https:\/\/app\.example, with credentials/)
    assert.deepEqual(notes, [])
    const blind = await adoptLive(url)
    assert.equal(
      blind.steps.some(({ setting }) => setting === 'cors'),
      false,
    )
    assert.match(blind.notes.join(), /name those with --origin/)
  })

  it('give the numbers of a limiter as a setting', async (context) => {
    const url = await running(
      context,
      createServer((_request, response) => {
        response.setHeader('RateLimit-Policy', '"60-in-1min"; q=60; w=60; pk=:YTQ=:')
        response.end('{}')
      }),
    )
    const { steps } = await adoptLive(url)
    assert.equal(
      steps.find(({ setting }) => setting === 'limits')?.snippet,
      'limits: { addresses: { buckets: { requests: { limit: 60, windowSeconds: 60 } } } }',
    )
  })
})
