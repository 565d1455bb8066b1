// Every kind of event of H19, made over the network at a gateway with an embedded store, and found in its log.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operator } from '../../../sallyport/src/cli/operator.ts'
import { of, POLICY, world } from './world.ts'

test('H19 sign-ins, sign-outs, second factors, failures, locks and brute force are in the log with their risk', async (context) => {
  const { send, guess, between, log } = await world(context)
  assert.equal(await guess('/sign-in', '198.51.100.1', 'right'), 200)
  assert.equal(await guess('/code', '198.51.100.1', 'wrong'), 401)
  assert.equal(await guess('/code', '198.51.100.1', 'right'), 200)
  assert.equal(await send('PUT', '/factor', '198.51.100.1'), 200)
  assert.equal(await send('POST', '/sign-out', '198.51.100.1'), 200)

  const eve = (from: string, secret = 'wrong') => guess('/sign-in', from, secret, 'eve@example.com')
  for (let n = 0; n < 5; n++) assert.equal(await eve(`198.51.100.${10 + n}`), 401)
  assert.equal(await eve('198.51.100.20', 'right'), 429)
  // As if others had guessed for days.
  await between('update lockouts set failures = 9, hard = 99, wait_until = null where failures = 5')
  assert.equal(await eve('198.51.100.21'), 401)
  assert.equal(await eve('198.51.100.22', 'right'), 429)

  // One address, many names: its risk grows until it is refused whatever it asks for.
  const brute: number[] = []
  for (let n = 0; n < 60 && brute.at(-1) !== 429; n++)
    brute.push(await guess('/sign-in', '203.0.113.66', 'wrong', `user${n}@example.com`))
  assert.equal(brute.at(-1), 429)
  assert.equal(await send('GET', '/elsewhere', '203.0.113.66'), 429)
  assert.equal(await send('GET', '/elsewhere', '203.0.113.67'), 200)

  const entries = await log()
  assert.equal(of(entries, 'session.started').length, 1)
  assert.equal(of(entries, 'session.mfa_passed').length, 1)
  const [ended] = of(entries, 'session.ended')
  assert.deepEqual([ended?.actor?.user.uid, ended?.src_endpoint?.ip], ['acc_7', '198.51.100.1'])
  const scored = (action: string, at = 0) => of(entries, action).at(at)?.risk_score
  assert.equal(scored('session.mfa_failed'), 10)
  assert.equal(scored('session.mfa_changed'), 39, '35, and of the 10 before it a part')
  assert.ok(scored('session.failed')! >= 30)
  assert.equal(of(entries, 'lockout.locked').length, 1)
  assert.ok(scored('lockout.locked')! >= 25)
  assert.deepEqual(
    of(entries, 'lockout.refused').map(({ unmapped }) => unmapped.details?.['because']),
    ['waiting', 'disabled'],
  )
  assert.ok(of(entries, 'risk.refused').length >= 1, 'who is locked for the risk is told of')
  assert.equal(of(entries, 'lockout.disabled').length, 1)
  assert.ok(scored('lockout.disabled')! >= 45)
  const last = of(entries, 'session.failed').findLast(
    ({ src_endpoint }) => src_endpoint?.ip === '203.0.113.66',
  )
  assert.equal(last?.risk_level_id, 3, 'high, so the address is locked')
  assert.match(last!.risk_details!, /session\.failed 30 /)
  assert.ok(!JSON.stringify(entries).includes('@example.com'))
})

test('H19 keys made, rotated, revoked, refused, exposed and outdated, scopes, limits and policies are in the log', async (context) => {
  const { send, withKey, endsSoon, keys, reload, log } = await world(context)
  const made = await keys('create', '--create-organisation', '--name', 'Till')
  const first = made.out.trim()
  const id = /id is ([0-9a-f-]{36})/.exec(made.err)![1]!
  assert.equal(await withKey('/v1/things', '198.51.100.1', first), 200)
  assert.equal(await withKey('/v1/orders', '198.51.100.1', first), 403)
  assert.equal(await withKey('/v1/things', '198.51.100.2', 'garbage'), 401)
  assert.equal(await withKey('/v1/things', '198.51.100.2', `sk_acme_live_${'x'.repeat(38)}`), 401)
  const second = (await keys('rotate', id, '--overlap', '1h')).out.trim()
  // What a gateway knew of a key it knows for a second or two more.
  let known = 401
  while (known === 401) known = await withKey('/v1/things', '198.51.100.1', second)
  assert.equal(known, 200)
  while (!(await endsSoon('/v1/things', '198.51.100.1', first)));
  assert.equal(await send('GET', `/v1/things?key=${second}`, '198.51.100.3'), 400)
  await keys('revoke', id, '--reason', 'lost')
  // Until the revocation is known its exposure may have it locked, and no address may be refused often.
  for (let n = 0; (await withKey('/v1/things', `203.0.${n >> 8}.${n & 255}`, second)) !== 401; n++);

  let status = 0
  for (let n = 0; n < 45; n++) status = await send('GET', '/v1/things', '198.51.100.9')
  assert.equal(status, 429)

  assert.equal((await reload({ ...POLICY, disclosure: { mode: 'off' } }))?.ok, true)
  assert.equal((await reload({ colour: 'red' } as never))?.ok, false)

  const entries = await log()
  for (const action of ['organisation.created', 'key.created', 'key.rotated', 'key.revoked']) {
    const [entry, ...more] = of(entries, action)
    assert.equal(entry?.actor?.user.uid, operator(), action)
    assert.equal(more.length, 0)
  }
  assert.equal(of(entries, 'key.created')[0]?.risk_score, undefined, 'a command knows of no risk')
  const [scope] = of(entries, 'access.scope_missing')
  assert.deepEqual([scope?.risk_score, scope?.actor?.user.credential_uid], [12, id])
  for (const [action, least] of [
    ['access.denied', 8],
    ['key.refused', 8],
    ['key.exposed', 55],
    ['key.used_after_rotation', 15],
    ['key.used_after_revocation', 70],
    ['limit.exceeded', 6],
  ] as const)
    assert.ok((of(entries, action)[0]?.risk_score ?? 0) >= least, action)
  const [revoked] = of(entries, 'key.used_after_revocation')
  assert.equal(revoked?.actor?.user.uid, undefined, 'its owner is not blamed')
  assert.equal(of(entries, 'audit.started').length, 1)
  assert.equal(of(entries, 'policy.reloaded').length, 1)
  assert.equal(of(entries, 'policy.refused').length, 1)
  assert.ok(!JSON.stringify(entries).includes(first.slice(13)))
})
