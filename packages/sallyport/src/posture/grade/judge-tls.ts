// TLS versions, and what plain HTTP meets.

import type { Wire } from '../wire/send.ts'
import { isLoopback, type WireTarget } from '../wire/target.ts'
import { line, type Weighed } from './context.ts'

/** What is seen of TLS, and of the port where nothing is encrypted. */
export async function tlsFindings(target: WireTarget, wire: Wire): Promise<readonly Weighed[]> {
  const ask = { method: 'GET', path: '/', headers: [] } as const
  if (target.scheme === 'http')
    return [
      {
        id: 'http.cleartext',
        detail: 'the API answers without encryption',
        mend: 'serve HTTPS only',
        // What never leaves the machine can't be read on the way.
        ...(isLoopback(target) ? { severity: 'info' as const } : {}),
      },
    ]
  const own = { ...target, insecure: true }
  const [old, current, plain] = await Promise.all([
    wire(own, ask, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
    wire(own, ask, { minVersion: 'TLSv1.3' }),
    target.port === 443 ? wire({ ...target, scheme: 'http', port: 80 }, ask) : undefined,
  ])
  const found: Weighed[] = []
  if (old.tls !== undefined)
    found.push({
      id: 'tls.legacy',
      detail: `${old.tls.version} is spoken`,
      mend: 'speak TLS 1.2 or newer only',
    })
  if (current.tls === undefined)
    found.push({ id: 'tls.no-13', detail: 'TLS 1.3 is not spoken', mend: 'speak TLS 1.3' })
  if (plain?.kind === 'answer' && plain.status < 400) {
    const location = line(plain, 'location') ?? ''
    if (/^https:\/\//i.test(location))
      found.push({
        id: 'http.api-redirect',
        detail: `port 80 redirects to ${location}`,
        mend: 'refuse plain HTTP with 403',
      })
    else if (location === '')
      found.push({
        id: 'http.cleartext',
        detail: `port 80 answers with ${plain.status}`,
        mend: 'refuse plain HTTP with 403',
      })
  }
  return found
}
