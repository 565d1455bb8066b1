// A request of node:http as the guard reads it: straight from the raw header list, since building `req.headers`
// costs more than all look-ups together.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate, Incoming } from '../../guard/exchange.ts'
import { clientCertificateOf } from './client-certificate.ts'
import { wholeBody } from './whole-body.ts'

export class NodeIncoming implements Incoming {
  private readonly request: IncomingMessage
  private readonly response: ServerResponse | undefined
  readonly method: string
  readonly target: string

  constructor(request: IncomingMessage, response?: ServerResponse) {
    this.request = request
    this.response = response
    this.method = request.method ?? ''
    this.target = request.url ?? ''
  }

  get httpVersion(): string {
    return this.request.httpVersion
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders
  }

  get peer(): string | undefined {
    return this.request.socket.remoteAddress
  }

  get encrypted(): boolean {
    return (this.request.socket as TLSSocket).encrypted === true
  }

  get clientCertificate(): ClientCertificate | undefined {
    return clientCertificateOf(this.request.socket)
  }

  header(name: string): string | undefined {
    const raw = this.request.rawHeaders
    const first = name.charCodeAt(0)
    for (let i = 0; i < raw.length; i += 2) {
      const candidate = raw[i]!
      // Length and first letter tell nearly all apart; | 32 makes a letter small, and a pseudo-field's colon stays.
      if (candidate.length !== name.length || (candidate.charCodeAt(0) | 32) !== (first | 32)) continue
      if (candidate === name || candidate.toLowerCase() === name) return raw[i + 1]
    }
    return undefined
  }

  body(maxBytes: number): ReturnType<typeof wholeBody> {
    // RFC 9110, section 10.1.1: whoever expects it sends no body before it.
    if (this.header('expect') !== undefined) this.response?.writeContinue()
    return wholeBody(this.request, maxBytes)
  }
}
