// Certificates for the tests, made by the real openssl: an authority, and what it signs for servers and clients.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** A certificate and its key as files, PEM. */
export interface Made {
  readonly cert: string
  readonly key: string
}

/** What is made. */
export interface Wish {
  /** The name of the files. */
  readonly as: string
  /** `DNS:api.example.com,URI:spiffe://x` */
  readonly san?: string
  /** The one who signs; itself where there is none. */
  readonly by?: Made
  readonly isAuthority?: boolean
  /** What its key is for; anything where nothing is said. */
  readonly usage?: 'serverAuth' | 'clientAuth'
  /** As openssl writes it: `rsa:1024`; P-256 where nothing is said. */
  readonly newKey?: string
  readonly days?: number
}

/** Makes one in the folder. */
export function certificate(folder: string, wish: Wish): Made {
  const cert = join(folder, `${wish.as}.pem`)
  const key = join(folder, `${wish.as}-key.pem`)
  const { newKey = 'ec', days = 30 } = wish
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-nodes', '-newkey', newKey],
      ...(newKey === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:P-256'] : []),
      ...['-keyout', key, '-out', cert, '-days', String(days)],
      ...['-subj', `/O=Example/CN=${wish.as}`],
      ...(wish.san === undefined ? [] : ['-addext', `subjectAltName=${wish.san}`]),
      ...(wish.usage === undefined ? [] : ['-addext', `extendedKeyUsage=${wish.usage}`]),
      ...['-addext', `basicConstraints=critical,CA:${wish.isAuthority ? 'TRUE' : 'FALSE'}`],
      ...(wish.by ? ['-CA', wish.by.cert, '-CAkey', wish.by.key] : []),
    ],
    { stdio: 'pipe' },
  )
  return { cert, key }
}
