// `sallyport grade`: a report for people, one for programs, and exit codes for a pipeline.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
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
