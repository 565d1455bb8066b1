// Fields: RFC 9113, sections 8.2 and 8.1. They become the lines and the framing of HTTP/1.1.

import {
  block,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  headers,
  PADDED,
  TYPE,
  word,
} from '../http2-frames.ts'
import { type DowngradeCase, get, post, pseudo, REFUSE, trailing } from './case.ts'

type Row = readonly [name: string, frames: readonly Buffer[], source: string]

const one = (name: string, value: string): Fields => [[name, value]]
const length = (...values: readonly string[]): Fields =>
  values.map((value) => ['content-length', value] as const)
const half = (code: number, size: number): Buffer[] => [
  headers(1, pseudo({ ':method': 'POST' }), 0),
  ...Array.from({ length: size / 16_000 }, () => frame(TYPE.data, 0, 1, 'x'.repeat(16_000))),
  frame(TYPE.reset, 0, 1, word(code)),
]

const refused: readonly Row[] = [
  [
    'transfer-encoding: chunked',
    post(one('transfer-encoding', 'chunked'), '0\r\n\r\nGET /evil HTTP/1.1\r\nx: y'),
    'CVE-2020-11080, Kettle 2021 (H2.TE)',
  ],
  ['transfer-encoding: identity', post(one('transfer-encoding', 'identity'), 'body'), '8.2.2'],
  ['transfer-encoding without a body', get(one('transfer-encoding', 'chunked')), '8.2.2'],
  ['connection: close', get(one('connection', 'close')), '8.2.2'],
  ['connection: transfer-encoding', get(one('connection', 'transfer-encoding')), '8.2.2'],
  ['keep-alive', get(one('keep-alive', 'timeout=5')), '8.2.2'],
  ['proxy-connection', get(one('proxy-connection', 'keep-alive')), '8.2.2'],
  ['upgrade: websocket', get(one('upgrade', 'websocket')), '8.2.2'],
  ['upgrade: h2c', get(one('upgrade', 'h2c')), '8.2.2'],
  ['http2-settings', get(one('http2-settings', 'AAMAAABkAAQAAP__')), 'RFC 9113 3.1'],
  ['te: gzip', get(one('te', 'gzip')), '8.2.2'],
  ['te: trailers, chunked', get(one('te', 'trailers, chunked')), '8.2.2'],
  ['a length of 0 with a body', post(length('0'), 'GET /evil HTTP/1.1\r\nx: y'), 'Kettle 2021 (H2.CL)'],
  [
    'a length shorter than the body',
    post(length('3'), 'abcGET /evil HTTP/1.1\r\nx: y'),
    'Kettle 2021 (H2.CL)',
  ],
  ['a length longer than the body', post(length('100'), 'body'), '8.1.1'],
  ['a length with nothing after it', get(length('5')), '8.1.1'],
  ['two lengths that agree', post(length('4', '4'), 'body'), 'RFC 9110 8.6'],
  ['two lengths that differ', post(length('4', '0'), 'body'), 'RFC 9110 8.6'],
  ['a list of lengths', post(length('4, 4'), 'body'), 'RFC 9110 8.6'],
  ['a negative length', post(length('-4'), 'body'), 'RFC 9110 8.6'],
  ['a length with a sign', post(length('+4'), 'body'), 'RFC 9110 8.6'],
  ['a hexadecimal length', post(length('0x4'), 'body'), 'RFC 9110 8.6'],
  ['a length with a leading zero', post(length('04'), 'body'), 'RFC 9110 8.6'],
  ['an empty length', post(length(''), 'body'), 'RFC 9110 8.6'],
  ['a length out of range', post(length('99999999999999999999'), 'body'), 'RFC 9110 8.6'],
  ['a space before a value', get(one('x-a', ' x-admin')), '8.2.1'],
  ['a space after a value', get(one('x-a', 'x-admin ')), '8.2.1'],
  ['a tab before a value', get(one('x-a', '\tx-admin')), '8.2.1'],
  ['a tab after a value', get(one('x-a', 'x-admin\t')), '8.2.1'],
  ['a value that is a space', get(one('x-admin', ' ')), '8.2.1'],
  ['a space before a length', post(length(' 4'), 'body'), '8.2.1'],
  ['a space after te', get(one('te', 'trailers ')), '8.2.1'],
  ['a space after the path', get([], { ':path': '/case ' }), '8.2.1'],
  ['a space before the authority', get([], { ':authority': ' api.example.com' }), '8.2.1'],
  ['a name in capitals', get(one('X-Admin', 'yes')), '8.2.1'],
  ['a framing name in capitals', post(one('Transfer-Encoding', 'chunked'), 'body'), '8.2.1'],
  ['an expectation that hides another', post(one('expect', 'y 100-continue'), 'body'), 'Kettle 2025'],
  [
    'two authorizations',
    get([
      ['authorization', 'a'],
      ['authorization', 'b'],
    ]),
    'RFC 9110 11.6.2',
  ],
  [
    'two content types',
    post(
      [
        ['content-type', 'a/b'],
        ['content-type', 'c/d'],
      ],
      'body',
    ),
    'RFC 9110 8.3',
  ],
  ['trailers with a pseudo-field', trailing([[':path', '/evil']]), '8.1'],
  ['trailers with a framing field', trailing([['transfer-encoding', 'chunked']]), '8.2.2'],
  ['trailers that do not end the request', trailing([['x-admin', 'yes']], 0), '8.1'],
  ['half a small body, reset without an error', half(0, 16_000), '8.1'],
  ['half a small body, cancelled', half(8, 16_000), '8.1'],
  [
    'a body on a stream that has none',
    [...get([]), frame(TYPE.data, END_STREAM, 3, 'GET /evil HTTP/1.1\r\n\r\n')].slice(1),
    '5.1',
  ],
  [
    'more padding than payload',
    [headers(1, pseudo({ ':method': 'POST' }), 0), frame(TYPE.data, END_STREAM | PADDED, 1, '\x10body')],
    '6.1',
  ],
  ['an even stream', [headers(2, pseudo())], '5.1.1'],
  [
    'a header block that is cut by another frame',
    [frame(TYPE.headers, END_STREAM, 1, block(pseudo())), frame(TYPE.ping, 0, 0, '12345678')],
    '6.10',
  ],
  [
    'a header block that is no HPACK',
    [frame(TYPE.headers, END_STREAM | END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))],
    'RFC 7541 5.1',
  ],
]

const ADMIN = /x-admin|evil/i

const stripped: readonly Row[] = [
  ['a line in a value', get(one('x-a', 'b\r\nx-admin: yes')), '8.2.1'],
  ['a request in a value', get(one('x-a', 'b\r\n\r\nGET /evil HTTP/1.1\r\nx: y')), '8.2.1'],
  ['a line feed in a value', get(one('x-a', 'b\nx-admin: yes')), '8.2.1'],
  ['a carriage return in a value', get(one('x-a', 'b\rx-admin: yes')), '8.2.1'],
  ['a NUL in a value', get(one('x-a', 'x-admin\0')), '8.2.1'],
  ['a line in a name', get(one('x-a: b\r\nx-admin', 'yes')), '8.2.1'],
  ['a space in a name', get(one('x-admin ', 'yes')), '8.2.1'],
  ['a colon in a name', get(one('x-admin: a', 'yes')), '8.2.1'],
  ['a control character in a name', get(one('x-admin\x01', 'yes')), '8.2.1'],
  ['a byte over 127 in a name', get(one('x-admin\xff', 'yes')), '8.2.1'],
  ['an empty name', get(one('', 'x-admin')), '8.2.1'],
  ['a line in a cookie', get(one('cookie', 'a=1\r\nx-admin: yes')), '8.2.3'],
  ['a line in a host', get(one('host', 'api.example.com\r\nx-admin: yes')), '8.3.1'],
  ['a space in a framing name', post(one('transfer-encoding ', 'chunked, x-admin'), 'body'), '8.2.1'],
]

export const fieldCases: readonly DowngradeCase[] = [
  ...refused.map(([name, frames, source]): DowngradeCase => ({ name, frames, source, expected: REFUSE })),
  ...stripped.map(
    ([name, frames, source]): DowngradeCase => ({
      name,
      frames,
      source,
      expected: { kind: 'strip', absent: ADMIN },
    }),
  ),
  {
    name: 'a body of known length',
    frames: post(length('4'), 'body'),
    source: '8.1.1',
    expected: {
      kind: 'pass',
      line: 'POST /case',
      present: [/^content-length: 4\r$/im, /\r\n\r\nbody$/],
      absent: /chunked/i,
    },
  },
  {
    name: 'a body of unknown length that looks like a request',
    frames: post([], '0\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
    source: '8.1',
    expected: { kind: 'pass', line: 'POST /case', present: [/^transfer-encoding: chunked\r$/im] },
  },
  {
    name: 'a body for GET',
    frames: post([], 'GET /evil HTTP/1.1\r\nHost: evil.example\r\n\r\n', 'GET'),
    source: '8.1',
    expected: { kind: 'pass', line: 'GET /case', present: [/^transfer-encoding: chunked\r$/im] },
  },
  {
    name: 'padding and empty frames',
    frames: [
      headers(1, [...pseudo({ ':method': 'POST' }), ['content-length', '4']], 0),
      frame(TYPE.data, 0, 1),
      frame(TYPE.data, PADDED, 1, '\x03bo\0\0\0'),
      frame(TYPE.data, 0, 1, 'dy'),
      frame(TYPE.data, END_STREAM, 1),
    ],
    source: '6.1',
    expected: { kind: 'pass', line: 'POST /case', present: [/\r\n\r\nbody$/] },
  },
  {
    name: 'cookies in crumbs',
    frames: get([
      ['cookie', 'a=1'],
      ['x-between', 'c'],
      ['cookie', 'b=2; c=3'],
    ]),
    source: '8.2.3',
    expected: {
      kind: 'pass',
      line: 'GET /case',
      present: [/^cookie: a=1; b=2; c=3\r$/im],
      absent: /cookie.*cookie/is,
    },
  },
  {
    name: 'te: trailers',
    frames: get(one('te', 'trailers')),
    source: '8.2.2',
    expected: { kind: 'pass', line: 'GET /case', absent: /^te:/im },
  },
  {
    name: 'aliases of names that say who calls',
    frames: get([
      ['x_forwarded_for', 'evil'],
      ['x-forwarded-for', 'evil'],
      ['content_length', 'evil'],
      ['x-original-url', '/evil'],
    ]),
    source: 'CVE-2025-64484',
    expected: { kind: 'pass', line: 'GET /case', absent: /evil|_/i },
  },
  {
    name: 'trailers with a field of their own',
    frames: trailing([
      ['x-admin', 'yes'],
      ['authorization', 'evil'],
      ['content_length', '0'],
    ]),
    source: '8.1',
    expected: { kind: 'pass', line: 'POST /case', absent: ADMIN },
  },
  {
    name: 'a header block in many pieces',
    frames: [
      frame(TYPE.headers, END_STREAM, 1, block(pseudo()).subarray(0, 7)),
      frame(TYPE.continuation, 0, 1, block(pseudo()).subarray(7, 20)),
      frame(
        TYPE.continuation,
        END_HEADERS,
        1,
        Buffer.concat([block(pseudo()).subarray(20), block(one('x-last', 'yes'))]),
      ),
    ],
    source: '6.10',
    expected: { kind: 'pass', line: 'GET /case', present: [/^x-last: yes\r$/im] },
  },
]
