// A real caching nginx between the callers and the gateway, configured as carelessly as they come: what the policy
// calls private is never served to another caller, what it calls public is served from the cache.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gatewayFor, temporaryFolder, upstreamFor } from './harness.ts'

const NGINX = '/usr/sbin/nginx'

function isThere(): boolean {
  if (existsSync(NGINX)) return true
  if (process.env.CI === undefined) return false
  try {
    execFileSync('apt-get', ['install', '-y', 'nginx-light'], { stdio: 'ignore' })
  } catch {
    return false
  }
  return existsSync(NGINX)
}

const skip = isThere() ? false : `${NGINX} is not installed`

// Everything that has no word on caching is kept for ten minutes, for every caller alike.
function configuration(folder: string, backend: string): string {
  const at = (name: string) => join(folder, name)
  // A worker that gives up root could not write in a folder that is its owner's alone.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  return `
${user}
daemon off;
pid ${at('pid')};
error_log ${at('error.log')};
events {}
http {
  access_log off;
  client_body_temp_path ${at('body')};
  fastcgi_temp_path ${at('fastcgi')};
  uwsgi_temp_path ${at('uwsgi')};
  scgi_temp_path ${at('scgi')};
  proxy_temp_path ${at('proxy')};
  proxy_cache_path ${at('cache')} keys_zone=all:1m;
  server {
    listen unix:${at('socket')};
    location / {
      proxy_pass ${backend};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host api.example.com;
      proxy_set_header Authorization $http_authorization;
      proxy_cache all;
      proxy_cache_key $uri;
      proxy_cache_valid any 10m;
      add_header X-Cache-Status $upstream_cache_status always;
    }
  }
}
`
}

interface Answer {
  readonly status: number
  readonly cache: string | undefined
  readonly body: string
}

type Ask = (path: string, user?: string) => Promise<Answer>

/** Starts an nginx in front of a backend; returns how to ask it. */
async function nginxFor(context: TestContext, backend: string): Promise<Ask> {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'nginx.conf')
  await writeFile(file, configuration(folder, backend))
  const child = spawn(NGINX, ['-p', folder, '-e', join(folder, 'error.log'), '-c', file], {
    stdio: 'inherit',
  })
  context.after(async () => {
    child.kill('SIGQUIT')
    await once(child, 'exit')
  })
  const socketPath = join(folder, 'socket')
  await listening(socketPath)
  return async (path, user) => {
    const headers = {
      Connection: 'close',
      ...(user === undefined ? {} : { Authorization: `Bearer ${user}` }),
    }
    const request = httpRequest({ socketPath, path, headers }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let body = ''
    for await (const chunk of response) body += chunk
    return { status: response.statusCode!, cache: response.headers['x-cache-status'] as string, body }
  }
}

async function listening(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(path)
    try {
      await once(socket, 'connect')
      socket.destroy()
      return
    } catch (error) {
      if (attempt === 250) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

// Answers each caller with the caller's own name, and lets everybody keep it.
const careless = (context: TestContext) =>
  upstreamFor(context, (request, response) => {
    response.statusCode = request.url!.endsWith('/missing') ? 404 : 200
    if (request.url!.endsWith('/failing')) response.statusCode = 500
    response.setHeader('Cache-Control', 'public, max-age=600')
    response.setHeader('X-Accel-Expires', '600')
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ user: request.headers.authorization }))
  })

test('without the gateway this nginx serves one caller what belongs to another', {
  skip,
}, async (context) => {
  const ask = await nginxFor(context, await careless(context))
  await ask('/v1/account', 'alice')
  const { cache, body } = await ask('/v1/account', 'mallory')
  assert.equal(cache, 'HIT')
  assert.match(body, /alice/)
})

test('D6 D7 D8 a caching nginx never serves a private payload to another caller', {
  skip,
}, async (context) => {
  const { gateway } = await gatewayFor(context, { upstream: await careless(context) })
  const ask = await nginxFor(context, gateway.url)
  const kinds = { '': 200, '/deep/er': 200, '/missing': 404, '/failing': 500 }
  for (const base of ['/v1/account', '/v1/admin', '/v1/billing'])
    for (const [kind, status] of Object.entries(kinds)) {
      const path = `${base}${kind}`
      const own = await ask(path, 'alice')
      assert.deepEqual([own.status, own.cache], [status, 'MISS'], path)
      if (status === 200) assert.match(own.body, /alice/)
      const { cache, body } = await ask(path, 'mallory')
      assert.equal(cache, 'MISS', path)
      assert.doesNotMatch(body, /alice/, path)
      if (status === 200) assert.match(body, /mallory/)
      assert.equal((await ask(path)).cache, 'MISS', path)
    }
})

test('D9 a caching nginx keeps the status', { skip }, async (context) => {
  const { gateway } = await gatewayFor(context, { upstream: await careless(context), status: true })
  const ask = await nginxFor(context, gateway.url)
  const first = await ask('/v1/status')
  assert.deepEqual([first.status, first.cache], [200, 'MISS'])
  const second = await ask('/v1/status')
  assert.deepEqual([second.status, second.cache, second.body], [200, 'HIT', first.body])
})

test("a public route's error is not kept for the next caller", { skip }, async (context) => {
  let failing = true
  const upstream = await upstreamFor(context, (_request, response) => {
    response.statusCode = failing ? 500 : 200
    response.setHeader('Cache-Control', 'public, max-age=600')
    response.end('products')
  })
  const policy = {
    extends: 'api',
    routes: { '/v1/products': { data: 'public', cache: { owner: 'policy' } } },
  } as const
  const { gateway } = await gatewayFor(context, { upstream, policy })
  const ask = await nginxFor(context, gateway.url)
  assert.equal((await ask('/v1/products')).status, 500)
  failing = false
  assert.deepEqual(await ask('/v1/products'), { status: 200, cache: 'MISS', body: 'products' })
  assert.equal((await ask('/v1/products')).cache, 'HIT')
})
