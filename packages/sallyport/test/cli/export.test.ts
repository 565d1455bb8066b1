// `sallyport export`: files, limits, and one line for a wrong word.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { directory, run } from './command.ts'

const POLICY = { 'sallyport.config.json': JSON.stringify({ extends: 'api' }) }

test('export writes the files of a platform and says what it can’t keep', async (context) => {
  const cwd = directory(context, POLICY)
  const { code, err } = await run(context, cwd, ['export', 'nginx', '--out', 'conf'])
  assert.equal(code, 0)
  assert.deepEqual(readdirSync(join(cwd, 'conf')), ['sallyport-http.conf', 'sallyport-server.conf'])
  assert.match(
    readFileSync(join(cwd, 'conf/sallyport-server.conf'), 'utf8'),
    /^add_header X-Frame-Options "SAMEORIGIN" always;$/m,
  )
  assert.match(err, /^wrote sallyport-http\.conf\n/)
  assert.match(err, /^nginx can't keep: headers: "Server: nginx" is sent/m)
})

test('export --json gives files and limits to programs', async (context) => {
  const { out } = await run(context, directory(context, POLICY), ['export', 'vercel', '--json'])
  const { platform, files, limits } = JSON.parse(out)
  assert.equal(platform, 'vercel')
  assert.equal(files[0].name, 'vercel.json')
  assert.ok(limits.every((limit: { control: string; what: string }) => limit.control && limit.what))
})

test('export names its platforms where it gets another word', async (context) => {
  const { code, err } = await run(context, directory(context, POLICY), ['export', 'iis'])
  assert.equal(code, 2)
  assert.match(err, /^sallyport: PLATFORM: expected one of nginx, .*, received "iis"\n$/)
})
