// Writes bytes on a fresh connection and reads the answer as it came, since clients hide what these tests look for.

import { connect } from 'node:net'

/** An answer as it stood on the wire. */
export interface WireAnswer {
  /** 0 where the connection was closed without an answer. */
  readonly status: number
  /** Names in small letters, in order, each line its own. */
  readonly lines: readonly (readonly [name: string, value: string])[]
  /** All after the head, transfer coding included. */
  readonly body: string
}

/** The values of a header's lines. */
export function valuesOf(answer: WireAnswer, name: string): readonly string[] {
  return answer.lines.filter(([line]) => line === name).map(([, value]) => value)
}

/** A whole request that asks for the connection to be closed. */
export function requestBytes(
  method: string,
  path: string,
  headers: readonly string[] = [],
  body = '',
): string {
  const lines = headers.some((line) => /^host:/i.test(line)) ? headers : ['Host: api.example', ...headers]
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  return `${[`${method} ${path} HTTP/1.1`, ...lines, ...length, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`
}

/** Sends the bytes and reads until the other side closes, or until `until` is satisfied by what came. */
export function send(
  port: number,
  bytes: string,
  until: (received: string) => boolean = () => false,
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      received += chunk
      if (until(received)) socket.destroy()
    })
    // A reset after the answer is how some hosts close; before it, it is an answer of no bytes.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(parse(received)))
  })
}

function parse(received: string): WireAnswer {
  const end = received.indexOf('\r\n\r\n')
  const [first = '', ...rest] = received.slice(0, end < 0 ? undefined : end).split('\r\n')
  const lines = rest.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(first)?.[1] ?? 0)
  // An interim answer is followed by the one that counts (RFC 9110, section 15.2).
  if (status >= 100 && status < 200 && status !== 101 && end >= 0) return parse(received.slice(end + 4))
  return { status, lines, body: end < 0 ? '' : received.slice(end + 4) }
}
