// What a real browser does with our answers: the back button after sign-out, and cross-origin reads.

import assert from 'node:assert/strict'
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import { hasChromium, openTab, type Tab } from './chromium.ts'

const SECRET = 'balance: 1,234.56'

// A dashboard page under /v1/account that shows the balance to whoever is signed in.
const dashboard: RequestListener = (request, response) => {
  const signedIn = /session=1/.test(request.headers.cookie ?? '')
  response.setHeader('Content-Type', 'text/html')
  if (request.url === '/sign-in') response.setHeader('Set-Cookie', 'session=1; HttpOnly; Path=/')
  if (request.url === '/sign-out') response.setHeader('Set-Cookie', 'session=; Max-Age=0; Path=/')
  if (request.url !== '/v1/account/balance') response.end('<p>hello</p>')
  else if (signedIn) response.end(`<p>${SECRET}</p>`)
  else {
    response.statusCode = 401
    response.end('<p>please sign in</p>')
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

function stop(server: Server): void {
  server.close()
  server.closeAllConnections()
}

const skip = hasChromium() ? false : 'Chromium is missing: apt-get install chromium'

describe('in Chromium', { skip, timeout: 60_000 }, () => {
  let tab: Tab | undefined
  before(async () => {
    tab = await openTab()
  })
  after(() => tab?.close())

  const seenAfterSignOut = async (origin: string) => {
    await tab!.goto(`${origin}/sign-in`)
    await tab!.goto(`${origin}/v1/account/balance`)
    assert.equal(await tab!.text(), SECRET)
    await tab!.goto(`${origin}/sign-out`)
    await tab!.back()
    return tab!.text()
  }

  it('D6 the back button shows no private page after sign-out', async () => {
    const server = createServer({ extends: 'api', errors: { replaceBodies: 'none' } }, dashboard)
    try {
      assert.equal(await seenAfterSignOut(await listen(server)), 'please sign in')
    } finally {
      stop(server)
    }
  })

  it('the same application without the guard shows it: the test can fail', async () => {
    const server = createPlainServer(dashboard)
    try {
      assert.equal(await seenAfterSignOut(await listen(server)), SECRET)
    } finally {
      stop(server)
    }
  })

  it('D12 a listed origin reads with cookies, any other only with a bearer token', async () => {
    const page = createPlainServer((_request, response) => response.end('<p>page</p>'))
    const origin = await listen(page)
    const other = origin.replace('localhost', 'other.localhost')
    const api = createServer(
      { extends: 'api', cors: { origins: [origin] }, routes: { '/v1/session': { credentials: 'cookie' } } },
      (request, response) => response.end(`cookie=${request.headers.cookie ?? 'none'}`),
    )
    const apiOrigin = await listen(api)
    const read = (path: string, options: string) =>
      tab!.evaluate(
        `fetch(${JSON.stringify(apiOrigin + path)}, ${options}).then((r) => r.text(), (e) => 'blocked')`,
      )
    try {
      await tab!.goto(`${apiOrigin}/set`)
      await tab!.evaluate(`document.cookie = 'id=7; path=/'`)
      await tab!.goto(origin)
      assert.equal(await read('/v1/account/x', `{ credentials: 'include' }`), 'cookie=id=7')
      assert.equal(await read('/v1/session', `{ credentials: 'include' }`), 'cookie=id=7')
      await tab!.goto(other)
      assert.equal(await read('/v1/account/x', `{ credentials: 'include' }`), 'blocked')
      assert.equal(await read('/v1/session', `{ credentials: 'include' }`), 'blocked')
      assert.equal(await read('/v1/session', '{}'), 'blocked')
      assert.equal(await read('/v1/account/x', `{ headers: { authorization: 'Bearer t' } }`), 'cookie=none')
      assert.equal(
        await read('/v1/account/x', `{ method: 'DELETE', headers: { authorization: 'Bearer t' } }`),
        'cookie=none',
      )
    } finally {
      stop(api)
      stop(page)
    }
  })
})
