// What proves `request`: hostile requests, byte by byte, and the status that each must meet.

import type { Resolved } from '../../guard/cell.ts'
import type { Finding, Observation, Probe } from '../../guard/control.ts'
import { samplePath } from '../faces.ts'
import { type RequestSetting, requestDefaults } from './setting.ts'

// In raw requests "{host}" stands for the host and port that are probed.
const HOST = 'Host: {host}\r\n'
const CLOSE = 'Connection: close\r\n'

export function probeRequest(cells: readonly Resolved<RequestSetting>[]): readonly Probe[] {
  const probes: Probe[] = []
  const fallback = cells.at(-2)
  const strict = cells.at(-1)
  if (fallback && enforced(fallback)) {
    const add = (id: string, title: string, raw: string, statuses: readonly number[]) =>
      probes.push(probe(id, title, '*', raw, statuses))
    add(
      'duplicate-host',
      'two Host lines are refused',
      `GET / HTTP/1.1\r\n${HOST}Host: other.invalid\r\n${CLOSE}\r\n`,
      [400],
    )
    add('missing-host', 'a request without Host is refused', `GET / HTTP/1.1\r\n${CLOSE}\r\n`, [400])
    add(
      'duplicate-authorization',
      'two Authorization lines are refused',
      `GET / HTTP/1.1\r\n${HOST}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n${CLOSE}\r\n`,
      [400],
    )
    add(
      'length-and-chunked',
      'Content-Length beside Transfer-Encoding is refused',
      `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n0\r\n\r\n`,
      [400],
    )
    add(
      'coding-list',
      'a transfer coding besides chunked is refused',
      `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n${CLOSE}\r\n0\r\n\r\n`,
      [400, 501],
    )
    add(
      'nominated-header',
      'Connection may not name other headers',
      `GET / HTTP/1.1\r\n${HOST}Connection: close, authorization\r\n\r\n`,
      [400],
    )
    for (const [id, title, line] of MALFORMED)
      add(id, title, `GET / HTTP/1.1\r\n${HOST}${line}\r\n${CLOSE}\r\n`, [400])
    // Some parsers refuse it before the policy can; 501 and 400 say as well that nothing is echoed.
    add('trace', 'TRACE is refused', `TRACE / HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, [405, 501, 400])
    if (fallback.setting.webSocket !== true) probes.push(NO_WEBSOCKET)
    const { maxTargetBytes = requestDefaults.maxTargetBytes } = fallback.setting
    add(
      'long-target',
      `a target of more than ${maxTargetBytes} bytes is refused`,
      `GET /${'a'.repeat(maxTargetBytes)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      [414, 431],
    )
  }
  if (strict && enforced(strict) && strict.setting.nonCanonical === 'refuse') {
    for (const [id, path] of [
      ['dot-segment', '/v1/../'],
      ['encoded-separator', '/v1%2Faccount'],
      ['empty-segment', '//v1'],
    ] as const)
      probes.push(
        probe(
          `path-${id}`,
          `the path ${path} is refused`,
          '!',
          `GET ${path} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
          [400],
        ),
      )
  }
  for (const resolved of cells) {
    const { cell, setting } = resolved
    if (cell.origin === 'strict' || setting.maxBodyBytes === undefined || !enforced(resolved)) continue
    // The declared length alone is refused: nothing of the body is sent. RFC 9110, section 10.1.1: with Expect a
    // server that takes the length would ask for the body first.
    const method = cell.method ?? 'POST'
    probes.push(
      probe(
        `body-size ${cell.id}`,
        `a body of more than ${setting.maxBodyBytes} bytes is refused`,
        cell.id,
        `${method} ${samplePath(cell.path)} HTTP/1.1\r\n${HOST}Content-Length: ${setting.maxBodyBytes + 1}\r\nExpect: 100-continue\r\n${CLOSE}\r\n`,
        [413],
      ),
    )
  }
  return probes
}

// RFC 9112: sections 6.3 (lengths), 5.1 (no space before the colon), 5.5 of RFC 9110 (no NUL in a value).
const MALFORMED = [
  ['two-lengths', 'two lengths are refused', 'Content-Length: 1\r\nContent-Length: 2'],
  ['signed-length', 'a length that is no number is refused', 'Content-Length: +1'],
  ['space-before-colon', 'a space before the colon is refused', 'X-Sallyport-Probe : a'],
  ['nul', 'a NUL byte in a value is refused', 'X-Sallyport-Probe: a\0b'],
] as const

const NO_WEBSOCKET: Probe = {
  id: 'request/websocket',
  title: 'no WebSocket is opened where no route says so',
  cell: '*',
  request: {
    raw: `GET / HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  },
  expect: ({ status }) =>
    status === 101
      ? [
          {
            id: 'drift.request',
            detail: 'websocket: a WebSocket was opened',
            mend: 'refuse it, or declare it: request: { webSocket: true } for its route',
          },
        ]
      : [],
}

function enforced({ setting }: Resolved<RequestSetting>): boolean {
  return (setting.mode ?? 'enforce') === 'enforce'
}

function probe(id: string, title: string, cell: string, raw: string, statuses: readonly number[]): Probe {
  return {
    id: `request/${id}`,
    title,
    cell,
    request: { raw },
    expect: (seen: Observation): readonly Finding[] =>
      statuses.includes(seen.status)
        ? []
        : [
            {
              id: id === 'trace' ? 'method.trace' : 'drift.request',
              detail: `${id}: answered ${seen.status} instead of ${statuses[0]}`,
              mend: `refuse it with ${statuses[0]}`,
            },
          ],
  }
}
