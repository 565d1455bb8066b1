// Answers that no HTTP server should give, written byte by byte: what a gateway must survive and must not pass on.

import type { Socket } from 'node:net'

/** Writes its answer on the connection of a request. */
export type Fault = (socket: Socket) => void

const raw =
  (text: string, then: 'keep' | 'end' | 'reset' = 'keep'): Fault =>
  (socket) => {
    socket.write(text, 'latin1', () => {
      if (then === 'end') socket.end()
      if (then === 'reset') socket.resetAndDestroy()
    })
  }

const OK = 'HTTP/1.1 200 OK\r\n'
// For answers that are good enough to leave a connection in use.
const LAST = 'HTTP/1.1 200 OK\r\nConnection: close\r\n'

/** The faults by name: `/faults/status-099` of the sample. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'status-099': raw('HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  'status-600': raw('HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  'status-999': raw('HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  'status-000': raw('HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\nhi'),
  'status-four-digits': raw('HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nhi'),
  'status-letters': raw('HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nhi'),
  'not-http': raw('SSH-2.0-OpenSSH_9.2\r\n', 'end'),
  'http-0.9': raw('<html>hello</html>', 'end'),
  'version-2.0': raw('HTTP/2.0 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'),
  'huge-head': raw(`${OK}X-Big: ${'a'.repeat(300_000)}\r\nContent-Length: 2\r\n\r\nhi`),
  'many-headers': raw(`${OK}${'X-Many: 1\r\n'.repeat(2_000)}Content-Length: 2\r\n\r\nhi`),
  'endless-informational': (socket) => {
    const write = () => {
      if (socket.destroyed) return
      if (socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n')) setImmediate(write)
      else socket.once('drain', write)
    }
    write()
  },
  'informational-then-ok': raw(
    `HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n${LAST}Content-Length: 2\r\n\r\nhi`,
  ),
  'switching-protocols': raw(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  ),
  'length-too-long': raw(`${OK}Content-Length: 100\r\n\r\nshort`, 'end'),
  'length-too-short': raw(
    `${OK}Content-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nINJECTED!`,
  ),
  'length-twice': raw(`${OK}Content-Length: 2\r\nContent-Length: 5\r\n\r\nhiabc`, 'end'),
  'length-negative': raw(`${OK}Content-Length: -2\r\n\r\nhi`, 'end'),
  'length-hex': raw(`${OK}Content-Length: 0x2\r\n\r\nhi`, 'end'),
  'length-list': raw(`${OK}Content-Length: 2, 2\r\n\r\nhi`, 'end'),
  'length-and-chunked': raw(
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    'end',
  ),
  'chunked-tab': raw(
    `${OK}Transfer-Encoding: chunked\t\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nINJECTED!`,
    'end',
  ),
  'chunked-gzip': raw(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`, 'end'),
  'coding-unknown': raw(`${OK}Transfer-Encoding: identity\r\n\r\nhi`, 'end'),
  'chunk-size-wrong': raw(`${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\n`),
  'chunk-cut': raw(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, 'end'),
  'chunked-trailers': raw(
    `${LAST}Transfer-Encoding: chunked\r\nTrailer: X-Admin\r\n\r\n2\r\nhi\r\n0\r\nX-Admin: yes\r\nSet-Cookie: t=1\r\n\r\n`,
  ),
  'closed-at-once': (socket) => socket.destroy(),
  'reset-at-once': (socket) => socket.resetAndDestroy(),
  'half-a-head': raw(`${OK}Content-Le`, 'end'),
  'reset-in-body': raw(`${OK}Content-Length: 100\r\n\r\nhello`, 'reset'),
  'reset-in-closed-body': raw(`${OK}Connection: close\r\n\r\nhello`, 'reset'),
  'folded-header': raw(`${OK}X-Fold: a\r\n b\r\nContent-Length: 2\r\n\r\nhi`),
  'nul-in-value': raw(`${OK}X-Nul: a\0b\r\nContent-Length: 2\r\n\r\nhi`),
  'bare-cr-in-value': raw(`${OK}X-Cr: a\rSet-Cookie: x=1\r\nContent-Length: 2\r\n\r\nhi`),
  'bare-lf': raw('HTTP/1.1 200 OK\nContent-Length: 2\n\nhi'),
  'space-in-name': raw(`${OK}X Odd: 1\r\nContent-Length: 2\r\n\r\nhi`),
  'space-before-colon': raw(`${OK}Content-Length : 2\r\n\r\nhi`),
  'latin1-value': raw(`${LAST}X-Name: Zo\xeb\r\nContent-Length: 2\r\n\r\nhi`),
  'no-content-with-body': raw('HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi'),
  'not-modified-with-body': raw('HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nhi'),
  silent: () => {},
  'silent-in-body': raw(`${OK}Content-Length: 100\r\n\r\nhello`),
  'error-endless': (socket) => {
    socket.write('HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n')
    const chunk = `4000\r\n${'e'.repeat(0x4000)}\r\n`
    const write = () => {
      if (socket.destroyed) return
      if (socket.write(chunk)) setImmediate(write)
      else socket.once('drain', write)
    }
    write()
  },
  'connection-nominates': raw(
    `${OK}Connection: close, X-Internal, Content-Length\r\nX-Internal: 1\r\nContent-Length: 2\r\n\r\nhi`,
  ),
}
