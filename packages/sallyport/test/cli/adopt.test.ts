// `sallyport adopt`: a URL, a HAR file and a file of options, each to a policy that the other commands take.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { listening } from '../kinds/listen.ts'
import { directory, run } from './command.ts'

async function api(context: TestContext): Promise<string> {
  const app = await listening(
    createServer((_request, response) => {
      response.setHeader('X-Content-Type-Options', 'nosniff')
      response.setHeader('Content-Type', 'application/json')
      response.end('{}')
    }),
  )
  context.after(() => app.close())
  return `http://127.0.0.1:${app.port}`
}

const HAR = JSON.stringify({
  log: {
    entries: [
      {
        request: { method: 'GET', url: 'https://api.example/v1/things', headers: [] },
        response: {
          status: 200,
          headers: [
            { name: 'x-frame-options', value: 'DENY' },
            { name: 'strict-transport-security', value: 'max-age=31536000' },
            { name: 'cache-control', value: 'max-age=60' },
          ],
          content: {},
        },
      },
    ],
  },
})

describe('sallyport adopt', () => {
  it('writes the policy of a running API, proves it, and lists the steps', async (context) => {
    const folder = directory(context)
    const url = await api(context)
    const adopted = await run(context, folder, ['adopt', url])
    assert.equal(adopted.code, 0, adopted.err)
    assert.match(adopted.out, /^Taken over: x-content-type-options\.$/m)
    assert.match(
      adopted.out,
      /^Proved: none of \d+ probes finds a change in what the application answers\.$/m,
    )
    assert.match(adopted.out, /^ 1\. HIGH {4}transport\.hsts: /m)
    assert.match(adopted.err, /^wrote sallyport\.config\.ts$/m)
    const checked = await run(context, folder, ['check'])
    assert.equal(checked.code, 0, checked.err)
    // What is there already is never written over.
    const again = await run(context, folder, ['adopt', url])
    assert.equal(again.code, 2)
    assert.match(again.err, /sallyport\.config\.ts is already here and stays as it is/)
  })

  it('reads a HAR file, and writes JSON', async (context) => {
    const folder = directory(context, { 'browser.har': HAR })
    const adopted = await run(context, folder, ['adopt', 'browser.har', '--out', 'policy.json', '--json'])
    assert.equal(adopted.code, 0, adopted.err)
    const { proof, taken, steps } = JSON.parse(adopted.out) as {
      proof: { changes: unknown[] }
      taken: string[]
      steps: { setting: string; breaks: string[] }[]
    }
    assert.deepEqual(proof.changes, [])
    assert.deepEqual(taken, ['strict-transport-security', 'x-frame-options'])
    assert.match(steps.find(({ setting }) => setting === 'cache')!.breaks[0]!, /\/v1\/things \(max-age=60\)/)
    const policy = JSON.parse(readFileSync(join(folder, 'policy.json'), 'utf8')) as object
    assert.deepEqual(policy, {
      headers: { strip: false, frameOptions: 'DENY' },
      cache: { mode: 'off' },
      client: { requestId: false, traceContext: false },
      request: { mode: 'off' },
      errors: { mode: 'off' },
      transport: { hsts: { maxAgeSeconds: 31_536_000 } },
    })
  })

  it('reads options of middleware, limits too', async (context) => {
    const folder = directory(context, {
      'security.ts': `export const helmetOptions: object = { frameguard: { action: 'deny' }, contentSecurityPolicy: false }
export const corsOptions = { origin: ['https://app.example', /x/] }
export default { rateLimit: { windowMs: 900_000, limit: 100 } }
`,
    })
    const adopted = await run(context, folder, ['adopt', 'security.ts'])
    assert.equal(adopted.code, 0, adopted.err)
    assert.match(
      adopted.out,
      /Not proved: nothing runs here to ask\. Prove it with: sallyport verify URL --place node/,
    )
    assert.match(adopted.out, /cors: \{ origins: \['https:\/\/app\.example'\] \}/)
    assert.match(adopted.out, /^note: cors\.origin has a pattern/m)
    const policy = readFileSync(join(folder, 'sallyport.config.ts'), 'utf8')
    assert.match(
      adopted.out,
      /limits: \{ addresses: \{ buckets: \{ requests: \{ limit: 100, windowSeconds: 900 \} \} \} \}/,
    )
    assert.match(policy, /frameOptions: 'DENY'/)
    assert.equal((await run(context, folder, ['check'])).code, 0)
  })

  it('writes to the standard output alone where that is asked for', async (context) => {
    const folder = directory(context, { 'cors.json': '{"origin": "https://app.example"}' })
    const adopted = await run(context, folder, ['adopt', 'cors.json', '--out=-'])
    assert.equal(adopted.code, 0, adopted.err)
    assert.match(adopted.out, /^export default definePolicy\(\{$/m)
    assert.equal(existsSync(join(folder, 'sallyport.config.ts')), false)
  })

  for (const [what, words, message] of [
    ['nothing to adopt', [], /adopt needs what to adopt/],
    [
      'nothing that listens',
      ['http://127.0.0.1:1'],
      /^sallyport: 127\.0\.0\.1:1 gave no answer \(connect: ECONNREFUSED\); nothing listens there: start the server/,
    ],
    ['a file that is not there', ['x.har'], /x\.har: can't be read \(ENOENT\)/],
    ['a HAR file that is none', ['other.har'], /is no HAR file/],
    ['JSON that is none', ['broken.json'], /broken\.json:1:2: /],
    ['options that are none', ['other.json'], /holds no options that are known; export \{ helmet/],
    ['a module that fails', ['throws.mjs'], /throws\.mjs: can't be loaded: out of order/],
    ['another kind of file', ['notes.txt'], /expected a URL with http/],
    ['a file of another kind to write', ['other.json', '--out', 'policy.yaml'], /ends in \.ts or \.json/],
    [
      'an origin with a path',
      ['http://127.0.0.1:1', '--origin', 'https://a.example/x'],
      /expected an origin/,
    ],
  ] as const)
    it(`ends with 2 for ${what}`, async (context) => {
      const folder = directory(context, {
        'other.har': '{}',
        'other.json': '{"port": 3000}',
        'broken.json': '{',
        'throws.mjs': 'throw new Error("out of order")',
        'notes.txt': '',
      })
      const { code, err } = await run(context, folder, ['adopt', ...words])
      assert.match(err, message)
      assert.equal(code, 2)
    })
})
