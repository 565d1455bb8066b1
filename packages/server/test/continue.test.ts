// Expect: 100-continue (RFC 9110, section 10.1.1): our word comes when the request is let in and its body is wanted, and
// not before; the upstream is never asked for it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gatewayFor, IN_FRONT, rawExchange, upstreamFor } from './harness.ts'

const HEAD = 'Host: a.example\r\nExpect: 100-continue\r\nConnection: close\r\n'

async function echoFor(context: TestContext, seen: string[]): Promise<string> {
  return upstreamFor(context, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    seen.push(`${request.headers.expect ?? 'nothing'} ${body}`)
    response.end(`took ${body}`)
  })
}

test('the body is asked for once, and then comes', async (context) => {
  const seen: string[] = []
  const { port } = await gatewayFor(context, { upstream: await echoFor(context, seen) })
  const socket = connect(port, '127.0.0.1')
  context.after(() => socket.destroy())
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  socket.write(`POST / HTTP/1.1\r\n${HEAD}Content-Length: 4\r\n\r\n`)
  while (!text.includes('\r\n\r\n')) await once(socket, 'data')
  assert.equal(text, 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('body')
  await once(socket, 'end')
  assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*took body/)
  assert.deepEqual(seen, ['nothing body'])
})

for (const [name, request, status] of [
  ['a body over its limit', `POST / HTTP/1.1\r\n${HEAD}Content-Length: 11\r\n\r\n`, 413],
  ['a path that is refused', `POST /a/../b HTTP/1.1\r\n${HEAD}Content-Length: 4\r\n\r\n`, 400],
  ["a path that is nobody's", `POST /v2 HTTP/1.1\r\n${HEAD}Content-Length: 4\r\n\r\n`, 404],
  [
    'another expectation',
    `POST / HTTP/1.1\r\n${HEAD.replace('100-continue', '200-ok')}Content-Length: 4\r\n\r\n`,
    417,
  ],
  [
    'a list of expectations',
    `POST / HTTP/1.1\r\n${HEAD.replace('100-continue', '100-continue, x')}Content-Length: 4\r\n\r\n`,
    417,
  ],
] as const)
  test(`${name} is answered ${status} without a word before`, async (context) => {
    const seen: string[] = []
    const { port } = await gatewayFor(context, {
      policy: { ...IN_FRONT, request: { maxBodyBytes: 10 } },
      upstreams: { api: { urls: [await echoFor(context, seen)] } },
      routes: { '/': 'api', '/a/*': 'api' },
    })
    const { text } = await rawExchange(port, request)
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(text, /^X-Content-Type-Options: nosniff\r$/im)
    assert.deepEqual(seen, [])
  })

test('without a body there is nothing to wait for', async (context) => {
  const seen: string[] = []
  const { port } = await gatewayFor(context, { upstream: await echoFor(context, seen) })
  const { text } = await rawExchange(port, `POST / HTTP/1.1\r\n${HEAD}Content-Length: 0\r\n\r\n`)
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.deepEqual(seen, ['nothing '])
})
