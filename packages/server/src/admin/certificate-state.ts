// How long the certificate of a listener still holds, for `/readyz`.

import { X509Certificate } from 'node:crypto'
import { type Family, single } from '../metrics/families.ts'

/** What an operator must know of it. */
export interface CertificateState {
  readonly notReady: readonly string[]
  readonly warnings: readonly string[]
  readonly families: readonly Family[]
}

const DAY_MS = 86_400_000
/** Who renews in time does so long before. */
const WARN_MS = 14 * DAY_MS

const NOTHING: CertificateState = { notReady: [], warnings: [], families: [] }

/** @param pem the chain, the listener's own certificate first; `undefined` where TLS ends in front */
export function certificateWatch(
  pem: string | Buffer | undefined,
  clock: () => number,
): () => CertificateState {
  if (pem === undefined) return () => NOTHING
  const { validFromDate, validToDate } = new X509Certificate(pem)
  return () => {
    const left = validToDate.getTime() - clock()
    const until = validToDate.toISOString()
    const isEarly = clock() < validFromDate.getTime()
    return {
      notReady: [
        ...(left <= 0 ? [`the certificate has expired at ${until}; renew it and restart`] : []),
        ...(isEarly ? [`the certificate is valid only from ${validFromDate.toISOString()}`] : []),
      ],
      warnings: left > 0 && left < WARN_MS ? [`the certificate expires at ${until}; renew it in time`] : [],
      families: [
        single(
          'gauge',
          'sallyport_certificate_expiry_timestamp_seconds',
          'When the certificate of the listener expires.',
          validToDate.getTime() / 1_000,
          'max',
        ),
      ],
    }
  }
}
