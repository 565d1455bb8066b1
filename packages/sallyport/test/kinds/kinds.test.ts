// 25 kinds of answers, on plain node:http and under each framework, by raw sockets: every header of the policy stands on
// each of them exactly once with its exact value, though the handlers set weaker ones. Beside it, what the usual header
// plugins reach on the same apps.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PolicyDocument } from '../../src/adapters/node/index.ts'
import { ask, type Expected, extraKinds, faults, type Kind, kinds, ORIGIN } from './kinds.ts'
import type { Running } from './listen.ts'
import { guardedApps, usualApps } from './servers.ts'
import { type Answer, valuesOf } from './wire.ts'

const policy: PolicyDocument = {
  extends: 'api',
  cache: { owner: 'policy' },
  cors: { origins: [ORIGIN], bearer: 'listed' },
}

const expected: Expected = {
  exact: {
    'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'SAMEORIGIN',
    'Referrer-Policy': 'no-referrer',
    'X-DNS-Prefetch-Control': 'off',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Cache-Control': 'no-store, private',
  },
  absent: ['X-Powered-By', 'Server'],
}

const CLAIMS: Readonly<Record<string, string>> = {
  D1: 'Strict-Transport-Security',
  D2: 'X-Content-Type-Options',
  D3: 'X-Frame-Options',
  D4: 'Referrer-Policy',
  D5: 'X-DNS-Prefetch-Control',
  D18: 'Cross-Origin-Resource-Policy',
}

for (const [framework, start] of Object.entries(guardedApps))
  describe(`under ${framework}`, { timeout: 60_000 }, () => {
    let app: Running
    const seen = new Map<Kind, Answer>()
    before(async () => {
      app = await start(policy)
      for (const kind of [...kinds, ...extraKinds]) seen.set(kind, await ask(app, kind))
    })
    after(() => app?.close())

    for (const kind of [...kinds, ...extraKinds])
      test(`${framework}: ${kind.name} (${kind.statuses.join(' or ')}) carries the whole policy`, () => {
        const answer = seen.get(kind)!
        assert.deepEqual(faults(answer, expected), [])
        assert.ok(kind.statuses.includes(answer.status), `answered with ${answer.status}`)
      })

    test(`${framework}: OPTIONS that is no preflight is answered by the app`, () => {
      const answer = seen.get(kinds.find((kind) => kind.name === 'plain OPTIONS')!)!
      assert.deepEqual(valuesOf(answer, 'Allow'), ['GET, HEAD, OPTIONS'])
    })

    for (const [claim, name] of Object.entries(CLAIMS))
      test(`${claim} ${name} stands on 25 of 25 kinds of answers under ${framework}`, () => {
        assert.equal(kinds.length, 25)
        const value = expected.exact[name]
        const reached = kinds.filter((kind) => valuesOf(seen.get(kind)!, name).join('\n') === value)
        assert.deepEqual(
          reached.map((kind) => kind.name),
          kinds.map((kind) => kind.name),
        )
      })
  })

const COMMON = ['Strict-Transport-Security', 'X-Content-Type-Options', 'X-Frame-Options', 'Referrer-Policy']

describe('under the usual plugins', { timeout: 60_000 }, () => {
  for (const [framework, start] of Object.entries(usualApps))
    test(`${framework} with its usual header plugins misses kinds that the guard reaches`, async (context) => {
      const app = await start()
      try {
        const missed: string[] = []
        for (const kind of kinds) {
          const answer = await ask(app, kind)
          if (COMMON.some((name) => valuesOf(answer, name).length === 0)) missed.push(kind.name)
        }
        context.diagnostic(`${framework}: ${25 - missed.length} of 25; missed: ${missed.join(', ')}`)
        assert.ok(missed.length > 0)
      } finally {
        await app.close()
      }
    })
})
