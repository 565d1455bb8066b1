import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxy } from './proxy.ts'

const judge = proxy({
  extends: 'payments',
  cors: { origins: ['https://shop.example'], bearer: 'any-origin' },
  routes: { '/open': { data: 'public', credentials: 'none', cache: { mode: 'enforce', maxAgeSeconds: 30 } } },
})

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return judge(new Request(`https://api.example${path}`, init))
}

test('a request that passes goes on to Next with the policy’s lines', async () => {
  const response = await ask('/api/payments')
  assert.equal(response.headers.get('x-middleware-next'), '1')
  assert.equal(response.headers.get('x-frame-options'), 'DENY')
  assert.equal(response.headers.get('x-middleware-override-headers'), null)
  assert.equal(response.body, null)
})

test('CORS is decided for each request, refusals included', async () => {
  const granted = await ask('/api/payments', { headers: { origin: 'https://shop.example' } })
  assert.equal(granted.headers.get('access-control-allow-origin'), 'https://shop.example')
  assert.equal(granted.headers.get('vary'), 'Origin')
  const strict = proxy({ extends: 'payments', cors: { origins: ['https://shop.example'] } })
  const denied = await strict(
    new Request('https://api.example/api/payments', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    }),
  )
  assert.equal(denied.status, 403)
  assert.equal(denied.headers.get('x-middleware-next'), null)
  assert.equal(denied.headers.get('access-control-allow-origin'), null)
  assert.equal((await denied.json()).code, 'origin_not_allowed')
})

test('cookies that the policy ignores are taken from the request, all else stays', async () => {
  const response = await ask('/api/payments', {
    headers: { origin: 'https://other.example', cookie: 'session=1', authorization: 'Bearer x' },
  })
  assert.equal(response.headers.get('x-middleware-override-headers'), 'authorization,origin')
  assert.equal(response.headers.get('x-middleware-request-authorization'), 'Bearer x')
  assert.equal(response.headers.get('x-middleware-request-cookie'), null)
})

test('what depends on the status takes the form that is safe for an error', async () => {
  assert.equal((await ask('/open')).headers.get('cache-control'), 'no-store')
})

test('D11 a private path is gated where no server is ours, too', async () => {
  const gated = proxy(
    { extends: 'payments', access: { tokens: [{ service: true }] } },
    {
      services: {
        tokens: {
          find: async (token) =>
            token === 'right'
              ? { principal: { organisation: 'o', credential: { kind: 'token', id: 't' }, scopes: [] } }
              : 'unknown',
        },
      },
    },
  )
  const call = (headers: Record<string, string>) =>
    gated(new Request('https://api.example/api/payments', { headers }))
  const refused = await call({})
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer'])
  assert.equal((await call({ authorization: 'Bearer wrong' })).status, 401)
  assert.equal((await call({ authorization: 'Bearer right' })).headers.get('x-middleware-next'), '1')
})
