// What is missing or of the wrong kind is said in one sentence: where, what was expected, what came, how to mend it.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import express from 'express'
import { guard as expressGuard } from './express.ts'
import { guarded as fastifyGuarded } from './fastify.ts'
import { guard as fetchGuard } from './fetch.ts'
import { guarded as honoGuarded } from './hono.ts'
import { proxy, register, withSallyport } from './next/index.ts'
import { createServer } from './node/index.ts'

const policy = { extends: 'recommended' } as const
// As JavaScript calls them.
const call =
  (adapter: unknown, ...given: readonly unknown[]) =>
  () =>
    (adapter as (...all: readonly unknown[]) => unknown)(...given)

const cases: Readonly<Record<string, readonly [run: () => unknown, says: RegExp]>> = {
  'withSallyport without a policy': [
    call(withSallyport, {}),
    /^withSallyport: expected a policy, received undefined; write withSallyport\(/,
  ],
  'withSallyport with a preset’s bare name': [
    call(withSallyport, {}, 'payments'),
    /^withSallyport: expected a policy, received string; /,
  ],
  'withSallyport without a configuration': [
    call(withSallyport, undefined, policy),
    /^withSallyport: expected the configuration of Next, received undefined; write \{\}/,
  ],
  'register without a policy': [
    call(register),
    /^register: expected a policy, received undefined; write register\(/,
  ],
  'proxy without a policy': [call(proxy), /^proxy: expected a policy, received undefined; write proxy\(/],
  'proxy with broken options': [
    call(proxy, policy, null),
    /^proxy: expected options, received null; leave them out/,
  ],
  'Express without an app': [
    call(expressGuard, undefined, {}),
    /^guard: expected an Express app, received undefined; write guard\(express\(\)/,
  ],
  'Express with the policy first': [
    call(expressGuard, policy, express()),
    /^guard: expected an Express app, received object; /,
  ],
  'Express with a router': [
    call(expressGuard, express.Router(), policy),
    /^guard: expected an Express app, received another function; /,
  ],
  'Express with its own factory': [
    call(expressGuard, express, policy),
    /^guard: expected an Express app, received another function; /,
  ],
  'Express without a policy': [
    call(expressGuard, express()),
    /^guard: expected a policy, received undefined; write guard\(app/,
  ],
  'Fastify without a policy': [
    call(fastifyGuarded),
    /^guarded: expected a policy, received undefined; write Fastify\(/,
  ],
  'Fastify with broken options': [
    call(fastifyGuarded, policy, 'x'),
    /^guarded: expected options, received string; /,
  ],
  'Hono without a policy': [
    call(honoGuarded),
    /^guarded: expected a policy, received undefined; write serve\(/,
  ],
  'Hono with broken options': [
    call(honoGuarded, policy, 3000),
    /^guarded: expected options, received number; /,
  ],
  'Fetch without a handler': [
    call(fetchGuard, policy),
    /^guard: expected a Fetch handler, received undefined; write guard\(policy, app\.fetch\)/,
  ],
  'Fetch with an app for its handler': [
    call(fetchGuard, policy, { fetch() {} }),
    /^guard: expected a Fetch handler, received object; /,
  ],
  'Fetch without a policy': [
    call(fetchGuard, undefined, () => undefined),
    /^guard: expected a policy, received undefined; /,
  ],
  'Fetch with a list of presets': [
    call(fetchGuard, ['api'], () => undefined),
    /^guard: expected a policy, received a list; /,
  ],
  'node:http without a policy': [call(createServer), /policy: expected an object, received undefined; /],
}

for (const [name, [run, says]] of Object.entries(cases))
  it(`${name} is refused in one sentence`, () => {
    assert.throws(run, (error: unknown) => {
      assert.ok(error instanceof TypeError)
      assert.match(error.message, says)
      assert.doesNotMatch(error.message, /\n|Cannot read|in operator/)
      return true
    })
  })

it('what is right passes, a configuration that is a function included', () => {
  for (const config of [{}, () => ({})]) assert.equal(typeof withSallyport(config, policy), 'function')
  assert.equal(typeof fetchGuard(policy, () => new Response()), 'function')
  assert.equal(typeof expressGuard(express(), policy).attach, 'function')
})
