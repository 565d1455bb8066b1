// `sallyport grade`: a report for people, one for programs, and exit codes for a pipeline.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { localCertificate } from '../../../server/src/tls/local.ts'
import { listening } from '../kinds/listen.ts'
import { directory, run } from './command.ts'

test('grade prints scores and findings, and fails below a grade', async (context) => {
  const app = await listening(createServer((_request, response) => response.end('{}')))
  context.after(() => app.close())
  const cwd = directory(context)
  const url = `http://127.0.0.1:${app.port}`
  const words = await run(context, cwd, ['grade', url])
  assert.equal(words.code, 0)
  assert.match(words.out, /^http:\/\/127\.0\.0\.1:\d+: [A-F], \d+ of 100 \(Observatory's algorithm: /)
  assert.match(
    words.out,
    /^LOW xcto\.missing: .*\n {2}seen {4}.*\n {2}mend {4}X-Content-Type-Options: nosniff\n {2}try {5}curl /m,
  )
  const strict = await run(context, cwd, ['grade', url, '--fail-below', 'A', '--json'])
  assert.equal(strict.code, 1)
  assert.equal(JSON.parse(strict.out).format, 'sallyport-grade/1')
  const sarif = JSON.parse((await run(context, cwd, ['grade', url, '--sarif'])).out)
  assert.equal(sarif.version, '2.1.0')
  for (const result of sarif.runs[0].results)
    assert.equal(sarif.runs[0].tool.driver.rules[result.ruleIndex].id, result.ruleId)
})

test('H1 grade finds that nobody trusts the certificate, sends nothing to it, and goes on where it is told to', async (context) => {
  const cwd = directory(context)
  const { key, cert, ca } = await localCertificate({ folder: cwd, clock: Date.now })
  const sent: (string | undefined)[] = []
  const app = await listening(
    createTlsServer({ key, cert }, ({ headers }, response) => {
      sent.push(headers.authorization)
      response.end('{}')
    }),
  )
  context.after(() => app.close())
  writeFileSync(join(cwd, 'ca.pem'), ca)
  const words = ['grade', `https://127.0.0.1:${app.port}`, '--header', 'Authorization: Bearer abcdefgh']
  const alone = await run(context, cwd, words)
  assert.equal(alone.code, 1)
  assert.match(alone.out, /^https:\/\/127\.0\.0\.1:\d+: F, 0 of 100\nseen: the certificate alone\n/)
  assert.match(
    alone.out,
    /^CRITICAL tls\.untrusted: [\s\S]*named with --ca FILE, and --insecure looks all the same$/m,
  )
  assert.match(alone.out, /^not answered: everything else \(the certificate is not trusted; name/m)
  assert.equal(sent.length, 0)
  const trusting = JSON.parse((await run(context, cwd, [...words, '--ca', 'ca.pem', '--json'])).out)
  assert.ok(!trusting.findings.some(({ id }: { id: string }) => id.startsWith('tls.')))
  assert.ok(sent.includes('Bearer abcdefgh'))
  const insecure = JSON.parse((await run(context, cwd, [...words, '--insecure', '--json'])).out)
  const ids = insecure.findings.map(({ id }: { id: string }) => id)
  assert.ok(ids.includes('tls.untrusted') && ids.includes('xcto.missing'))
  const sarif = JSON.parse((await run(context, cwd, [...words, '--sarif'])).out)
  assert.equal(sarif.runs[0].results[0].ruleId, 'tls.untrusted')
  const adopting = await run(context, cwd, ['adopt', `https://127.0.0.1:${app.port}`, '--out=-'])
  assert.equal(adopting.code, 2)
  assert.match(
    adopting.err,
    /^sallyport: nobody that is trusted here vouches for .* --insecure looks all the same\n$/,
  )
})

test('grade says in one line what it can’t do', async (context) => {
  const cwd = directory(context)
  const gone = await listening(createServer())
  await gone.close()
  for (const [words, message] of [
    [[], /grade needs the server to look at/],
    [['ftp://a.example'], /expected a URL such as/],
    [
      [`http://127.0.0.1:${gone.port}`],
      /gave no answer \(connect: ECONNREFUSED\); nothing listens there: start the server/,
    ],
    [['http://127.0.0.1:1', '--fail-below', 'Z'], /--fail-below: expected one of A\+, A, /],
    [
      ['http://127.0.0.1:1', '--header', 'secret'],
      /--header: expected "Name: value", received something else/,
    ],
  ] as const) {
    const { code, err } = await run(context, cwd, ['grade', ...words])
    assert.equal(code, 2, err)
    assert.match(err, message)
    assert.equal(err.trimEnd().split('\n').length, 1)
  }
})
