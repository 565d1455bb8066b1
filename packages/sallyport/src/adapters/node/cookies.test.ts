// A page of an origin that may only call without credentials acts with none that its visitor's browser adds.

import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { it } from 'node:test'
import { listening } from '../../../test/kinds/listen.ts'
import { parseAnswer, send } from '../../../test/kinds/wire.ts'
import { createServer } from './index.ts'

const policy = { cors: { origins: ['https://app.example.com'], bearer: 'any-origin' } } as const

async function seenBy(origin: string, authorization: string): Promise<string> {
  const running = await listening(
    createServer(policy, ({ headers, headersDistinct, rawHeaders }, response) =>
      response.end(
        JSON.stringify([
          headers.authorization,
          headersDistinct.authorization,
          headers.cookie,
          rawHeaders.join(),
        ]),
      ),
    ),
  )
  try {
    const lines = `Host: a.example\r\nOrigin: ${origin}\r\nAuthorization: ${authorization}\r\nCookie: s=1\r\n`
    return parseAnswer(await send(running, `POST / HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`)).rest
  } finally {
    running.close()
  }
}

for (const scheme of ['Basic YTpi', 'basic YTpi', 'Digest username="a"', 'NTLM TlRM', 'Negotiate YII='])
  it(`D12 a sign-in that browsers remember (${scheme.split(' ')[0]}) is dropped for an unlisted origin`, async () => {
    const seen = await seenBy('https://evil.example', scheme)
    assert.ok(!seen.includes(scheme.split(' ')[1]!) && !seen.includes('s=1'), seen)
  })

it('D12 a bearer token stays, and a listed origin keeps everything', async () => {
  assert.match(await seenBy('https://evil.example', 'Bearer t0ken'), /Bearer t0ken/)
  const seen = await seenBy('https://app.example.com', 'Basic YTpi')
  assert.ok(seen.includes('Basic YTpi') && seen.includes('s=1'), seen)
})

it('an upgrade in absolute form reads as its path, as every other request does', async () => {
  const server = createServer({ extends: 'api' })
  let url: string | undefined
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    url = request.url
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  const running = await listening(server)
  try {
    const lines = 'Host: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
    await send(running, `GET http://a.example/v1/status?x=1 HTTP/1.1\r\n${lines}\r\n`)
    assert.equal(url, '/v1/status?x=1')
  } finally {
    running.close()
  }
})
