// Reads answers byte by byte from a socket: what a caller really gets, parser errors and half-open streams included.

import { connect, type Socket } from 'node:net'

/** An answer, with its header lines as they were sent. */
export interface Answer {
  readonly status: number
  readonly lines: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** Every value of a header, in order. */
  all(name: string): readonly string[]
  /** The one value of a header; throws where it stands twice. */
  get(name: string): string | undefined
}

/** What to send; `Host` and `Connection: close` are added. */
export interface Call {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends one request on a connection of its own and reads the answer to its end. */
export function send(port: number, call: Call): Promise<Answer> {
  return exchange(port, bytesOf(call))
}

/** Sends bytes and reads what comes back until the connection ends. */
export async function exchange(port: number, bytes: string): Promise<Answer> {
  const socket = open(port)
  socket.write(bytes, 'latin1')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return parse(Buffer.concat(chunks).toString('latin1'))
}

/** A stream: its head, then its text as far as it has come. */
export async function openStream(
  port: number,
  call: Call,
): Promise<{ readonly head: Answer; until(text: string): Promise<string>; close(): void }> {
  const socket = open(port)
  socket.write(bytesOf(call), 'latin1')
  let received = ''
  const until = async (text: string, from = 0): Promise<string> => {
    while (received.indexOf(text, from) < 0) {
      const ended = await new Promise<boolean>((resolve) => {
        socket.once('data', (chunk: Buffer) => {
          received += chunk.toString('latin1')
          resolve(false)
        })
        socket.once('close', () => resolve(true))
      })
      if (ended) throw new Error(`the stream ended before ${JSON.stringify(text)}: ${received}`)
    }
    return received
  }
  const head = parse(await until('\r\n\r\n'))
  return { head, until: (text) => until(text, received.indexOf('\r\n\r\n')), close: () => socket.destroy() }
}

function open(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' })
  // A peer that refuses a request may reset the connection behind its answer; the answer is what counts.
  socket.on('error', () => {})
  return socket
}

function bytesOf({ method = 'GET', path, headers = {}, body }: Call): string {
  const lines = Object.entries({
    Host: 'api.driftstack.example',
    Connection: 'close',
    ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  })
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body ?? ''}`
}

function parse(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...rest] = text.slice(0, end < 0 ? undefined : end).split('\r\n')
  const lines = rest.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  const all = (name: string) =>
    lines.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  return {
    status: Number(statusLine.split(' ')[1]),
    lines,
    body: end < 0 ? '' : text.slice(end + 4),
    all,
    get(name) {
      const values = all(name)
      if (values.length > 1) throw new Error(`${name} stands ${values.length} times`)
      return values[0]
    },
  }
}
