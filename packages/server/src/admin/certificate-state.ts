// How long the certificates of a listener still hold, for `/readyz`.

import { type Family, labelText } from '../metrics/families.ts'
import type { Served } from '../tls/material.ts'

/** What an operator must know of them. */
export interface CertificateState {
  readonly notReady: readonly string[]
  readonly warnings: readonly string[]
  readonly families: readonly Family[]
}

const DAY_MS = 86_400_000
/** Who renews in time does so long before. */
const WARN_MS = 14 * DAY_MS

/** @param served the certificates that new connections get; none where TLS ends in front */
export function certificateWatch(
  served: () => readonly Pick<Served, 'label' | 'validFrom' | 'validTo'>[],
  clock: () => number,
): () => CertificateState {
  return () => {
    const now = clock()
    const all = served()
    return {
      notReady: all.flatMap(({ label, validFrom, validTo }) => [
        ...(validTo <= now ? [`the certificate for ${label} has expired at ${text(validTo)}; renew it`] : []),
        ...(now < validFrom ? [`the certificate for ${label} is valid only from ${text(validFrom)}`] : []),
      ]),
      warnings: all
        .filter(({ validTo }) => validTo > now && validTo - now < WARN_MS)
        .map(
          ({ label, validTo }) =>
            `the certificate for ${label} expires at ${text(validTo)}; renew it in time`,
        ),
      families: all.length === 0 ? [] : [expiry(all)],
    }
  }
}

const text = (milliseconds: number): string => new Date(milliseconds).toISOString()

function expiry(all: readonly Pick<Served, 'label' | 'validTo'>[]): Family {
  return {
    name: 'sallyport_certificate_expiry_timestamp_seconds',
    help: 'When each certificate of the listener expires.',
    type: 'gauge',
    merge: 'max',
    samples: all.map(({ label, validTo }, index) => ({
      suffix: '',
      labels: labelText(['certificate', 'name'], [String(index), label]),
      value: validTo / 1_000,
    })),
  }
}
