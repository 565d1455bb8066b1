// What a TLS connection says of itself: version, group, cipher, certificate, and whether it can be trusted.

import type { TLSSocket } from 'node:tls'

/** Facts of one connection. */
export interface TlsFacts {
  /** `TLSv1.3` */
  readonly version: string
  readonly cipher: string
  /** `X25519`; absent where the runtime can't say it. */
  readonly group?: string
  readonly alpn?: string
  readonly certificate?: CertificateFacts
  /** True where the chain, the dates and the name hold. */
  readonly authorized: boolean
  /** A code such as `CERT_HAS_EXPIRED` or `ERR_TLS_CERT_ALTNAME_INVALID`. */
  readonly reason?: string
}

/** A server's certificate. */
export interface CertificateFacts {
  readonly subject: string
  readonly issuer: string
  /** `DNS:api.example.com, IP Address:127.0.0.1` */
  readonly names: string
  /** Milliseconds since the epoch. */
  readonly validFrom: number
  readonly validTo: number
  readonly fingerprint256: string
  readonly keyBits?: number
}

/** Reads a connection's facts after its handshake. */
export function tlsFacts(socket: TLSSocket): TlsFacts {
  const cipher = socket.getCipher() as { name?: string; standardName?: string } | undefined
  const group = (socket.getEphemeralKeyInfo() as { name?: string } | null)?.name
  const reason: unknown = socket.authorizationError
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: cipher?.standardName ?? cipher?.name ?? 'unknown',
    ...(group ? { group } : {}),
    ...(socket.alpnProtocol ? { alpn: socket.alpnProtocol } : {}),
    ...certificateOf(socket),
    authorized: socket.authorized,
    ...(socket.authorized || !reason ? {} : { reason: codeOf(reason) }),
  }
}

function codeOf(reason: unknown): string {
  if (reason instanceof Error) return (reason as NodeJS.ErrnoException).code ?? reason.message
  return String(reason)
}

function certificateOf(socket: TLSSocket): { certificate?: CertificateFacts } {
  const found = socket.getPeerCertificate()
  if (found === null || typeof found !== 'object' || found.fingerprint256 === undefined) return {}
  const { bits } = found as { bits?: number }
  return {
    certificate: {
      subject: nameOf(found.subject),
      issuer: nameOf(found.issuer),
      names: found.subjectaltname ?? '',
      validFrom: Date.parse(found.valid_from),
      validTo: Date.parse(found.valid_to),
      fingerprint256: found.fingerprint256,
      ...(bits === undefined ? {} : { keyBits: bits }),
    },
  }
}

function nameOf(name: unknown): string {
  if (typeof name !== 'object' || name === null) return ''
  const { CN, O } = name as { CN?: unknown; O?: unknown }
  return String(CN ?? O ?? '')
}
