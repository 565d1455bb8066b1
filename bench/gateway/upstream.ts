// The API behind every proxy of the comparison: on bare sockets, so that it and the load share one core without being
// the bottleneck.

import { createServer, type Server } from 'node:net'

function answer(type: string, body: string): Buffer {
  return Buffer.from(
    [
      'HTTP/1.1 200 OK',
      'Date: Wed, 01 Jan 2025 00:00:00 GMT',
      `Content-Type: ${type}`,
      `Content-Length: ${body.length}`,
      'ETag: "5e3f-1"',
      '',
      body,
    ].join('\r\n'),
    'latin1',
  )
}

const SMALL = answer('application/json', '{"id":1,"name":"something"}')
const LARGE = answer('application/octet-stream', 'x'.repeat(102_400))

const CHUNKED = /^transfer-encoding: *chunked/im
const LENGTH = /^content-length: *(\d+)/im

// The proxies are trusted here and send one request at a time, so what is in hand is one request or a part of it.
function isWhole(request: string): boolean {
  const end = request.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = request.slice(0, end)
  if (CHUNKED.test(head)) return request.endsWith('\r\n0\r\n\r\n')
  return request.length - end - 4 >= Number(LENGTH.exec(head)?.[1] ?? 0)
}

/** Answers `/large` with 100 KB and all else with 27 bytes. */
export function createUpstream(): Server {
  return createServer({ noDelay: true }, (socket) => {
    let request = ''
    socket.setEncoding('latin1')
    socket.on('error', () => {})
    socket.on('data', (chunk: string) => {
      request += chunk
      if (!isWhole(request)) return
      socket.write(request.startsWith('GET /large') ? LARGE : SMALL)
      request = ''
    })
  })
}
