// Pseudo-fields: RFC 9113, sections 8.3 and 8.5. They become the request line and the Host of HTTP/1.1.

import { block, END_STREAM, frame, headers, TYPE } from '../http2-frames.ts'
import { type DowngradeCase, get, pseudo, REFUSE } from './case.ts'

const SMUGGLED = ' HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /evil'

type Row = readonly [name: string, frames: readonly Buffer[], source: string]

const refused: readonly Row[] = [
  ['no method', get([], { ':method': undefined }), '8.3.1'],
  ['no scheme', get([], { ':scheme': undefined }), '8.3.1'],
  ['no path', get([], { ':path': undefined }), '8.3.1'],
  ['no authority and no host', get([], { ':authority': undefined }), '8.3.1'],
  ['two methods', [headers(1, [[':method', 'POST'], ...pseudo()])], '8.3'],
  ['two paths', [headers(1, [[':path', '/evil'], ...pseudo()])], '8.3'],
  ['two schemes', [headers(1, [[':scheme', 'https'], ...pseudo()])], '8.3'],
  ['two authorities', [headers(1, [[':authority', 'evil.example'], ...pseudo()])], '8.3'],
  ['a pseudo-field after a field', [headers(1, [['x-a', 'b'], ...pseudo()])], '8.3'],
  ['an unknown pseudo-field', [headers(1, [...pseudo(), [':evil', 'b']])], '8.3'],
  ['a pseudo-field of answers', [headers(1, [...pseudo(), [':status', '200']])], '8.3'],
  [
    'a pseudo-field in capitals',
    [headers(1, [...pseudo({ ':path': undefined }), [':Path', '/case']])],
    '8.2.1',
  ],
  ['an empty path', get([], { ':path': '' }), '8.3.1'],
  ['a path without a slash', get([], { ':path': 'admin' }), '8.3.1'],
  [
    'a path that begins with @',
    get([], { ':path': '@evil.example/' }),
    'Kettle, HTTP/2: the sequel is always worse',
  ],
  ['an absolute path', get([], { ':path': 'https://api.example.com/case' }), '8.3.1'],
  ['a path of another scheme', get([], { ':path': 'admin', ':scheme': 'ftp' }), '8.3.1'],
  ['an asterisk for GET', get([], { ':path': '*' }), '8.3.1'],
  ['an asterisk for OPTIONS', get([], { ':path': '*', ':method': 'OPTIONS' }), 'RFC 9110 7.1'],
  ['a request line in the path', get([], { ':path': `/case${SMUGGLED}` }), 'CVE-2021-21295'],
  ['a space in the path', get([], { ':path': '/case x' }), '8.3.1'],
  ['a tab in the path', get([], { ':path': '/case\tx' }), '8.3.1'],
  ['a line feed in the path', get([], { ':path': '/case\nx' }), '8.2.1'],
  ['a NUL in the path', get([], { ':path': '/case\0' }), '8.2.1'],
  ['a fragment in the path', get([], { ':path': '/case#x' }), '8.3.1'],
  ['a byte over 127 in the path', get([], { ':path': '/case\xff' }), 'RFC 3986 2'],
  ['a backslash in the path', get([], { ':path': '/a\\..\\case' }), 'RFC 3986 2'],
  ['dot segments', get([], { ':path': '/a/../case' }), 'RFC 3986 5.2.4'],
  [
    'a request line in the method',
    get([], { ':method': 'GET /evil HTTP/1.1\r\nx: y\r\n\r\nGET' }),
    'CVE-2021-33193',
  ],
  ['a space in the method', get([], { ':method': 'GET /evil' }), 'CVE-2021-33193'],
  ['an empty method', get([], { ':method': '' }), '8.3.1'],
  ['a method in small letters', get([], { ':method': 'get' }), 'RFC 9110 9.1'],
  ['TRACE', get([], { ':method': 'TRACE' }), 'RFC 9110 9.3.8'],
  ['PRI', get([], { ':method': 'PRI' }), '3.4'],
  ['CONNECT', get([], { ':method': 'CONNECT', ':scheme': undefined, ':path': undefined }), '8.5'],
  [
    'CONNECT with a body that is a request',
    [
      headers(1, pseudo({ ':method': 'CONNECT', ':scheme': undefined, ':path': undefined }), 0),
      frame(TYPE.data, END_STREAM, 1, 'GET /evil HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
    ],
    'Traefik 3.6.23',
  ],
  ['CONNECT with a path', get([], { ':method': 'CONNECT' }), '8.5'],
  ['an extended CONNECT', get([[':protocol', 'websocket']], { ':method': 'CONNECT' }), 'RFC 8441 4'],
  ['a protocol without CONNECT', [headers(1, [...pseudo(), [':protocol', 'websocket']])], 'RFC 8441 4'],
  ['plain HTTP as the scheme', get([], { ':scheme': 'http' }), '8.3.1'],
  ['another scheme', get([], { ':scheme': 'ws' }), '8.3.1'],
  ['a URL as the scheme', get([], { ':scheme': 'https://evil.example/?' }), 'Kettle 2021'],
  ['a line in the scheme', get([], { ':scheme': 'https\r\nx-admin: yes' }), '8.2.1'],
  ['an empty authority', get([], { ':authority': '' }), '8.3.1'],
  ['a user in the authority', get([], { ':authority': 'api.example.com@evil.example' }), '8.3.1'],
  ['a path in the authority', get([], { ':authority': 'api.example.com/evil' }), '8.3.1'],
  ['a port out of range in the authority', get([], { ':authority': 'api.example.com:99999' }), '8.3.1'],
  ['a line in the authority', get([], { ':authority': 'a.example\r\nx-admin: yes' }), 'CVE-2019-16276'],
  ['another host than the authority', get([['host', 'evil.example']]), '8.3.1'],
  [
    'two hosts',
    get([
      ['host', 'api.example.com'],
      ['host', 'api.example.com'],
    ]),
    'RFC 9112 3.2',
  ],
  [
    'two hosts and no authority',
    get(
      [
        ['host', 'a.example'],
        ['host', 'b.example'],
      ],
      { ':authority': undefined },
    ),
    'RFC 9112 3.2',
  ],
  ['a host that is none', get([['host', 'a b']], { ':authority': undefined }), 'RFC 9112 3.2'],
  ['an empty header block', [frame(TYPE.headers, END_STREAM | 0x4, 1, block([]))], '8.3.1'],
]

export const pseudoCases: readonly DowngradeCase[] = [
  ...refused.map(([name, frames, source]): DowngradeCase => ({ name, frames, source, expected: REFUSE })),
  {
    name: 'a host instead of the authority',
    frames: get([['host', 'api.example.com']], { ':authority': undefined }),
    source: '8.3.1',
    expected: { kind: 'pass', line: 'GET /case', present: [/^x-forwarded-host: api\.example\.com\r$/im] },
  },
  {
    name: 'a host equal to the authority in other letters',
    frames: get([['host', 'API.example.com']]),
    source: 'RFC 9110 4.2.3',
    expected: { kind: 'pass', line: 'GET /case', absent: /^:/m },
  },
  {
    name: 'an ordinary request',
    frames: get([['accept', '*/*']], { ':path': '/case?a=b' }),
    source: '8.3.1',
    expected: {
      kind: 'pass',
      line: 'GET /case?a=b',
      present: [/^accept: \*\/\*\r$/im],
      absent: /^:|chunked/m,
    },
  },
]
