// Attacks on the cost of an HTTP/2 connection: each is bytes without end, in as many rounds as one likes.

import { block, END_HEADERS, END_STREAM, frame, headers, TYPE, text, word } from '../http2-frames.ts'
import { pseudo } from './case.ts'

export interface Attack {
  readonly name: string
  readonly source: string
  /** Rounds in a full run. */
  readonly rounds: number
  /** What comes before the rounds. */
  readonly before?: readonly Buffer[]
  round(index: number): readonly Buffer[]
  /** True where the connection must be closed; else it is enough that it costs little. */
  readonly isClosed: boolean
}

// Streams of a client are odd (RFC 9113, section 5.1.1).
const stream = (index: number): number => index * 2 + 1
const OPEN = headers(1, pseudo({ ':method': 'POST' }), 0)
const CANCEL = word(8)

// One entry of nearly the whole dynamic table, and then references to it (RFC 7541, section 6.1): index 62.
const BOMB_ENTRY = Buffer.concat([Buffer.from([0x40]), text('x-bomb'), text('b'.repeat(3_900))])

export const ATTACKS: readonly Attack[] = [
  {
    name: 'rapid reset',
    source: 'CVE-2023-44487',
    rounds: 50_000,
    round: (index) => [headers(stream(index), pseudo()), frame(TYPE.reset, 0, stream(index), CANCEL)],
    isClosed: true,
  },
  {
    name: 'rapid reset of uploads',
    source: 'CVE-2023-44487',
    rounds: 50_000,
    round: (index) => [
      headers(stream(index), pseudo({ ':method': 'POST' }), 0),
      frame(TYPE.reset, 0, stream(index), CANCEL),
    ],
    isClosed: true,
  },
  {
    name: 'resets that the server is made to send: a window of nothing more',
    source: 'CVE-2025-8671',
    rounds: 50_000,
    round: (index) => [headers(stream(index), pseudo()), frame(TYPE.windowUpdate, 0, stream(index), word(0))],
    isClosed: true,
  },
  {
    name: 'resets that the server is made to send: a window out of range',
    source: 'CVE-2025-8671',
    rounds: 50_000,
    round: (index) => [
      headers(stream(index), pseudo()),
      frame(TYPE.windowUpdate, 0, stream(index), word(0x7f_ff_ff_ff)),
    ],
    isClosed: true,
  },
  {
    name: 'resets that the server is made to send: fields that are none',
    source: 'CVE-2025-8671',
    rounds: 50_000,
    round: (index) => [headers(stream(index), [...pseudo(), ['connection', 'close']])],
    isClosed: true,
  },
  {
    name: 'CONTINUATION without end',
    source: 'CVE-2024-27316',
    rounds: 50_000,
    before: [frame(TYPE.headers, END_STREAM, 1, block(pseudo()))],
    round: (index) => [frame(TYPE.continuation, 0, 1, block([[`x-${index}`, 'a']]))],
    isClosed: true,
  },
  {
    name: 'empty CONTINUATION without end',
    source: 'CVE-2019-9518',
    rounds: 50_000,
    before: [frame(TYPE.headers, END_STREAM, 1, block(pseudo()))],
    round: () => [frame(TYPE.continuation, 0, 1)],
    isClosed: true,
  },
  {
    name: 'SETTINGS',
    source: 'CVE-2019-9515',
    rounds: 50_000,
    round: () => [frame(TYPE.settings, 0, 0)],
    isClosed: true,
  },
  {
    name: 'PING',
    source: 'CVE-2019-9512',
    rounds: 50_000,
    round: () => [frame(TYPE.ping, 0, 0, '12345678')],
    isClosed: false,
  },
  {
    name: 'PRIORITY',
    source: 'CVE-2019-9513',
    rounds: 50_000,
    round: (index) => [frame(TYPE.priority, 0, stream(index % 1_000), Buffer.from([0, 0, 0, 0, 16]))],
    isClosed: false,
  },
  {
    name: 'frames of no known type',
    source: 'RFC 9113 10.5',
    rounds: 50_000,
    round: () => [frame(0xbb, 0, 0, 'unknown')],
    isClosed: false,
  },
  {
    name: 'empty DATA',
    source: 'CVE-2019-9518',
    rounds: 50_000,
    before: [OPEN],
    round: () => [frame(TYPE.data, 0, 1)],
    isClosed: false,
  },
  {
    name: 'small WINDOW_UPDATEs',
    source: 'RFC 9113 10.5',
    rounds: 50_000,
    before: [OPEN],
    round: () => [frame(TYPE.windowUpdate, 0, 1, word(1))],
    isClosed: false,
  },
  {
    name: 'an HPACK bomb',
    source: 'CVE-2016-6581',
    rounds: 5_000,
    before: [headers(1, pseudo())].concat(
      frame(TYPE.headers, END_STREAM | END_HEADERS, 3, Buffer.concat([block(pseudo()), BOMB_ENTRY])),
    ),
    round: (index) => [
      frame(
        TYPE.headers,
        END_STREAM | END_HEADERS,
        stream(index + 2),
        Buffer.concat([block(pseudo()), Buffer.alloc(4_000, 0x80 | 62)]),
      ),
    ],
    isClosed: false,
  },
  {
    name: 'heads over the limit',
    source: 'RFC 9113 10.5.1',
    rounds: 5_000,
    round: (index) => [
      frame(TYPE.headers, END_STREAM, stream(index), block(pseudo())),
      frame(TYPE.continuation, 0, stream(index), block([['x-large', 'a'.repeat(15_000)]])),
      frame(TYPE.continuation, END_HEADERS, stream(index), block([['x-large', 'a'.repeat(15_000)]])),
    ],
    isClosed: false,
  },
  {
    name: 'streams over the limit, never ended',
    source: 'RFC 9113 5.1.2',
    rounds: 50_000,
    round: (index) => [headers(stream(index), pseudo({ ':method': 'POST' }), 0)],
    isClosed: true,
  },
  {
    name: 'requests by the thousand whose answers nobody reads',
    source: 'CVE-2019-9517',
    rounds: 5_000,
    before: [frame(TYPE.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]))],
    round: (index) => [headers(stream(index), pseudo({ ':path': '/large' }))],
    isClosed: true,
  },
]
