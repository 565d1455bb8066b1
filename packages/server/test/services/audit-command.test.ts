// The commands of the audit log, while the gateway that writes it runs.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { type Gateway, localCertificate, startGateway, startSampleUpstream } from '../../src/index.ts'

const MAIN = fileURLToPath(new URL('../../../sallyport/src/cli/main.ts', import.meta.url))

describe('sallyport audit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
  let gateway: Gateway
  let upstream: Awaited<ReturnType<typeof startSampleUpstream>>

  const run = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const place = ['--store', join(folder, 'store'), '--state', folder]
      execFile(process.execPath, [MAIN, 'audit', ...words, ...place], { cwd: folder }, (error, out, err) =>
        resolve({ code: error ? Number(error.code) : 0, out, err }),
      )
    })

  before(async () => {
    upstream = await startSampleUpstream({ port: 0 })
    gateway = await startGateway({
      policy: {
        transport: { tls: 'in-front' },
        keys: { vendor: 'acme' },
        audit: { record: true },
        routes: { '/v1/*': { access: { authenticated: true } } },
      },
      upstream: upstream.url,
      listen: { host: '127.0.0.1', port: 0 },
      stateFolder: folder,
      places: { store: { folder: join(folder, 'store') } },
    })
    for (let i = 0; i < 12; i++)
      await fetch(`${gateway.url}/v1/account?api_key=sk_acme_live_${'a'.repeat(38)}`)
    for (let i = 0; i < 3; i++)
      await fetch(`${gateway.url}/v1/account`, { headers: { Authorization: 'Bearer sk_acme_live_garbage' } })
    // A checkpoint comes with the next second.
    for (let tries = 0; tries < 200; tries++) {
      if ((await run('proof', '1')).code === 0) break
    }
  })
  after(async () => {
    await gateway.close()
    await upstream.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('H19 shows what happened, filtered, as lines and as JSON', async () => {
    const all = await run('search', '--limit', '200', '--json')
    assert.equal(all.code, 0, all.err)
    const entries = all.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.ok(entries.length >= 3)
    assert.doesNotMatch(all.out, /a{38}/)
    const code = entries[0].metadata.event_code
    const some = await run('search', '--action', code, '--from', '1h')
    assert.match(some.out, new RegExp(code.replace('.', '\\.')))
    const none = await run('search', '--action', 'tenancy.missing')
    assert.match(none.out, /nothing of that kind/)
    const tail = await run('tail', '--limit', '2')
    assert.equal(tail.out.trim().split('\n').length, 2)
  })

  it('H19 checks the whole log, proves an entry, and hears of a changed proof', async () => {
    const whole = await run('verify')
    assert.equal(whole.code, 0, whole.out + whole.err)
    assert.match(whole.out, /✓ \d+ entries, [1-9]\d* signed checkpoints: all hold/)
    const proof = await run('proof', '1')
    writeFileSync(join(folder, 'proof.json'), proof.out)
    const key = (await run('key')).out.trim()
    const held = await run('verify', '--proof', 'proof.json', '--key', key)
    assert.equal(held.code, 0)
    assert.match(held.out, /entry 1 is in the log/)
    writeFileSync(
      join(folder, 'changed.json'),
      proof.out.replace('203.', '204.').replace('127.0.0.1', '127.0.0.2'),
    )
    const broken = await run('verify', '--proof', 'changed.json', '--key', key)
    assert.equal(broken.code, 1)
    const kept = await run('verify', '--checkpoint', 'last.note')
    assert.equal(kept.code, 0)
    assert.match(readFileSync(join(folder, 'last.note'), 'utf8'), /^\S+\/sallyport\n\d+\n/)
  })

  it('says in one line what is wrong with a call', async () => {
    for (const [words, message] of [
      [['nope'], /expected search, tail/],
      [['search', '--action', 'key.refusd'], /did you mean "key\.refused"/],
      [['search', '--from', 'yesterday'], /expected a time/],
      [['proof', 'x'], /number of an entry/],
      [['proof', '999999'], /no checkpoint covers/],
      [['verify', '--key', 'none'], /can't be read/],
      [['export', '--format', 'xml'], /jsonl, syslog or cef/],
    ] as const) {
      const { code, err } = await run(...words)
      assert.equal(code, 2, words.join(' '))
      assert.match(err, message)
      assert.equal(err.trim().split('\n').length, 1, err)
    }
  })

  it('H19 hands entries on as CEF, and as syslog to a collector over TLS', async () => {
    const cef = await run('export', '--format', 'cef')
    assert.match(cef.out, /^CEF:0\|Sallyport\|Sallyport\|/)
    assert.match(cef.err, /go on with --since \d+/)
    const { cert, key, caFile } = await localCertificate({ folder: join(folder, 'tls') })
    let got = ''
    const collector = createServer({ cert, key }, (socket) => socket.on('data', (chunk) => (got += chunk)))
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    const { port } = collector.address() as { port: number }
    const sent = await run('export', '--format', 'syslog', '--to-syslog', `127.0.0.1:${port}`, '--ca', caFile)
    collector.close()
    assert.equal(sent.code, 0, sent.err)
    // RFC 5425: each message after its length in octets.
    let rest = Buffer.from(got)
    let messages = 0
    while (rest.length > 0) {
      const space = rest.indexOf(32)
      const length = Number(rest.subarray(0, space))
      assert.match(
        rest.subarray(space + 1, space + 1 + length).toString(),
        /^<1\d\d>1 \S+ \S+ sallyport - \S+ \[sallyport@32473 .*\}$/s,
      )
      rest = rest.subarray(space + 1 + length)
      messages++
    }
    assert.ok(messages >= 3)
    const untrusted = await run('export', '--format', 'syslog', '--to-syslog', 'localhost:1')
    assert.equal(untrusted.code, 2)
  })
})
