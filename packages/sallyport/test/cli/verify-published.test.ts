// `sallyport verify` without a policy at hand: what the deployment publishes is the expectation, and who vouches for it
// is said.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createServer as guarded } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import '../../src/posture/page/index.ts'
import { LINK_KEY_VARIABLE, reviewerLink } from '../../src/posture/page/index.ts'
import { listening } from '../kinds/listen.ts'
import { directory, run } from './command.ts'

const POLICY: PolicyDocument = { extends: 'recommended', disclosure: { posture: 'public' } }
const ATTESTED = '/.well-known/api-posture.dsse.json'

async function serve(context: TestContext, server: ReturnType<typeof createServer>): Promise<string> {
  const app = await listening(server)
  context.after(() => app.close())
  return `http://127.0.0.1:${app.port}`
}

/** A deployment that publishes its posture, and a statement where a file is. */
const publishing = (context: TestContext, policy: PolicyDocument, statement = '') =>
  serve(
    context,
    guarded(policy, (request, response) => {
      const text = request.url === ATTESTED && existsSync(statement) ? readFileSync(statement, 'utf8') : '{}'
      response.setHeader('Content-Type', 'application/json')
      response.end(text)
    }),
  )

describe('verify without a policy', () => {
  it('holds a deployment against the posture that it publishes, and says that it vouches for itself', async (context) => {
    const url = await publishing(context, POLICY)
    const cwd = directory(context)
    const { code, out, err } = await run(context, cwd, ['verify', url, '--sarif', 'out.sarif'])
    assert.deepEqual([code, err], [0, ''])
    assert.match(
      out,
      new RegExp(
        `^note: the policy was read from ${url}/\\.well-known/api-posture\\.json: the server vouches for itself, so .* not that this is what you expect; compare sha256:[0-9a-f]{64} with yours`,
        'm',
      ),
    )
    const json = await run(context, cwd, ['verify', '--posture', url, url, '--json'])
    assert.match(JSON.parse(json.out).notes[0], /the server vouches for itself/)
  })

  it('finds where another deployment does not do what one publishes', async (context) => {
    const url = await publishing(context, POLICY)
    const other = await serve(
      context,
      createServer((_request, response) => response.end('{}')),
    )
    const { code, out } = await run(context, directory(context), ['verify', other, '--posture', url])
    assert.equal(code, 1)
    assert.match(out, /HIGH drift\./)
  })

  it('says what to do where nothing is published, or no policy can be read from it', async (context) => {
    const cwd = directory(context)
    const answer = async (handler: RequestListener) => {
      const url = await serve(context, createServer(handler))
      const { code, err } = await run(context, cwd, ['verify', url])
      assert.equal(code, 2)
      return err.replace(`sallyport: ${url}/.well-known/api-posture.json: `, '').trimEnd()
    }
    assert.equal(
      await answer((_request, response) => response.writeHead(404).end()),
      'answered with 404; name the policy with --policy FILE, or publish it with disclosure: { posture: "public" }',
    )
    assert.match(
      await answer((_request, response) => response.end('<html>')),
      /^is not JSON; name the posture as data/,
    )
    const posture = { format: 'sallyport-posture/1', policyDigest: 'sha256:0' }
    assert.match(
      await answer((_request, response) => response.end(JSON.stringify(posture))),
      /^leaves the policy itself to reviewers; use a reviewer's link/,
    )
    assert.match(
      await answer((_request, response) => response.end(JSON.stringify({ ...posture, document: {} }))),
      /^the policy there is not the one that its digest names/,
    )
    const gone = await run(context, cwd, ['verify', 'http://127.0.0.1:1'])
    assert.match(
      gone.err,
      /^sallyport: 127\.0\.0\.1:1 gave no answer \(connect: ECONNREFUSED\); nothing listens there/,
    )
  })

  it('believes who attested the policy, by key, and nobody else', async (context) => {
    const cwd = directory(context, { 'sallyport.config.json': JSON.stringify(POLICY) })
    const empty = directory(context)
    const statement = join(empty, 'statement.json')
    const url = await publishing(context, POLICY, statement)
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(cwd, 'own.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(join(empty, 'own.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
    writeFileSync(join(empty, 'other.pub'), other)
    assert.equal((await run(context, cwd, ['verify', url, '--record', 'last.json'])).code, 0)
    const attest = ['attest', '--record', 'last.json', '--key', 'own.key', '--out', statement]
    assert.equal((await run(context, cwd, attest)).code, 0)

    const good = await run(context, empty, ['verify', url, '--key', 'own.pub'])
    assert.deepEqual([good.code, good.err], [0, ''])
    assert.match(
      good.out,
      /^note: the policy was read from .*, and the holder of own\.pub attested it at 20\d\d-/m,
    )
    assert.doesNotMatch(good.out, /vouches for itself/)
    const stranger = await run(context, empty, ['verify', url, '--key', 'other.pub'])
    assert.equal(stranger.code, 2)
    assert.ok(stranger.err.startsWith(`sallyport: ${url}${ATTESTED}: no signature in it is by this key`))

    // The statement of one policy says nothing of another that the server publishes.
    const changed = await publishing(
      context,
      { ...POLICY, headers: { frameOptions: 'DENY' }, name: 'x' },
      statement,
    )
    const moved = await run(context, empty, ['verify', changed, '--key', 'own.pub'])
    assert.equal(moved.code, 2)
    assert.match(moved.err, /it is about policy [0-9a-f]{64}, not [0-9a-f]{64}; verify what runs now/)
  })

  it('refuses options that say two things', async (context) => {
    const cwd = directory(context, { 'sallyport.config.json': JSON.stringify(POLICY) })
    for (const [words, line] of [
      [
        ['--posture', 'https://a.example', '--policy', 'p.json'],
        /^--posture: the policy is named already, by --policy/,
      ],
      [
        ['--key', 'k.pub'],
        /^--key: says who vouches for a published posture, and the policy here is your own/,
      ],
      [['--posture', 'ftp://a'], /^--posture: expected a URL such as/],
    ] as const) {
      const { code, err } = await run(context, cwd, ['verify', 'https://a.example', ...words])
      assert.equal(code, 2)
      assert.match(err.replace('sallyport: ', ''), line)
    }
  })
})

describe("a reviewer's link", () => {
  const KEY = 'k'.repeat(40)
  const policy: PolicyDocument = { extends: 'recommended', disclosure: { posture: 'reviewer' } }

  for (const asData of [false, true])
    it(`to the ${asData ? 'data' : 'page'} is taken by verify --posture and by diff`, async (context) => {
      process.env[LINK_KEY_VARIABLE] = KEY
      context.after(() => delete process.env[LINK_KEY_VARIABLE])
      const url = await publishing(context, policy)
      const link = url + reviewerLink(KEY, Math.floor(Date.now() / 1_000) + 3_600, asData)
      const cwd = directory(context, { 'sallyport.config.json': JSON.stringify(policy) })
      const verified = await run(context, cwd, ['verify', url, '--posture', link, '--place', 'node'])
      assert.deepEqual([verified.code, verified.err], [0, ''])
      const compared = await run(context, cwd, ['diff', link])
      assert.deepEqual([compared.code, compared.err], [0, ''])
    })

  it('to the page of a policy that is public is taken too', async (context) => {
    const url = await publishing(context, POLICY)
    const cwd = directory(context, { 'sallyport.config.json': JSON.stringify(POLICY) })
    const { code, err } = await run(context, cwd, ['diff', `${url}/.well-known/posture`])
    assert.deepEqual([code, err], [0, ''])
  })
})
