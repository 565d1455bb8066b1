// Requests that no HTTP client sends, each for one class of answers that a parser gives before any middleware runs.

import type { ClassId } from './classes.ts'

const HOST = 'Host: {host}\r\n'
const CLOSE = 'Connection: close\r\n'
const LARGE = 40_000
const LONG = 20_000

/** Bytes by class. */
export const RAW_CLASSES: readonly (readonly [id: ClassId, raw: string])[] = [
  ['bad-request-line', 'GARBAGE\r\n\r\n'],
  ['bad-header-name', `GET / HTTP/1.1\r\n${HOST}Bad Name: x\r\n${CLOSE}\r\n`],
  ['headers-too-large', `GET / HTTP/1.1\r\n${HOST}X-Large: ${'x'.repeat(LARGE)}\r\n${CLOSE}\r\n`],
  ['target-too-long', `GET /${'a'.repeat(LONG)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`],
  ['no-host', `GET / HTTP/1.1\r\n${CLOSE}\r\n`],
  ['two-hosts', `GET / HTTP/1.1\r\n${HOST}Host: other.invalid\r\n${CLOSE}\r\n`],
  [
    'length-and-chunked',
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n0\r\n\r\n`,
  ],
  ['unknown-expect', `GET / HTTP/1.1\r\n${HOST}Expect: the-impossible\r\n${CLOSE}\r\n`],
  ['bare-lf', 'GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n'],
  ['unknown-method', `BREW / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`],
  ['trace', `TRACE / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`],
  ['connect', `CONNECT {host} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`],
]

/** A head that never ends. */
export const SLOW_HEAD = `GET / HTTP/1.1\r\n${HOST}`
