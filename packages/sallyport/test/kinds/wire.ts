// Raw HTTP over a socket: what is sent byte for byte, and what comes back line for line. No HTTP client stands between,
// since a client hides duplicates, and can't send what must be refused.

import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly reason: string
  /** Every line in order, names as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** What followed the head, chunk framing included. */
  readonly rest: string
}

export interface Where {
  readonly port: number
  /** `127.0.0.1` where nothing is said. */
  readonly host?: string
  readonly tls?: boolean
}

/**
 * Sends bytes on a fresh connection and reads until the other side closes.
 *
 * @param until stops reading early, once what has come satisfies it
 */
export function send(
  where: Where,
  bytes: string | readonly string[],
  until?: (read: string) => boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port: where.port, host: where.host ?? '127.0.0.1' }
    const socket = where.tls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options)
    let read = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      read += chunk
      if (until?.(read)) socket.destroy()
    })
    socket.on('error', (error: Error & { code?: string }) => {
      // A reset after the answer is a way of closing; before it, the answer was lost.
      if (error.code === 'ECONNRESET' && read !== '') resolve(read)
      else reject(error)
    })
    socket.on('close', () => resolve(read))
    for (const part of typeof bytes === 'string' ? [bytes] : bytes) socket.write(part, 'latin1')
  })
}

/** True once a whole head has come. */
export function headIsThere(read: string): boolean {
  return read.includes('\r\n\r\n')
}

/** Takes the first answer apart; interim answers (1xx) are passed over. */
export function parseAnswer(read: string): Answer {
  const end = read.indexOf('\r\n\r\n')
  if (end < 0) throw new Error(`no whole head came, but ${JSON.stringify(read.slice(0, 200))}`)
  const [statusLine = '', ...lines] = read.slice(0, end).split('\r\n')
  const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine)
  if (!match) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
  const rest = read.slice(end + 4)
  if (match[1]!.startsWith('1') && match[1] !== '101') return parseAnswer(rest)
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`not a header line: ${JSON.stringify(line)}`)
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  return { status: Number(match[1]), reason: match[2]!, headers, rest }
}

/** Every value of a header, in order. */
export function valuesOf(answer: Answer, name: string): string[] {
  return answer.headers.filter(([own]) => own.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

/** The body of an answer that came whole. */
export function bodyOf(answer: Answer): string {
  if (valuesOf(answer, 'transfer-encoding').join() !== 'chunked') {
    const length = valuesOf(answer, 'content-length')[0]
    return length === undefined ? answer.rest : answer.rest.slice(0, Number(length))
  }
  let body = ''
  let at = 0
  for (;;) {
    const line = answer.rest.indexOf('\r\n', at)
    const size = Number.parseInt(answer.rest.slice(at, line), 16)
    if (!(size > 0)) return body
    body += answer.rest.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

/** Every answer of a connection, in order; each must say its length. */
export function answersOf(read: string): Answer[] {
  const answers: Answer[] = []
  for (let rest = read; rest !== ''; ) {
    const answer = parseAnswer(rest)
    answers.push(answer)
    const length = valuesOf(answer, 'content-length')[0]
    if (length === undefined) break
    rest = answer.rest.slice(Number(length))
  }
  return answers
}
