// `sallyport posture`: the page from a policy, in three forms, and links for reviewers.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isReviewerLink } from '../../src/posture/page/link.ts'
import { directory, run } from './command.ts'

const POLICY = { 'sallyport.config.json': JSON.stringify({ extends: 'api', name: 'Driftstack' }) }

test('posture writes HTML, Markdown and data of the same policy', async (context) => {
  const cwd = directory(context, POLICY)
  const html = await run(context, cwd, ['posture'])
  assert.equal(html.code, 0)
  assert.match(html.out, /^<!doctype html>/)
  const data = JSON.parse((await run(context, cwd, ['posture', '--format', 'json'])).out)
  assert.ok(html.out.includes(data.policyDigest))
  const written = await run(context, cwd, ['posture', '--format', 'md', '--out', 'POSTURE.md'])
  assert.deepEqual([written.code, written.err], [0, 'wrote POSTURE.md\n'])
  assert.match(readFileSync(join(cwd, 'POSTURE.md'), 'utf8'), /^# Driftstack: security posture\n/)
})

test('posture shows the record of the last verification', async (context) => {
  const record = {
    at: '2026-11-24T10:00:00Z',
    target: 'https://a.example',
    passed: 9,
    of: 9,
    findings: [],
    policyDigest: 'sha256:0',
  }
  const cwd = directory(context, { ...POLICY, 'last.json': JSON.stringify(record), 'bad.json': '{"at":1}' })
  const { out } = await run(context, cwd, ['posture', '--format', 'md', '--record', 'last.json'])
  assert.match(out, /9 of 9 probes passed, 0 findings/)
  const bad = await run(context, cwd, ['posture', '--record', 'bad.json'])
  assert.deepEqual(
    [bad.code, bad.err],
    [
      2,
      'sallyport: --record bad.json: is no record of a verification; write it with sallyport verify --record\n',
    ],
  )
  const text = directory(context, { ...POLICY, 'bad.json': 'not JSON' })
  assert.equal(
    (await run(context, text, ['posture', '--record', 'bad.json'])).err,
    'sallyport: --record bad.json: is not JSON; write it with sallyport verify --record\n',
  )
})

test('posture and check take a policy by --policy as well as by its name alone, and never two', async (context) => {
  const cwd = directory(context, { 'other.json': JSON.stringify({ name: 'Other' }) })
  for (const command of ['posture', 'check']) {
    const byName = await run(context, cwd, [command, 'other.json'])
    const byOption = await run(context, cwd, [command, '--policy', 'other.json'])
    const byVariable = await run(context, cwd, [command], { SALLYPORT_POLICY: 'other.json' })
    const plain = ({ code, out }: { readonly code: number | null; readonly out: string }) => [
      code,
      out.replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+/g, 'now'),
    ]
    assert.equal(byName.code, 0, byName.err)
    assert.deepEqual(plain(byOption), plain(byName))
    assert.deepEqual(plain(byVariable), plain(byName))
    const both = await run(context, cwd, [command, 'a.json', '--policy', 'b.json'])
    assert.deepEqual(
      [both.code, both.err],
      [2, 'sallyport: --policy: the policy is named already, by "a.json"; name it once\n'],
    )
  }
})

test('posture --link prints the links to page and data that the deployment believes, and wants its key', async (context) => {
  const cwd = directory(context, POLICY)
  const key = 'k'.repeat(40)
  const words = ['posture', '--link', '30d', '--origin', 'https://api.driftstack.dev']
  const { out, code } = await run(context, cwd, words, { SALLYPORT_POSTURE_KEY: key })
  assert.equal(code, 0)
  const json = await run(context, cwd, [...words, '--json'], { SALLYPORT_POSTURE_KEY: key })
  const links = JSON.parse(json.out) as Record<string, string>
  assert.deepEqual(Object.keys(links), ['page', 'data'])
  for (const [name, path] of [
    ['page', '/.well-known/posture/reviewer'],
    ['data', '/.well-known/posture/reviewer/api-posture.json'],
  ] as const)
    for (const text of [links[name]!, new RegExp(`^${name} +(\\S+)$`, 'm').exec(out)![1]!]) {
      const url = new URL(text)
      assert.equal(url.origin + url.pathname, `https://api.driftstack.dev${path}`)
      const target = url.pathname + url.search
      assert.equal(isReviewerLink(key, target, Date.now() + 29 * 86_400_000), true)
      assert.equal(isReviewerLink(key, target, Date.now() + 31 * 86_400_000), false)
    }
  const without = await run(context, cwd, words)
  assert.equal(without.code, 2)
  assert.match(without.err, /^sallyport: SALLYPORT_POSTURE_KEY: must hold .* openssl rand -base64 32\n$/)
})

test('posture names wrong options in one line', async (context) => {
  const cwd = directory(context, POLICY)
  for (const [words, message] of [
    [['--format', 'pdf'], '--format: expected html, md, json, received "pdf"'],
    [
      ['--origin', 'api.example'],
      '--origin: expected an origin such as https://api.example.com, received "api.example"',
    ],
    [['--json'], '--json: is about --link; write --format json for the posture as data'],
    [['--link', '999d'], '--link: expected 1d to 180d, received "999d"'],
  ] as const) {
    const { code, err } = await run(context, cwd, ['posture', ...words])
    assert.deepEqual([code, err], [2, `sallyport: ${message}\n`])
  }
})
