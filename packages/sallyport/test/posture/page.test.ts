// The page says what the policy does, and nothing else: values, omissions, register, standards, audiences.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { STYLE_SOURCE } from '../../src/controls/disclosure/style-digest.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { digest } from '../../src/policy/digest.ts'
import { factsIn } from '../../src/posture/page/facts.ts'
import { createPosture, postureHtml, postureMarkdown } from '../../src/posture/page/index.ts'
import { STYLE } from '../../src/posture/page/style.ts'
import { controls } from '../../src/posture/register.ts'
import { readHar, verifyCaptured } from '../../src/posture/verify/captured.ts'
import { PRESET_NAMES } from '../../src/presets/names.ts'

const NOW = Date.UTC(2026, 10, 25)
const OPTIONS = { place: 'gateway', now: NOW } as const

test('D21 every header that a cell sends whatever the request stands on the page with its value', async () => {
  for (const preset of PRESET_NAMES) {
    const policy: PolicyDocument = { extends: preset }
    const html = postureHtml(await createPosture(policy, OPTIONS))
    for (const { compiled } of createGuard(policy, 'gateway').cells)
      for (const [name, value] of compiled.fixed.pairs) {
        assert.ok(html.includes(name), `${preset}: ${name}`)
        assert.ok(html.includes(escaped(value)), `${preset}: ${value}`)
      }
  }
})

test('D21 the digest on the page is that of the policy, and data, page and Markdown agree', async () => {
  const policy: PolicyDocument = { extends: 'api', name: 'Driftstack' }
  const posture = await createPosture(policy, OPTIONS)
  assert.equal(posture.policyDigest, await digest(posture.document))
  for (const text of [postureHtml(posture), postureMarkdown(posture)]) {
    assert.ok(text.includes(posture.policyDigest))
    for (const { id } of posture.sections) assert.ok(text.includes(id))
  }
})

test('D21 a change of the policy changes the page', async () => {
  const page = async (policy: PolicyDocument) => postureHtml(await createPosture(policy, OPTIONS))
  assert.notEqual(
    await page({ extends: 'api' }),
    await page({ extends: ['api', { cors: { maxAgeSeconds: 300 } }] }),
  )
})

test('D19 what is left out on purpose is listed with the reason', async () => {
  const markdown = postureMarkdown(await createPosture({ extends: 'api' }, OPTIONS))
  const table = markdown.slice(
    markdown.indexOf('## What we don’t set'),
    markdown.indexOf('## Verify it yourself'),
  )
  for (const name of [
    'X-XSS-Protection',
    'Public-Key-Pins',
    'Expect-CT',
    'Feature-Policy',
    'X-Powered-By',
    'Server',
    'Cross-Origin-Embedder-Policy',
    'X-Download-Options',
  ])
    assert.match(table, new RegExp(`\`${name}\` \\| \\w.{15,}`), name)
})

test('C9 each control stands in the register with its id, its status and since when', async () => {
  const html = postureHtml(
    await createPosture(
      {
        extends: 'api',
        cors: { mode: 'report', origins: ['https://a.example'] },
        routes: { '/a': { errors: { mode: 'off' } } },
      },
      OPTIONS,
    ),
  )
  const register = html.slice(html.indexOf('id="register"'))
  for (const { id, since } of controls)
    assert.match(
      register,
      new RegExp(`<code>${id}</code></th>.*?<td>${since.replaceAll('.', '\\.')}</td>`, 's'),
    )
  assert.match(register, /SP-CORS-01.*?counted, not enforced.*?<\/tr>/s)
  assert.match(register, /SP-ERRORS-01.*?off in \/a/s)
})

test('H14 every control maps to the standards, worded "supports"', async () => {
  const posture = await createPosture({ extends: 'recommended' }, OPTIONS)
  const frameworks = new Set(posture.standards.map(({ framework }) => framework))
  for (const part of ['ASVS 5.0', 'API Security Top 10', 'OWASP Top 10 2025', '800-53', 'SOC 2', 'PCI DSS'])
    assert.ok(
      [...frameworks].some((name) => name.includes(part)),
      part,
    )
  for (const { id, standards } of controls)
    assert.ok(
      Object.values(standards).some(({ length }) => length > 0),
      id,
    )
  // A requirement is supported by what is kept, not by what there is.
  const supporting = (id: string) => posture.standards.some((row) => row.id === id)
  assert.ok(supporting('SP-HEADERS-01') && supporting('SP-CACHE-01'))
  for (const id of [
    'SP-CORS-01',
    'SP-LIMITS-01',
    'SP-KEYS-01',
    'SP-ACCESS-01',
    'SP-LOCKOUT-01',
    'SP-AUDIT-01',
  ]) {
    assert.ok(!supporting(id), id)
    const section = posture.sections.find((each) => each.id === id)!
    assert.deepEqual(section.modes, [{ mode: 'unset', cells: [] }], id)
  }
  for (const text of [postureHtml(posture), postureMarkdown(posture)]) {
    assert.match(text, /supports these requirements/)
    assert.doesNotMatch(text, /compl(?:y|ies|iant)/i)
  }
})

test('C8 the page gives a curl line for its claims, also for an error, a foreign preflight and TLS', async () => {
  const { commands } = await createPosture(
    { extends: 'api' },
    { ...OPTIONS, origin: 'https://api.driftstack.dev' },
  )
  const lines = commands.map(({ command }) => command)
  assert.ok(lines.includes('npx sallyport verify https://api.driftstack.dev'))
  assert.ok(lines.includes('curl -s -i https://api.driftstack.dev/no-such-path'))
  assert.ok(lines.some((line) => line.includes('-X OPTIONS') && line.includes('sallyport-probe.invalid')))
  assert.ok(lines.some((line) => line.startsWith('openssl s_client -connect api.driftstack.dev:443')))
  assert.equal(new Set(lines).size, lines.length)
})

test('a page for everybody leaves out what is for reviewers, and so its document', async () => {
  const accepted = [
    {
      fingerprint: '0123456789ab',
      what: 'no CSP',
      reason: 'a client needs it',
      owner: 'ops',
      expires: '2027-01-01',
    },
  ]
  const open = await createPosture({ extends: 'api' }, { ...OPTIONS, acceptedWeaknesses: accepted })
  assert.equal(open.acceptedWeaknesses, undefined)
  assert.doesNotMatch(postureHtml(open) + postureMarkdown(open) + JSON.stringify(open), /0123456789ab/)
  const all = await createPosture(
    { extends: 'api' },
    { ...OPTIONS, audience: 'reviewer', acceptedWeaknesses: accepted },
  )
  assert.match(postureHtml(all), /0123456789ab/)
  assert.match(postureMarkdown(all), /0123456789ab/)
})

test('the last verification stands at the top, and says when it was of another policy', async () => {
  const lastVerification = {
    at: '2026-11-24T10:00:00Z',
    target: 'https://api.example.com',
    passed: 117,
    of: 118,
    findings: 1,
    policyDigest: 'sha256:0',
  }
  const html = postureHtml(await createPosture({ extends: 'api' }, { ...OPTIONS, lastVerification }))
  assert.match(
    html,
    /2026-11-24 10:00 UTC, https:\/\/api\.example\.com: 117 of 118 probes passed, 1 finding; of another/,
  )
})

test('a verification of recorded answers says so where it stands', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-page-'))
  try {
    const exchange = {
      request: { method: 'GET', url: 'https://api.example.com/' },
      response: { status: 200 },
    }
    const record = await verifyCaptured(
      { extends: 'api' },
      readHar(JSON.stringify({ log: { entries: [exchange] } })),
      'har',
    )
    for (const [source, words] of [
      ['har', 'of answers recorded in a HAR file, not asked of the deployment itself'],
      ['captured', 'of answers recorded earlier, not asked of the deployment itself'],
    ] as const) {
      writeFileSync(join(folder, 'sallyport.verification.json'), JSON.stringify({ ...record, source }))
      const posture = await createPosture({ extends: 'api' }, { ...OPTIONS, ...factsIn(folder) })
      for (const text of [postureHtml(posture), postureMarkdown(posture)])
        assert.ok(text.includes(words), words)
      assert.equal(posture.lastVerification?.source, source)
    }
    writeFileSync(join(folder, 'sallyport.verification.json'), JSON.stringify({ ...record, source: 'live' }))
    assert.doesNotMatch(
      postureMarkdown(await createPosture({ extends: 'api' }, { ...OPTIONS, ...factsIn(folder) })),
      /recorded/,
    )
    writeFileSync(
      join(folder, 'sallyport.verification.json'),
      JSON.stringify({ ...record, source: 'hearsay' }),
    )
    assert.throws(() => factsIn(folder), /is no record of a verification; write it with/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the digest in the page’s Content-Security-Policy is that of its style', () => {
  assert.equal(STYLE_SOURCE, `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`)
})

test('the published schema names every member of the data', async () => {
  const schema = JSON.parse(
    readFileSync(new URL('../../schema/posture.schema.json', import.meta.url), 'utf8'),
  )
  const posture = await createPosture(
    { extends: 'api', version: '1' },
    { ...OPTIONS, audience: 'reviewer', changes: [] },
  )
  for (const key of Object.keys(posture)) assert.ok(key in schema.properties, key)
  for (const key of schema.required) assert.ok(key in posture, key)
})

test('no text of a policy is ever read as markup', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (text) => {
      const name = `<img src=x>${text.replace(/\p{Cc}/gu, '')}|\`*`
      const posture = await createPosture({ extends: 'api', name }, OPTIONS)
      assert.doesNotMatch(postureHtml(posture), /<img/)
      const [heading] = postureMarkdown(posture).split('\n', 1)
      assert.match(heading!, /^# \\<img src=x\\>/)
    }),
    { numRuns: 30 },
  )
})

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

test('H3 the page says of a schedule whether anybody keeps it, and claims no standard by one that nobody keeps', async () => {
  const policy: PolicyDocument = { extends: 'commerce' }
  const lastBackup = { at: '2026-11-24T22:00:00.000Z', verifiedAt: '2026-11-24T22:00:00.000Z' }
  const pageOf = async (more: object) => {
    const posture = await createPosture(policy, { ...OPTIONS, ...more })
    const section = posture.sections.find(({ control }) => control === 'backup')!
    return {
      modes: section.modes.map(({ mode }) => mode),
      values: section.entries.map(({ value }) => value),
      isClaimed: posture.standards.some(({ requirements }) => requirements.includes('CP-9')),
    }
  }
  const declared = 'declared, none was proved yet'
  const none =
    'declared: every day, the last 14 are kept; this gateway makes none, since no folder for backups is configured'
  assert.deepEqual(await pageOf({ backups: 'no folder' }), {
    modes: ['unset'],
    values: [none, declared],
    isClaimed: false,
  })
  const made = await pageOf({ backups: 'made', lastBackup })
  assert.deepEqual([made.modes, made.isClaimed], [['enforce'], true])
  assert.equal(made.values[0], 'every day, the last 14 are kept')
  assert.match(made.values[1]!, /restored into an empty store and compared; 2 h old/)
  const inside = await pageOf({ place: 'node' })
  assert.deepEqual(inside.modes, ['unset'])
  assert.equal(
    inside.values[0],
    'declared: every day, the last 14 are kept; a guard inside an application makes none',
  )
  // Made by a command, from a timer.
  assert.deepEqual((await pageOf({ place: 'node', lastBackup })).modes, ['enforce'])
})
