// Stands between a server that keeps its policy and whoever verifies it, passes bytes on, and breaks one thing. Nothing
// of the wire client or the parser under test is used.

import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { listening } from '../kinds/listen.ts'
import { type ReadAnswer, readAnswer, writeAnswer } from './answer-bytes.ts'
import { kindOf, requestLine, requestLines } from './kinds.ts'
import type { Broken, Mutation, Passing } from './mutation.ts'
import { valuesIn } from './mutation.ts'

/** The server behind. */
export interface Behind {
  readonly port: number
  /** PEM; the authority of its certificate, where it speaks TLS. */
  readonly ca?: string
  /** A path that it answers with 200. */
  readonly good: string
}

export interface ProxyOptions {
  readonly behind: Behind
  /** Ends TLS with these; bytes that are no TLS are passed on as they are. */
  readonly tls?: TlsOptions
  /** Requests of these paths go here instead. */
  readonly detour?: { readonly at: RegExp; readonly port: number }
}

/** A running proxy. */
export interface Breaker {
  readonly port: number
  /** Breaks this from now on; nothing where it is left out. */
  use(mutation?: Pick<Mutation, 'answer' | 'accepts'>): void
  /** How many answers have been broken since. */
  broken(): number
  close(): Promise<void>
}

/** Says what is broken of an answer. */
export function breakAnswer(
  mutation: Pick<Mutation, 'answer'>,
  request: string,
  kind: string,
  { status, lines }: Pick<ReadAnswer, 'status' | 'lines'>,
): Broken | undefined {
  const { method, path } = requestLine(request)
  const asked = requestLines(request)
  const passing: Passing = {
    request,
    method,
    path,
    kind,
    status,
    lines,
    asked: (name) => valuesIn(asked, name)[0],
  }
  return mutation.answer?.(passing)
}

export async function startProxy({ behind, tls, detour }: ProxyOptions): Promise<Breaker> {
  let mutation: Pick<Mutation, 'answer' | 'accepts'> = {}
  let count = 0

  function backend(request: string, plain: boolean): Duplex {
    if (detour?.at.test(requestLine(request).path)) {
      count++
      return connect(detour.port, '127.0.0.1')
    }
    const to = { port: behind.port, host: '127.0.0.1' }
    return behind.ca === undefined || plain
      ? connect(to)
      : connectTls({ ...to, ca: behind.ca, servername: 'sallyport.localhost' })
  }

  function pass(client: Duplex, plain: boolean): void {
    let request = ''
    let server: Duplex | undefined
    client.on('error', () => server?.destroy())
    client.on('close', () => server?.destroy())
    client.on('data', (chunk: Buffer) => {
      request += chunk.toString('latin1')
      if (server === undefined) {
        server = backend(request, plain)
        answerTo(client, server, () => request, plain)
      }
      if (server.writable) server.write(chunk)
    })
    client.on('end', () => server?.end())
  }

  function answerTo(client: Duplex, server: Duplex, request: () => string, plain: boolean): void {
    let bytes = ''
    let done = false
    let taken = false
    const accept = () => {
      done = true
      taken = true
      count++
      server.destroy()
      acceptInstead(client)
    }
    const finish = (text: string, end: boolean) => {
      done = true
      if (client.writable) client.write(Buffer.from(text, 'latin1'))
      if (end && client.writable) client.end()
    }
    const decide = (answer: ReadAnswer, ended: boolean) => {
      const { method } = requestLine(request())
      const kind = plain ? 'plain-http' : kindOf(request(), answer.status, answer.lines)
      if (answer.status >= 400 && mutation.accepts?.(request())) {
        accept()
        return
      }
      const broken = breakAnswer(mutation, request(), kind, answer)
      if (broken !== undefined) count++
      finish(broken ? writeAnswer(answer, method, broken) : bytes, ended || broken?.body !== undefined)
    }
    server.on('data', (chunk: Buffer) => {
      if (taken) return
      if (done) {
        if (client.writable) client.write(chunk)
        return
      }
      bytes += chunk.toString('latin1')
      const answer = readAnswer(bytes, requestLine(request()).method)
      if (answer === undefined) return
      const endless = /^text\/event-stream/i.test(valuesIn(answer.lines, 'content-type')[0] ?? '')
      if (answer.complete || endless || answer.status === 101) decide(answer, false)
    })
    const ended = () => {
      if (taken) return
      if (done) {
        if (client.writable) client.end()
        return
      }
      const answer = readAnswer(bytes, requestLine(request()).method)
      if (answer !== undefined) decide(answer, true)
      else if (mutation.accepts?.(request())) accept()
      // Nothing answers in clear; what is broken may.
      else if (plain && bytes === '')
        decide({ interim: '', status: 0, lines: [], rest: '', complete: true }, true)
      else finish(bytes, true)
    }
    server.on('end', ended)
    server.on('error', ended)
    server.on('close', ended)
  }

  // As a server would that does not see what is wrong with the request.
  function acceptInstead(client: Duplex): void {
    const good = `GET ${behind.good} HTTP/1.1\r\nHost: sallyport.localhost\r\nConnection: close\r\n\r\n`
    const server = backend(good, false)
    server.on('error', () => client.destroy())
    server.pipe(client)
    server.write(good)
  }

  const open = new Set<Socket>()
  const secure =
    tls && createTlsServer({ ALPNProtocols: ['h2', 'http/1.1'], ...tls }, (socket) => pass(socket, false))
  secure?.on('tlsClientError', () => {})
  const listener = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    if (secure === undefined) {
      pass(socket, false)
      return
    }
    socket.once('data', (chunk: Buffer) => {
      socket.pause()
      socket.unshift(chunk)
      if (chunk[0] === 0x16) secure.emit('connection', socket)
      else {
        pass(socket, true)
        socket.resume()
      }
    })
  })
  const running = await listening(
    Object.assign(listener, { closeAllConnections: () => closeAll(open) }) as never,
  )
  return {
    port: running.port,
    use(next = {}) {
      mutation = next
      count = 0
    },
    broken: () => count,
    close: () => running.close(),
  }
}

function closeAll(open: ReadonlySet<Socket>): void {
  for (const socket of open) socket.destroy()
}
