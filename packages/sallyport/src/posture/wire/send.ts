// Sends one request on a connection of its own and says everything that came back. No HTTP client stands between, since
// a client hides duplicates, joins lines, and can't send what must be refused.

import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type SecureVersion, type TLSSocket } from 'node:tls'
import type { Observation, ProbeRequest } from '../../guard/control.ts'
import { type BodyState, createReader } from './reader.ts'
import { bytesOf, methodOf } from './request.ts'
import { connectHost, type WireTarget } from './target.ts'
import { type TlsFacts, tlsFacts } from './tls-facts.ts'

/** How long each phase may take, milliseconds; how much of a body is kept, bytes. */
interface WireLimits {
  /** Until the connection stands. */
  readonly connectMs: number
  /** Until TLS stands. */
  readonly tlsMs: number
  /** Until the head is there. */
  readonly headMs: number
  /** Until the body is there; what has no end is cut here. */
  readonly bodyMs: number
  readonly maxBodyBytes: number
}

const DEFAULT_LIMITS: WireLimits = {
  connectMs: 5_000,
  tlsMs: 5_000,
  headMs: 10_000,
  bodyMs: 2_000,
  maxBodyBytes: 1_048_576,
}

/** What a single request may ask for beside its bytes. */
export interface SendOptions {
  readonly limits?: Partial<WireLimits>
  /** Writes without TLS, whatever the target's scheme. */
  readonly plain?: boolean
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
  /** OpenSSL's list; old versions need `DEFAULT:@SECLEVEL=0`. */
  readonly ciphers?: string
  readonly alpn?: readonly string[]
  readonly signal?: AbortSignal
}

/** Milliseconds from the first packet on; absent for what never came. */
interface WireTiming {
  readonly connectedMs?: number
  readonly securedMs?: number
  readonly headMs?: number
  readonly totalMs: number
}

/** An answer with all that is known of it. */
export interface WireAnswer extends Observation {
  readonly kind: 'answer'
  readonly reason: string
  readonly httpVersion: string
  /** The statuses of interim answers before it. */
  readonly interim: readonly number[]
  readonly trailers: readonly string[]
  readonly bodyState: BodyState
  /** What of the head breaks the grammar. */
  readonly faults: readonly string[]
  readonly tls?: TlsFacts
  readonly timing: WireTiming
  /** `kept`: the answer was whole and the connection open; `by-us`: we cut it. */
  readonly ended: 'closed' | 'reset' | 'kept' | 'by-us'
}

/** No answer, and why. */
export interface WireFailure {
  readonly kind: 'failure'
  readonly phase: 'resolve' | 'connect' | 'tls' | 'head'
  /** A system's or TLS code, `timeout`, `closed`, `reset`, or `not-http`. */
  readonly code: string
  /** The beginning of what came instead. */
  readonly strange?: string
  readonly tls?: TlsFacts
  readonly timing: WireTiming
}

export type WireResult = WireAnswer | WireFailure

/** Sends requests; tests put their own in its place. */
export type Wire = (target: WireTarget, request: ProbeRequest, options?: SendOptions) => Promise<WireResult>

/** Sends a request on a fresh connection. Never rejects: what went wrong is a value. */
export const send: Wire = (target, request, options = {}) => {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const started = performance.now()
  const since = () => Math.round((performance.now() - started) * 10) / 10
  const isTls = target.scheme === 'https' && options.plain !== true
  const reader = createReader(methodOf(request), limits.maxBodyBytes)
  let socket: Socket | TLSSocket
  try {
    socket = isTls ? openTls(target, options) : openTcp(target)
  } catch (error) {
    return Promise.resolve(failure('connect', codeOf(error), { totalMs: since() }))
  }
  return new Promise((resolve) => {
    let phase: 'connect' | 'tls' | 'head' | 'body' = 'connect'
    let connectedMs: number | undefined
    let securedMs: number | undefined
    let headMs: number | undefined
    let tls: TlsFacts | undefined
    let timer: NodeJS.Timeout | undefined
    let settled = false

    const timing = (): WireTiming => ({
      ...(connectedMs === undefined ? {} : { connectedMs }),
      ...(securedMs === undefined ? {} : { securedMs }),
      ...(headMs === undefined ? {} : { headMs }),
      totalMs: since(),
    })

    function enter(next: typeof phase, ms: number): void {
      phase = next
      clearTimeout(timer)
      timer = setTimeout(() => settle('timeout'), ms)
    }

    function settle(how: string): void {
      if (settled) return
      settled = true
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
      socket.destroy()
      const { head } = reader
      if (head === undefined) {
        const strange = reader.strange === undefined ? {} : { strange: reader.strange }
        const code = reader.strange === undefined ? how : 'not-http'
        const at = how === 'ENOTFOUND' || how === 'EAI_AGAIN' ? 'resolve' : phase === 'body' ? 'head' : phase
        resolve({ ...failure(at, code, timing()), ...strange, ...(tls ? { tls } : {}) })
        return
      }
      const { faults, ...rest } = head
      resolve({
        kind: 'answer',
        ...rest,
        faults,
        body: reader.body().toString('utf8'),
        bodyState: reader.bodyState === 'cut' && how === 'timeout' ? 'stream' : reader.bodyState,
        interim: reader.interim,
        trailers: reader.trailers,
        encrypted: isTls,
        ...(tls ? { tls } : {}),
        timing: timing(),
        ended:
          how === 'closed'
            ? 'closed'
            : how === 'ECONNRESET' || how === 'EPIPE'
              ? 'reset'
              : how === 'done'
                ? 'kept'
                : 'by-us',
      })
    }
    const abort = () => settle('aborted')
    options.signal?.addEventListener('abort', abort)
    if (options.signal?.aborted) {
      settle('aborted')
      return
    }

    function write(): void {
      enter('head', limits.headMs)
      socket.write(bytesOf(target, request), 'latin1')
    }

    enter('connect', limits.connectMs)
    socket.on('connect', () => {
      connectedMs = since()
      if (isTls) enter('tls', limits.tlsMs)
      else write()
    })
    socket.on('secureConnect', () => {
      securedMs = since()
      tls = tlsFacts(socket as TLSSocket)
      if (tls.authorized || target.insecure) write()
      else settle(tls.reason ?? 'UNTRUSTED')
    })
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk)
      if (headMs === undefined && reader.head !== undefined) {
        headMs = since()
        enter('body', limits.bodyMs)
      }
      if (reader.isDone) settle('done')
    })
    socket.on('end', () => {
      reader.end()
      settle('closed')
    })
    // A reset after a part of the answer is a way of closing; the reader knows how much was there.
    socket.on('error', (error) => settle(codeOf(error)))
    socket.on('close', () => {
      reader.end()
      settle('closed')
    })
  })
}

function failure(phase: WireFailure['phase'], code: string, timing: WireTiming): WireFailure {
  return { kind: 'failure', phase, code, timing }
}

function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return code ?? (error instanceof Error ? error.message.slice(0, 200) : 'unknown')
}

function openTcp(target: WireTarget): Socket {
  return connectTcp({ host: connectHost(target), port: target.addressPort ?? target.port })
}

function openTls(target: WireTarget, options: SendOptions): TLSSocket {
  const { host, port, addressPort, ca } = target
  return connectTls({
    host: connectHost(target),
    port: addressPort ?? port,
    // RFC 6066, section 3: an address is no server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
    // Judged by us, so that the facts are known even where nothing may be sent.
    rejectUnauthorized: false,
    ...(ca === undefined ? {} : { ca }),
    ...(options.minVersion ? { minVersion: options.minVersion } : {}),
    ...(options.maxVersion ? { maxVersion: options.maxVersion } : {}),
    ...(options.ciphers ? { ciphers: options.ciphers } : {}),
    ALPNProtocols: [...(options.alpn ?? ['http/1.1'])],
  })
}
