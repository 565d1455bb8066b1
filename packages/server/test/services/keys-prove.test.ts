// `sallyport keys prove`: the bound of revocation, measured on a gateway that runs.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { removeFolder } from '../../../store/test/fixtures/remove.ts'
import { startGateway, startSampleUpstream } from '../../src/index.ts'

const MAIN = fileURLToPath(new URL('../../../sallyport/src/cli/main.ts', import.meta.url))

test('H7 a new key is taken, and refused within two seconds of its revocation', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-prove-'))
  context.after(() => removeFolder(folder))
  const upstream = await startSampleUpstream({ port: 0 })
  const gateway = await startGateway({
    policy: {
      transport: { tls: 'in-front' },
      keys: { vendor: 'acme' },
      access: { catalogue: { scopes: { 'account:read': 'reads the account' } } },
      routes: { '/v1/account': { access: { scopes: ['account:read'] } } },
    },
    upstream: upstream.url,
    listen: { host: '127.0.0.1', port: 0 },
    stateFolder: folder,
    places: { store: { folder: join(folder, 'store') } },
  })
  context.after(async () => {
    await gateway.close()
    await upstream.close()
  })
  const run = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      const given = ['keys', 'prove', ...words, '--vendor', 'acme', '--store', join(folder, 'store')]
      execFile(process.execPath, [MAIN, ...given], { cwd: folder }, (error, out, err) =>
        resolve({ code: error ? Number(error.code) : 0, out, err }),
      )
    })
  const proved = await run(`${gateway.url}/v1/account`, '--scopes', 'account:read', '--json')
  assert.equal(proved.code, 0, proved.err)
  const { boundMs, proofs } = JSON.parse(proved.out)
  assert.equal(boundMs, 2_000)
  assert.equal(proofs[0].before, 200)
  assert.equal(proofs[0].after, 401)
  const withoutScope = await run(`${gateway.url}/v1/account`)
  assert.equal(withoutScope.code, 2)
  assert.match(withoutScope.err, /answers 403 with a new key/)
  // What opens without a key is refused to nobody.
  const open = await run(upstream.url)
  assert.equal(open.code, 1)
  assert.match(open.out, /✗ .*still taken/)
  for (const [words, message] of [
    [[], /needs the address/],
    [['notaurl://x'], /expected a URL/],
    [['http://127.0.0.1:1/'], /gave no answer/],
  ] as const) {
    const { code, err } = await run(...words)
    assert.equal(code, 2)
    assert.match(err, message)
  }
})
