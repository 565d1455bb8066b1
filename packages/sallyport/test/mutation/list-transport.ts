// The listener and the port where nothing is encrypted: versions, certificates, clear text answered; and where a redirect
// leads.

import type { Broken, BrokenListener, Mutation, Passing } from './mutation.ts'
import { instead } from './mutation.ts'

const LISTENERS: Readonly<Record<BrokenListener, string>> = {
  'tls-1.2-too': 'drift.tls',
  'tls-1.2-only': 'tls.no-13',
  'tls-1.1-too': 'tls.legacy',
  'certificate-expired': 'tls.cert-expired',
  'certificate-ending': 'tls.cert-expiring',
  'certificate-of-another-host': 'tls.cert-host',
  'certificate-of-another-authority': 'tls.untrusted',
}

const json =
  (status: number, body: string) =>
  ({ kind, lines }: Passing): Broken | undefined =>
    kind === 'plain-http'
      ? { status, lines: instead(lines, 'Content-Type', 'application/json'), body }
      : undefined

const redirect =
  (status: number, to: string) =>
  ({ kind, lines }: Passing): Broken | undefined =>
    kind === 'plain-http' ? { status, lines: instead(lines, 'Location', to), body: '' } : undefined

const PLAIN: Readonly<
  Record<string, { readonly from: string; readonly answer: NonNullable<Mutation['answer']> }>
> = {
  'answered-200': { from: 'http.cleartext', answer: json(200, '{"ok":true}') },
  'answered-401': { from: 'http.cleartext', answer: json(401, '{"error":"unauthorized"}') },
  'answered-404': { from: 'http.cleartext', answer: json(404, '{"error":"not found"}') },
  'redirected-301': { from: 'http.api-redirect', answer: redirect(301, 'https://127.0.0.1/') },
  'redirected-308': { from: 'http.api-redirect', answer: redirect(308, 'https://127.0.0.1/') },
  'redirected-to-http': { from: 'redirect.http-hop', answer: redirect(302, 'http://127.0.0.1/else') },
}

/** The mutations. */
export function transportMutations(): readonly Mutation[] {
  const of = (id: string, from: string, rest: Partial<Mutation>): Mutation => ({
    id: `transport/${id}`,
    subject: 'gateway',
    controls: ['transport'],
    from,
    ...rest,
  })
  return [
    ...Object.entries(LISTENERS).map(([name, from]) => of(name, from, { listener: name as BrokenListener })),
    ...Object.entries(PLAIN).map(([name, { from, answer }]) => of(`plain/${name}`, from, { answer })),
    of('redirect-to-http', 'redirect.downgrade', {
      answer: ({ kind, lines }) =>
        kind === 'redirect'
          ? { lines: instead(lines, 'Location', 'http://127.0.0.1/v1/account') }
          : undefined,
    }),
  ]
}
