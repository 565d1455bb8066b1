// The certificate by which a client has shown who it is, as the controls and the log see it. Only one that was verified:
// what a client merely sent says nothing about it.

import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../../guard/exchange.ts'

// On the connection itself: it is asked for with every request of it.
const CERTIFICATE = Symbol('sallyport.client-certificate')

interface Marked {
  /** `null` where there is none. */
  [CERTIFICATE]?: ClientCertificate | null
}

/** The verified certificate of a connection; `undefined` where there is none. */
export function clientCertificateOf(socket: object): ClientCertificate | undefined {
  let known = (socket as Marked)[CERTIFICATE]
  if (known === undefined) {
    known = readCertificate(socket as TLSSocket) ?? null
    ;(socket as Marked)[CERTIFICATE] = known
  }
  return known ?? undefined
}

/**
 * Marks what the upstream is told of the certificate of a connection, where a gateway was told to.
 *
 * @see RFC 9440, section 2.2
 */
export function forwardClientCertificate(socket: TLSSocket): void {
  const found = clientCertificateOf(socket)
  const raw = socket.getPeerX509Certificate()?.raw
  if (found && raw) (socket as Marked)[CERTIFICATE] = { ...found, forwarded: `:${raw.toString('base64')}:` }
}

function readCertificate(socket: TLSSocket): ClientCertificate | undefined {
  // Node calls a resumed session authorized where no certificate was ever shown, so there must be one as well.
  if (socket.encrypted !== true || socket.authorized !== true) return undefined
  const certificate = socket.getPeerX509Certificate?.()
  if (certificate === undefined) return undefined
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject.split('\n').join(', '),
    subjectAltName: certificate.subjectAltName,
  }
}
