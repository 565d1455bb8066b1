import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard } from '../../guard/guard.ts'
import { guard } from '../fetch.ts'
import { FetchIncoming } from './incoming.ts'

// A guard whose only cell sets what the `request` and `cors` controls set, so that the adapter alone is tested.
function guardThat(change: (exchange: { bodyLimit: number | undefined; cookiesIgnored: boolean }) => void) {
  const compiled = createGuard({ extends: 'recommended' }, 'fetch')
  const admit = compiled.admit
  return Object.assign(compiled, {
    admit: (exchange: Parameters<typeof admit>[0]) => {
      change(exchange)
      return undefined
    },
  })
}

function streamed(...chunks: string[]): RequestInit {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
      controller.close()
    },
  })
  return { method: 'POST', body, duplex: 'half' } as RequestInit
}

test('a body past its limit is 413, whether the handler lets the error pass or hides it', async () => {
  const limited = guardThat((exchange) => {
    exchange.bodyLimit = 8
  })
  const told: unknown[] = []
  const naive = guard(limited, async (request) => new Response(await request.text()), {
    onError: (error) => told.push(error),
  })
  const hiding = guard(limited, async (request) => {
    try {
      return new Response(await request.text())
    } catch {
      return new Response('all is well')
    }
  })
  for (const handler of [naive, hiding]) {
    const small = await handler(new Request('https://api.example/', streamed('1234', '5678')))
    assert.equal(await small.text(), '12345678')
    const large = await handler(new Request('https://api.example/', streamed('1234', '5678', '9')))
    assert.equal(large.status, 413)
    assert.equal(large.headers.get('x-frame-options'), 'DENY')
    assert.equal((await large.json()).code, 'body_too_large')
  }
  assert.deepEqual(told, [], 'a caller who sends too much is no fault of the application')
})

test('cookies that the policy ignores never reach the handler', async () => {
  const guarded = guard(
    guardThat((exchange) => {
      exchange.cookiesIgnored = true
    }),
    async (request) => Response.json([request.headers.get('cookie'), request.method, await request.text()]),
  )
  const init = { method: 'POST', body: 'b', headers: { cookie: 'session=1' } }
  const response = await guarded(new Request('https://api.example/', init))
  assert.deepEqual(await response.json(), [null, 'POST', 'b'])
})

test('a control that fails while it judges has not let the request in', async () => {
  const told: unknown[] = []
  const guarded = guard(
    guardThat(() => {
      throw new Error('secret of a control')
    }),
    () => new Response('let in'),
    { onError: (error) => told.push(error) },
  )
  const response = await guarded(new Request('https://api.example/'))
  assert.equal(response.status, 500)
  assert.equal(response.headers.get('x-frame-options'), 'DENY')
  assert.doesNotMatch(await response.text(), /secret|let in/)
  assert.equal(told.length, 1)
})

test('a request whose URL is a bare target, as Bun shows it without a Host line, keeps its path', () => {
  for (const url of ['/v1/account', '/v1/account?next=https://a.example/', '/a://b/c']) {
    const headers = new Headers({ host: 'a/none' })
    const incoming = new FetchIncoming({ url, method: 'GET', headers } as Request, [], undefined)
    assert.equal(incoming.target, url)
    assert.equal(incoming.header('host'), 'a/none')
    assert.equal(incoming.encrypted, false)
  }
})
