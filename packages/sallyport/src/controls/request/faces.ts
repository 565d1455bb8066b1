// How `request` is described.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Place, Section } from '../../guard/control.ts'
import { METHODS } from '../../policy/pattern.ts'
import { sameForAll } from '../faces.ts'
import { NEVER_ALLOWED, nonCanonicalIn, type RequestSetting } from './setting.ts'

type Cells = readonly Resolved<RequestSetting>[]

const PATHS = {
  refuse: '400',
  strict: 'passes as private data, without CORS and without any exemption',
} as const

const FROM = 'by pages of this host and of the origins that CORS lists, by programs as they like'

const OPENED: Readonly<Record<Place, string>> = {
  gateway: `may be opened ${FROM}`,
  node: `the application's to open, ${FROM}`,
  fetch: `the application's to open, ${FROM}`,
}

const NOT_OPENED: Readonly<Record<Place, string>> = {
  gateway: 'not opened: the request is handed on as any other',
  node: "the application's to open or to refuse",
  fetch: "the application's to open or to refuse",
}

const LIMITS: Readonly<Record<Place, readonly string[]>> = {
  gateway: ['What is said in a WebSocket once it is open is not looked at.'],
  node: [
    'What the parser of node:http tidies before anyone can look is not seen: empty lines before a request, repeated spaces in its first line, "RTSP/1.0" read as 1.0, chunk extensions and trailers.',
    'The application reads the body: a head reaches it before a fault in the chunks behind it can be seen.',
  ],
  fetch: [
    'The host hides how a request was written: the version, repeated header lines, body framing and dot segments in the path are its duty.',
  ],
}

export function describeRequest(cells: Cells, place: Place): Section {
  const strict = cells.at(-1)!.setting
  const entries: Entry[] = [
    {
      name: 'Body framing',
      value: 'one plain Content-Length, or "Transfer-Encoding: chunked" in HTTP/1.1; never both',
      why: 'Two programs that disagree on where a request ends let a caller smuggle a second one (RFC 9112, section 11.2).',
      cells: [],
    },
    {
      name: 'Host',
      value:
        'exactly one, a host name or address with an optional port; a target with an authority must agree',
      why: 'Links, caches and routes are made from it.',
      cells: [],
    },
    {
      name: 'Headers that stand once',
      value:
        'Authorization, Content-Type, Content-Encoding, Cookie (HTTP/1), Origin, Sec-Fetch-Site, Expect, Access-Control-Request-Method',
      why: 'Some programs read the first line, others the last.',
      cells: [],
    },
    {
      name: 'Connection',
      value: 'close, keep-alive, upgrade, te; no upgrade to HTTP/2 in clear',
      why: 'Any other option would have a proxy remove the header that it names.',
      cells: [],
    },
    ...sameForAll(
      cells,
      'Methods',
      ({ methods = [] }) => `${[...METHODS, ...methods].join(', ')}; never ${NEVER_ALLOWED.join(', ')}`,
      'TRACE and TRACK echo credentials, CONNECT opens a tunnel.',
    ),
    {
      name: 'Paths that are not canonical',
      value: PATHS[nonCanonicalIn(strict, place)],
      why: 'Two programs may read such a path as two different ones.',
      cells: [],
    },
    ...sameForAll(
      cells,
      'WebSocket',
      ({ webSocket }) => (webSocket === true ? OPENED[place] : NOT_OPENED[place]),
      'Browsers let every page open one, with cookies; CORS does not hold for it.',
    ),
    ...sameForAll(
      cells,
      'Sizes',
      ({ maxTargetBytes, maxHeaderCount, maxHeaderBytes, maxBodyBytes }) =>
        `target ${maxTargetBytes} bytes, ${maxHeaderCount} header lines, head ${maxHeaderBytes} bytes, body ${
          maxBodyBytes === undefined ? 'without limit' : `${maxBodyBytes} bytes`
        }`,
      'A request may not take more memory than its purpose needs.',
    ),
  ]
  return {
    control: 'request',
    id: 'SP-REQUEST-01',
    title: 'Request form',
    entries,
    limits: LIMITS[place],
  }
}
