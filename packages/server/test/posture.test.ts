// The posture page at the gateway, with what stands beside the policy in the folder that the command runs in.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { ask, gatewayFor, type Running, temporaryFolder, upstreamFor } from './harness.ts'

async function posture(running: Running): Promise<Record<string, unknown>> {
  for (;;) {
    const { status, body } = await ask(running, '/.well-known/api-posture.json')
    // It is made while the first requests come in.
    if (status !== 503) return JSON.parse(body) as Record<string, unknown>
    await later(5)
  }
}

test('D21 the gateway serves the page, with the changes and the last verification of its folder', async (context) => {
  const folder = await temporaryFolder(context)
  const record = {
    at: '2026-11-24T10:00:00Z',
    target: 'https://a.example',
    passed: 9,
    of: 9,
    findings: [],
    policyDigest: 'sha256:0',
  }
  const change = {
    at: '2026-11-23T10:00:00Z',
    from: 'sha256:0',
    to: 'sha256:1',
    verdict: 'stronger',
    changes: [],
  }
  await writeFile(join(folder, 'sallyport.verification.json'), JSON.stringify(record))
  await writeFile(join(folder, 'sallyport.changes.json'), JSON.stringify([change]))
  await writeFile(join(folder, 'sallyport.accepted.json'), 'not JSON')
  const policy = {
    extends: 'api',
    transport: { tls: 'in-front' },
    disclosure: { posture: 'public' },
  } as const
  const upstream = await upstreamFor(context, (_request, response) => response.end())
  // A file that is none costs its part of the page; here all, since they are read together.
  const broken = await posture(await gatewayFor(context, { upstream, policy, postureFolder: folder }))
  assert.equal(broken['format'], 'sallyport-posture/1')
  await writeFile(join(folder, 'sallyport.accepted.json'), '[]')
  const whole = await posture(await gatewayFor(context, { upstream, policy, postureFolder: folder }))
  assert.deepEqual(whole['lastVerification'], { ...record, findings: 0 })
  assert.deepEqual(whole['changes'], [change])
  assert.equal(whole['acceptedWeaknesses'], undefined)
})
