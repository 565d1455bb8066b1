// A policy that publishes its posture, verified live and again from what was captured: both must say the same.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import '../../src/posture/page/index.ts'
import { type Captured, captureOf, readCapture, verifyCaptured } from '../../src/posture/verify/captured.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { found, under } from './server.ts'

const POLICY: PolicyDocument = { extends: 'recommended', disclosure: { posture: 'public' } }

it('what the posture routes answered is judged from a file as it was live', async (context) => {
  const url = await under(context, POLICY, (_request, response) => response.end('{}'))
  const captured: Captured[] = []
  const live = await verify(POLICY, url, {
    onExchange: (exchanged) => captured.push(...[captureOf(exchanged) ?? []].flat()),
  })
  const file = readCapture(JSON.stringify({ format: 'sallyport-capture/1', exchanges: captured }))
  const again = await verifyCaptured(structuredClone(POLICY), file, 'captured')
  assert.deepEqual(found(live), [])
  assert.deepEqual(found(again), [])
  // The digest of what is published is held against the policy in both.
  assert.deepEqual([again.passed, again.of], [live.passed, live.of])
})

it('a posture of another policy is found in a file as well', async (context) => {
  const url = await under(context, POLICY, (_request, response) => response.end('{}'))
  const captured: Captured[] = []
  await verify(POLICY, url, {
    onExchange: (exchanged) => captured.push(...[captureOf(exchanged) ?? []].flat()),
  })
  const again = await verifyCaptured({ ...POLICY, name: 'Another' }, captured, 'captured')
  assert.ok(again.findings.some(({ detail }) => detail.startsWith('the published posture is of the policy')))
})

it('a file of an https origin is not said to be of none', async () => {
  const answer = { status: 200, headers: [], body: '{}', encrypted: true }
  const one: Captured = {
    origin: 'https://api.example.com',
    request: { method: 'GET', path: '/', headers: [] },
    answer,
  }
  const { classes } = await verifyCaptured(POLICY, [one], 'captured')
  const why = (name: string) => classes.find(({ id }) => id === name)?.notSeen
  assert.equal(why('tls-versions'), 'a file of answers holds no connection; verify the deployment itself')
  assert.equal(why('plain-http'), 'a file of answers holds no connection; verify the deployment itself')
})
