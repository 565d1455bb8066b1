// The page where it is published: by the guard itself, under the policy's own lines, to whom it is for.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { guard as fetchGuard } from '../../src/adapters/fetch.ts'
import { createServer } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { pagesFor } from '../../src/guard/publish.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import { LINK_KEY_VARIABLE, reviewerLink } from '../../src/posture/page/index.ts'

const KEY = 'k'.repeat(40)
const IN_AN_HOUR = () => Math.floor(Date.now() / 1_000) + 3_600

async function serve(context: TestContext, policy: PolicyDocument): Promise<string> {
  const server = createServer(policy, (_request, response) => response.end('the application'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  context.after(() => server.closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function withKey(context: TestContext, key: string | undefined): void {
  const before = process.env[LINK_KEY_VARIABLE]
  if (key === undefined) delete process.env[LINK_KEY_VARIABLE]
  else process.env[LINK_KEY_VARIABLE] = key
  context.after(() => {
    if (before === undefined) delete process.env[LINK_KEY_VARIABLE]
    else process.env[LINK_KEY_VARIABLE] = before
  })
}

test('D21 a policy that publishes its page serves it with its own digest, and as data', async (context) => {
  const base = await serve(context, { extends: 'recommended', disclosure: { posture: 'public' } })
  const data = await fetch(`${base}/.well-known/api-posture.json`)
  assert.equal(data.status, 200)
  assert.equal(data.headers.get('content-type'), 'application/json')
  assert.equal(data.headers.get('cache-control'), 'public, max-age=30')
  const posture = (await data.json()) as { format: string; policyDigest: string; audience: string }
  assert.equal(posture.format, 'sallyport-posture/1')
  assert.equal(posture.audience, 'public')
  const page = await fetch(`${base}/.well-known/posture`)
  assert.match(await page.text(), new RegExp(posture.policyDigest))
  assert.match(page.headers.get('content-security-policy')!, /style-src 'sha256-/)
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
  const again = await fetch(`${base}/.well-known/posture`, {
    headers: { 'If-None-Match': page.headers.get('etag')! },
  })
  assert.equal(again.status, 304)
  assert.equal(again.headers.get('cache-control'), 'public, max-age=30')
  const head = await fetch(`${base}/.well-known/posture`, { method: 'HEAD' })
  assert.equal(head.headers.get('etag'), page.headers.get('etag'))
  assert.equal(await (await fetch(`${base}/v1/anything`)).text(), 'the application')
})

test('a page for reviewers needs a link that is signed and has not run out', async (context) => {
  withKey(context, KEY)
  const base = await serve(context, { extends: 'recommended', disclosure: { posture: 'reviewer' } })
  const status = async (path: string) => (await fetch(base + path)).status
  assert.equal(await status('/.well-known/posture'), 200, 'the path is the application’s')
  const good = reviewerLink(KEY, IN_AN_HOUR())
  const page = await fetch(base + good)
  assert.equal(page.status, 200)
  assert.equal(page.headers.get('cache-control'), 'no-store, private')
  assert.match(await page.text(), /Accepted weaknesses/)
  assert.equal(await status(reviewerLink(KEY, IN_AN_HOUR(), true)), 200)
  // The page tells what its data does, so who was sent the one can have the other.
  assert.equal(await status(good.replace('/reviewer?', '/reviewer/api-posture.json?')), 200)
  for (const [why, wrong] of [
    ['no signature', '/.well-known/posture/reviewer'],
    ['another key', reviewerLink('x'.repeat(40), IN_AN_HOUR())],
    ['run out', reviewerLink(KEY, Math.floor(Date.now() / 1_000) - 1)],
    ['a later time', good.replace(/until=\d+/, `until=${IN_AN_HOUR() + 9}`)],
    ['something after it', `${good}&x=1`],
    ['a signature of another length', good.slice(0, -1)],
  ] as const)
    assert.equal(await status(wrong), 404, why)
})

test('without a key of 32 characters no link is believed', async (context) => {
  for (const key of [undefined, '', 'short']) {
    withKey(context, key)
    const base = await serve(context, { extends: 'recommended', disclosure: { posture: 'reviewer' } })
    assert.equal((await fetch(base + reviewerLink(key ?? '', IN_AN_HOUR()))).status, 404)
  }
})

test('a Fetch host serves the page as well', async () => {
  const handle = fetchGuard(
    { extends: 'recommended', disclosure: { posture: 'public' } },
    () => new Response('app'),
  )
  // It is made when the guard is; whoever comes first waits for it.
  const response = await handle(new Request('https://a.example/.well-known/posture'))
  assert.equal(response.status, 200)
  assert.match(await response.text(), /security posture/)
})

test('where nothing can make the page, a policy that publishes it is refused with the way to mend it', () => {
  const resolved = resolvePolicy({ extends: 'api', disclosure: { posture: 'public' } })
  const shared = globalThis as { [key: symbol]: unknown }
  const key = Symbol.for('sallyport.posture')
  const before = shared[key]
  delete shared[key]
  try {
    assert.throws(() => pagesFor(resolved, 'node', Date.now, false), /import 'sallyport\/posture'/)
  } finally {
    shared[key] = before
  }
})
