// A client of HTTP/2 for the tests: node:http2 over TLS, one connection, answers in the form of the other harness.

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { TestContext } from 'node:test'
import type { Answer, Running } from './harness.ts'

/** An answer, and how its stream ended. */
export interface Http2Answer extends Answer {
  /** RFC 9113, section 7; 0 where nothing went wrong. */
  readonly resetCode: number
}

/** What is asked. */
export interface Question {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

/** Opens a connection that ends with the test. */
export async function openHttp2(
  context: TestContext,
  running: Pick<Running, 'port' | 'ca'>,
): Promise<ClientHttp2Session> {
  // Node's client would keep us from asking what an attacker may; its types do not know the option yet.
  const options = { ca: running.ca, servername: 'sallyport.localhost', strictSingleValueFields: false }
  const session = connectHttp2(`https://127.0.0.1:${running.port}`, options)
  session.on('error', () => {})
  context.after(() => session.destroy())
  await new Promise<void>((resolve, reject) => {
    session.once('remoteSettings', () => resolve())
    session.once('close', () => reject(new Error('closed before its settings came')))
  })
  return session
}

/** Starts a request. */
export function begin(session: ClientHttp2Session, path: string, question: Question = {}): ClientHttp2Stream {
  const stream = session.request(
    {
      ':path': path,
      ':method': question.method ?? 'GET',
      ':authority': 'api.example.com',
      ...question.headers,
    },
    { endStream: false },
  )
  stream.on('error', () => {})
  return stream
}

/** Sends a request and reads its whole answer. */
export function askHttp2(
  session: ClientHttp2Session,
  path: string,
  question: Question = {},
): Promise<Http2Answer> {
  const stream = begin(session, path, question)
  stream.end(question.body)
  return answerOf(stream)
}

/** Reads the answer of a request until its stream is closed. */
export function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  return new Promise((resolve) => {
    let status = 0
    const rawHeaders: string[] = []
    const chunks: Buffer[] = []
    stream.on('response', (headers: IncomingHttpHeaders, _flags: number, raw?: string[]) => {
      status = Number(headers[':status'])
      rawHeaders.push(...(raw ?? []).filter((_, index, all) => all[index - (index % 2)]![0] !== ':'))
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('close', () => {
      const values = (name: string) =>
        rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1] === name)
      resolve({
        status,
        rawHeaders,
        body: Buffer.concat(chunks).toString('latin1'),
        values,
        header: (name) => values(name)[0],
        resetCode: stream.rstCode,
      })
    })
  })
}
