// What is seen of TLS itself, and of the port where nothing is encrypted.

import { headerValues } from '../../controls/faces.ts'
import type { TransportSetting } from '../../controls/transport/setting.ts'
import type { Finding, Observation } from '../../guard/control.ts'
import type { SendOptions, Wire, WireResult } from '../wire/send.ts'
import { originOf, type WireTarget } from '../wire/target.ts'
import type { CertificateFacts, TlsFacts } from '../wire/tls-facts.ts'
import type { Account } from './judge.ts'

const DAY_MS = 86_400_000
const EXPIRES_SOON_DAYS = 14
const GET = { method: 'GET', path: '/', headers: [] } as const
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const

/** What a first connection says of the certificate. */
export function certificateFindings(
  certificate: CertificateFacts | undefined,
  { authorized, reason }: Pick<TlsFacts, 'authorized' | 'reason'>,
  now: number,
): readonly Finding[] {
  if (certificate === undefined) return []
  const until = new Date(certificate.validTo).toISOString()
  if (certificate.validTo <= now)
    return [
      { id: 'tls.cert-expired', detail: `the certificate ended at ${until}`, mend: 'renew the certificate' },
    ]
  if (!authorized && reason === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return [
      {
        id: 'tls.cert-host',
        detail: `the certificate is for ${certificate.names || certificate.subject}`,
        mend: 'use a certificate that names this host',
      },
    ]
  if (!authorized)
    return [
      {
        id: 'tls.untrusted',
        detail: `nobody that is trusted here vouches for the certificate (${reason ?? 'untrusted'}); it was issued by ${certificate.issuer || 'nobody that it names'}`,
        mend: 'use a certificate of an authority that clients trust; a private one is named with --ca FILE, and --insecure looks all the same',
      },
    ]
  const days = Math.floor((certificate.validTo - now) / DAY_MS)
  return days < EXPIRES_SOON_DAYS
    ? [
        {
          id: 'tls.cert-expiring',
          detail: `the certificate ends in ${days} days, at ${until}`,
          mend: 'renew the certificate',
        },
      ]
    : []
}

/** Tries the versions and holds them against the policy. */
export async function checkTls(
  wire: Wire,
  target: WireTarget,
  setting: TransportSetting,
  account: Account,
  clock: () => number,
  replica: string | undefined,
  judgeCertificate = true,
): Promise<void> {
  const about = {
    class: 'tls-versions',
    cell: '*',
    curl: `openssl s_client -connect ${target.address ?? target.host}:${target.addressPort ?? target.port}`,
    ...(replica === undefined ? {} : { replica }),
  } as const
  // Trust is judged once, from the facts; here only versions are asked for.
  const attempt = (options: SendOptions) => wire({ ...target, insecure: true }, GET, options)
  const [first, old, tls12, tls13] = await Promise.all([
    attempt({}),
    attempt(OLD),
    attempt({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
    attempt({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }),
  ])
  if (first.tls !== undefined && judgeCertificate)
    account.note(
      'certificate',
      'transport',
      about,
      certificateFindings(first.tls.certificate, first.tls, clock()),
    )
  account.note(
    'tls-legacy',
    'transport',
    about,
    spoke(old)
      ? [
          {
            id: 'tls.legacy',
            detail: `${old.tls!.version} is spoken`,
            mend: `speak ${setting.minVersion} or newer only`,
          },
        ]
      : [],
  )
  if (setting.tls !== 'here') return
  const wants12 = setting.minVersion === 'TLSv1.2'
  const findings: Finding[] = []
  if (spoke(tls12) && !wants12)
    findings.push({ id: 'drift.tls', detail: 'TLS 1.2 is spoken', mend: 'speak TLSv1.3 only' })
  if (!spoke(tls12) && wants12)
    findings.push({
      id: 'drift.tls',
      detail: 'TLS 1.2 is declared and not spoken',
      mend: 'speak TLSv1.2 too',
    })
  if (!spoke(tls13))
    findings.push({ id: 'drift.tls', detail: 'TLS 1.3 is not spoken', mend: 'speak TLSv1.3' })
  account.note('tls-versions', 'transport', about, findings)
}

function spoke({ tls }: WireResult): boolean {
  return tls !== undefined
}

/** Asks the encrypted port, and another where one is named, without TLS. */
export async function checkPlainHttp(
  wire: Wire,
  target: WireTarget,
  plainPort: number | undefined,
  setting: TransportSetting,
  account: Account,
  replica: string | undefined,
): Promise<void> {
  const places = [
    { key: 'plain-on-tls', target },
    ...(plainPort === undefined ? [] : [{ key: 'plain-port', target: plainAt(target, plainPort) }]),
  ]
  for (const { key, target: place } of places) {
    const result = await wire(place, GET, { plain: true })
    const port = place.addressPort ?? place.port
    const curl = `curl -si '${originOf({ ...place, scheme: 'http' })}/'`
    const about = {
      class: 'plain-http',
      cell: '*',
      curl,
      ...(replica === undefined ? {} : { replica }),
    } as const
    // No connection, or none that speaks HTTP, is the best refusal there is; so is a parser's 400.
    const refused = result.kind === 'failure' || (key === 'plain-on-tls' && result.status === 400)
    const found = refused ? [] : judgePlain(setting, result)
    account.note(`${key} ${port}`, 'transport', about, found)
  }
}

const REFUSALS = new Set([400, 403, 421, 426])

function judgePlain({ plainHttp }: TransportSetting, seen: Observation): readonly Finding[] {
  if (REFUSALS.has(seen.status)) return []
  const location = headerValues(seen, 'location')[0] ?? ''
  const mend = 'answer plain HTTP with 403, or close the port'
  if (seen.status >= 300 && seen.status < 400 && /^https:\/\//i.test(location))
    return plainHttp === 'redirect'
      ? []
      : [{ id: 'http.api-redirect', detail: `${seen.status} to ${location}`, mend }]
  return [{ id: 'http.cleartext', detail: `plain HTTP is answered with ${seen.status}`, mend }]
}

function plainAt(target: WireTarget, port: number): WireTarget {
  const { addressPort: _port, ca: _ca, ...rest } = target
  return { ...rest, scheme: 'http', port }
}
