// HTTP/2 by hand, for what no library lets one send: frames of any kind in any order, header blocks of any bytes.

import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Running } from './harness.ts'

// RFC 9113, section 6.
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const END_STREAM = 0x1
const ACK = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8

/** Names and values, each a string of single bytes. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** RFC 9113, section 4.1. */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** A number as a payload of four octets. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A header block of literals without indexing and without Huffman (RFC 7541, section 6.2.2). */
export function block(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

/** RFC 7541, sections 5.1 and 5.2. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

/** A whole HEADERS frame. */
export function headers(stream: number, fields: Fields, flags = END_STREAM): Buffer {
  return frame(TYPE.headers, flags | END_HEADERS, stream, block(fields))
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
// No dynamic table for the server's answers, so that their status can be read without one.
const NO_TABLE = Buffer.from([0, 1, 0, 0, 0, 0])

/** What came back, so far. */
export interface Seen {
  /** The status of each stream's answer. */
  readonly statuses: ReadonlyMap<number, number>
  /** Streams that ended, with the code of their reset, or 0. */
  readonly ended: ReadonlyMap<number, number>
  /** The code of a GOAWAY, where one came. */
  readonly goaway: number | undefined
  readonly isClosed: boolean
  /** How many frames of each type. */
  readonly counts: ReadonlyMap<number, number>
}

/** A connection that has said its preface. */
export interface RawHttp2 {
  readonly socket: TLSSocket
  readonly seen: Seen
  send(...frames: readonly Buffer[]): void
  /** Resolves when what was seen is enough, or the connection is closed. */
  until(isEnough: (seen: Seen) => boolean): Promise<Seen>
}

/** Opens a connection. */
export async function rawHttp2(
  running: Pick<Running, 'port' | 'ca'>,
  localAddress?: string,
): Promise<RawHttp2> {
  const socket = tlsConnect({
    port: running.port,
    host: '127.0.0.1',
    ca: running.ca,
    servername: 'sallyport.localhost',
    ALPNProtocols: ['h2'],
    ...(localAddress === undefined ? {} : { localAddress }),
  })
  const statuses = new Map<number, number>()
  const ended = new Map<number, number>()
  const counts = new Map<number, number>()
  const seen = { statuses, ended, counts, goaway: undefined as number | undefined, isClosed: false }
  let waiting: (() => void)[] = []
  const tell = () => {
    for (const check of waiting) check()
  }
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3)
      take(rest[3]!, rest[4]!, rest.readUInt32BE(5), rest.subarray(9, 9 + length))
      rest = rest.subarray(9 + length)
    }
    tell()
  })

  function take(type: number, flags: number, stream: number, payload: Buffer): void {
    counts.set(type, (counts.get(type) ?? 0) + 1)
    if (type === TYPE.headers && !statuses.has(stream)) statuses.set(stream, statusOf(payload))
    if (type === TYPE.reset) ended.set(stream, payload.readUInt32BE(0))
    if ((type === TYPE.headers || type === TYPE.data) && (flags & END_STREAM) !== 0) ended.set(stream, 0)
    if (type === TYPE.goaway) seen.goaway = payload.readUInt32BE(4)
    if (type === TYPE.settings && (flags & ACK) === 0) socket.write(frame(TYPE.settings, ACK, 0))
  }

  socket.on('error', () => {})
  socket.on('close', () => {
    seen.isClosed = true
    tell()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('close', () => reject(new Error('closed in the handshake')))
  })
  socket.write(PREFACE)
  socket.write(frame(TYPE.settings, 0, 0, NO_TABLE))
  return {
    socket,
    seen,
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    until: (isEnough) =>
      new Promise((resolve) => {
        const check = () => {
          if (!seen.isClosed && !isEnough(seen)) return
          waiting = waiting.filter((other) => other !== check)
          resolve(seen)
        }
        waiting.push(check)
        check()
      }),
  }
}

const INDEXED: Readonly<Record<number, number>> = {
  8: 200,
  9: 204,
  10: 206,
  11: 304,
  12: 400,
  13: 404,
  14: 500,
}

// The first field of a block is the status: from the static table, or a literal of digits (RFC 7541, appendix B).
function statusOf(payload: Buffer): number {
  let at = 0
  while ((payload[at]! & 0xe0) === 0x20) at++
  const first = payload[at]!
  if ((first & 0x80) !== 0) return INDEXED[first & 0x7f] ?? 0
  const length = payload[at + 1]!
  const bytes = payload.subarray(at + 2, at + 2 + (length & 0x7f))
  if ((length & 0x80) === 0) return Number(bytes.toString('latin1'))
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  let digits = ''
  for (let i = 0; digits.length < 3; ) {
    const short = Number.parseInt(bits.slice(i, i + 5), 2)
    if (short <= 2) {
      digits += short
      i += 5
    } else {
      digits += Number.parseInt(bits.slice(i, i + 6), 2) - 22
      i += 6
    }
  }
  return Number(digits)
}
