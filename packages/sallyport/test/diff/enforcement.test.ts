// Verdicts against enforcement itself: what the newer policy lets through or leaves open, and the older one did not, is
// never called stronger or neutral, in that very region and by a control that answers for it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verdictOf } from '../../src/controls/faces.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../../src/guard/resolve.ts'
import { PolicyError } from '../../src/policy/problem.ts'
import { compareRegion } from '../../src/posture/diff/compare-cells.ts'
import { regionAt, regionsOf } from '../../src/posture/diff/regions.ts'
import type { Ask } from '../../src/posture/explain/ask.ts'
import { type Passage, trial } from '../../src/posture/explain/pass.ts'
import { runs } from '../runs.ts'
import { type Exposure, exposuresOf } from './exposures.ts'
import { asks, pairs, policies } from './universe.ts'

function soundly(policy: PolicyDocument): ResolvedPolicy | undefined {
  try {
    return resolvePolicy(policy)
  } catch (error) {
    if (error instanceof PolicyError) return undefined
    throw error
  }
}

/** What has become possible from one passage to the other. */
function lossesOf(old: Passage, now: Passage): readonly Exposure[] {
  const passed = (passage: Passage) => passage.verdict?.kind !== 'deny'
  const anything = ['request', 'transport', 'cors', 'client', 'route']
  // What would have opened a WebSocket is a plain request where none can be opened.
  if (old.exchange.webSocket && !now.exchange.webSocket && old.decidedBy === 'SP-CORS-01') return []
  if (!passed(old))
    return passed(now) ? [{ what: `what met ${old.status} is let through`, controls: anything }] : []
  if (!passed(now)) return []
  const losses: Exposure[] = []
  const lose = (isLost: boolean, what: string, ...controls: readonly string[]) => {
    if (isLost) losses.push({ what, controls })
  }
  lose(old.status === 308 && now.status !== 308, 'plain HTTP is answered', 'transport', 'client')
  const [a, b] = [old.exchange, now.exchange]
  const takesCookies = b.cell.credentials === 'mixed' || b.cell.credentials === 'cookie'
  lose(
    a.cookiesIgnored && !b.cookiesIgnored && takesCookies && old.verdict === undefined,
    'cookies reach the application',
    'cors',
    'route',
  )
  lose(limitOf(b) > limitOf(a) && old.verdict === undefined, 'a larger body passes', 'request')
  lose(b.webSocket && !a.webSocket && old.verdict === undefined, 'a WebSocket opens', 'request', 'cors')
  lose(b.client.viaProxy && !a.client.viaProxy, 'another peer chooses the address', 'client')
  if ((old.verdict === undefined) !== (now.verdict === undefined)) return losses
  // With the application's body go its lines; nothing more is to be told of them.
  lose(old.bodyReplaced && !now.bodyReplaced, 'the application’s error goes out', 'errors')
  if (old.bodyReplaced !== now.bodyReplaced) return losses
  const before = exposuresOf(old)
  for (const [what, controls] of exposuresOf(now)) lose(!before.has(what), what, ...controls)
  return losses
}

function limitOf({ bodyLimit }: Passage['exchange']): number {
  return bodyLimit ?? Number.POSITIVE_INFINITY
}

function judgedAs({ method, headers }: Ask): string {
  const value = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1]
  const announced = value('origin') === undefined ? undefined : value('access-control-request-method')
  return method === 'OPTIONS' ? (announced ?? method) : method
}

function pathOf({ target }: Ask): string {
  return target.split('?', 1)[0]!
}

test('what has become possible is weaker or incomparable, in its region and by a control that keeps it away', () => {
  const met = new Map<string, number>()
  fc.assert(
    fc.property(pairs, fc.array(asks, { minLength: 12, maxLength: 12 }), ([a, b], requests) => {
      const [before, after] = [soundly(a), soundly(b)]
      if (before === undefined || after === undefined) return
      const find = regionAt(before, after)
      const trials = (['gateway', 'node'] as const).map((place) => ({
        place,
        old: trial(before, place),
        now: trial(after, place),
      }))
      for (const ask of requests) {
        const { old, now } = trials.find(({ place }) => place === ask.place)!
        const losses = lossesOf(old.pass(ask), now.pass(ask))
        if (losses.length === 0) continue
        const changes = compareRegion(find(judgedAs(ask), pathOf(ask)), 'here')
        for (const { what, controls } of losses) {
          met.set(what, (met.get(what) ?? 0) + 1)
          const own = changes.filter(({ control }) => controls.includes(control) || control === 'route')
          assert.ok(
            ['weaker', 'incomparable'].includes(verdictOf(own)),
            `${what}, but ${controls.join(' and ')} say ${verdictOf(own)} (${JSON.stringify(own)})`,
          )
        }
      }
    }),
    runs(1_500),
  )
  assert.ok(met.size > 50, `only ${met.size} kinds of losses: ${[...met.keys()].join(', ')}`)
})

test('every request meets a region that the walk has found', () => {
  const kinds = new Set<string | undefined>()
  fc.assert(
    fc.property(policies, policies, fc.array(asks, { minLength: 20, maxLength: 20 }), (a, b, requests) => {
      const [before, after] = [soundly(a), soundly(b)]
      if (before === undefined || after === undefined) return
      const known = new Set(
        regionsOf(before, after).map((region) => [region.before.id, region.after.id, region.id].join('|')),
      )
      const find = regionAt(before, after)
      for (const ask of requests) {
        const region = find(judgedAs(ask), pathOf(ask))
        kinds.add(region.strictOnly)
        const key = [region.before.id, region.after.id, region.id].join('|')
        assert.ok(
          known.has(key),
          `${judgedAs(ask)} ${pathOf(ask)}: ${key} is none of ${[...known].join(', ')}`,
        )
      }
    }),
    runs(600),
  )
  assert.equal(kinds.size, 3)
})
