// The same question over HTTP/2, where the server offers it: the lines of an answer must not depend on the version.

import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { isIP } from 'node:net'
import { checkServerIdentity, type TLSSocket } from 'node:tls'
import type { SendOptions, Wire, WireFailure, WireResult } from './send.ts'
import { authorityOf, connectHost, originOf } from './target.ts'
import { type TlsFacts, tlsFacts } from './tls-facts.ts'

const DEADLINE_MS = 10_000
const MAX_BODY = 1_048_576

// RFC 9113, section 8.2.2: not in HTTP/2.
const HOP_BY_HOP = new Set(['connection', 'host', 'keep-alive', 'transfer-encoding', 'upgrade'])

/** Sends a request in parts over HTTP/2. Never rejects; raw bytes have no form there. */
export const sendHttp2: Wire = (target, request, options: SendOptions = {}) => {
  const started = performance.now()
  const totalMs = () => Math.round((performance.now() - started) * 10) / 10
  const failed = (phase: WireFailure['phase'], code: string, tls?: TlsFacts): WireResult => ({
    kind: 'failure',
    phase,
    code,
    ...(tls ? { tls } : {}),
    timing: { totalMs: totalMs() },
  })
  if ('raw' in request || target.scheme !== 'https') return Promise.resolve(failed('connect', 'not-http2'))
  const { method, path, headers, body } = request
  return new Promise((resolve) => {
    let session: ClientHttp2Session
    let tls: TlsFacts | undefined
    let settled = false
    const settle = (result: WireResult): void => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      resolve(result)
      session?.destroy()
    }
    const timer = setTimeout(
      () => settle(failed('head', 'timeout', tls)),
      options.limits?.headMs ?? DEADLINE_MS,
    )
    try {
      session = connect(originOf(target), {
        host: connectHost(target),
        port: target.addressPort ?? target.port,
        ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
        checkServerIdentity: (_name, certificate) => checkServerIdentity(target.host, certificate),
        rejectUnauthorized: false,
        ...(target.ca === undefined ? {} : { ca: target.ca }),
        ALPNProtocols: ['h2'],
      })
    } catch (error) {
      clearTimeout(timer)
      resolve(failed('connect', (error as NodeJS.ErrnoException).code ?? 'unknown'))
      return
    }
    session.on('error', (error: NodeJS.ErrnoException) =>
      settle(failed('connect', error.code ?? 'unknown', tls)),
    )
    session.on('connect', (_session, socket) => {
      tls = tlsFacts(socket as TLSSocket)
      if (!tls.authorized && !target.insecure) {
        settle(failed('tls', tls.reason ?? 'UNTRUSTED', tls))
        return
      }
      const fields: Record<string, string> = {
        ':method': method,
        ':path': path,
        ':scheme': 'https',
        ':authority': authorityOf(target),
      }
      for (const [name, value] of headers)
        if (!HOP_BY_HOP.has(name.toLowerCase())) fields[name.toLowerCase()] = value
      const stream = session.request(fields, { endStream: body === undefined })
      if (body !== undefined) stream.end(body)
      const parts: Buffer[] = []
      let kept = 0
      let lines: [string, string][] = []
      let status = 0
      stream.on('error', (error: NodeJS.ErrnoException) => settle(failed('head', error.code ?? 'reset', tls)))
      stream.on('response', (found: IncomingHttpHeaders & { ':status'?: number }, _flags, raw: string[]) => {
        status = Number(found[':status'] ?? 0)
        lines = pairsOf(raw)
        const type = String(found['content-type'] ?? '')
        // What has no end would wait for ever: its head is what was asked for.
        if (type.startsWith('text/event-stream')) setImmediate(done, 'stream')
      })
      stream.on('data', (chunk: Buffer) => {
        kept += chunk.length
        if (kept <= MAX_BODY) parts.push(chunk)
        else done('too-long')
      })
      stream.on('end', () => done('whole'))
      function done(bodyState: 'whole' | 'stream' | 'too-long'): void {
        if (status === 0) settle(failed('head', 'closed', tls))
        settle({
          kind: 'answer',
          status,
          reason: '',
          httpVersion: '2.0',
          headers: lines,
          faults: [],
          body: Buffer.concat(parts).toString('utf8'),
          bodyState,
          interim: [],
          trailers: [],
          encrypted: true,
          ...(tls ? { tls } : {}),
          timing: { totalMs: totalMs() },
          ended: 'kept',
        })
      }
    })
  })
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const lines: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) if (!raw[i]!.startsWith(':')) lines.push([raw[i]!, raw[i + 1]!])
  return lines
}
