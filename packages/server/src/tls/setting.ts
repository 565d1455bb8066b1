// `tls`: the certificates of the listener, whose certificates it asks for, and how sessions are resumed. Files are named
// here, and read when the gateway starts and reloads.

import { resolve } from 'node:path'
import { flag, type Infer, list, object, oneOf, type PolicyProblem, problem, text } from 'sallyport/settings'
import type { ListenerCertificate } from './material.ts'

const file = (doc: string) =>
  text({ pattern: /^[^\0]+$/, expected: 'a path', mend: 'write a path such as "tls/chain.pem"' }, doc)

const name = text(
  {
    max: 253,
    pattern: /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)*$/,
    expected: 'a host name in small letters, with "*." before it for all names one label below',
    mend: 'write "api.example.com" or "*.example.com"',
  },
  'A host name, or *. and one.',
)

export const tlsSchema = object(
  {
    certificates: list(
      object(
        {
          cert: file('The certificate chain, PEM: the server’s own first, each signed by the next.'),
          key: file('The private key, PEM, without a passphrase.'),
          names: list(name, 'The names it is served for; those in the certificate.', { min: 1, max: 1_000 }),
        },
        'A certificate and its key.',
      ),
      'Certificates, chosen by the name that a client asks for; the first serves whoever names none. A local one is made where there is none.',
      { min: 1, max: 1_000 },
    ),
    unknownNames: oneOf(
      ['serve', 'refuse'],
      'Whether a client that asks for a name of no certificate gets the first certificate or an alert; serve.',
    ),
    clientCertificates: object(
      {
        ca: file('The authorities that sign them, PEM.'),
        mode: oneOf(
          ['require', 'request'],
          'Whether a connection without one is closed; require. One that is shown must hold either way.',
        ),
        forward: flag('Whether the upstream is told of it, in Client-Cert (RFC 9440); false.'),
      },
      'Certificates of clients.',
    ),
    ticketKeys: object(
      {
        file: file(
          'A file that the gateway makes and keeps; all gateways that name the same resume each other’s sessions.',
        ),
      },
      'The keys of session tickets. Without it they live as long as the gateway.',
    ),
  },
  'What TLS needs where it ends here.',
)

/** `tls` as it is written. */
export type TlsSetting = Infer<typeof tlsSchema>

/** What the shape alone does not tell. */
export function tlsProblems(tls: TlsSetting | undefined): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const missing = (path: string, what: string, mend: string) =>
    problems.push(problem(path, 'missing', `no ${what} here`, undefined, mend))
  const known = new Map<string, number>()
  for (const [index, { cert, key, names }] of (tls?.certificates ?? []).entries()) {
    const path = `tls.certificates[${index}]`
    if (cert === undefined || key === undefined)
      missing(path, cert === undefined ? 'cert' : 'key', 'name the certificate and its own key')
    for (const [at, one] of (names ?? []).entries()) {
      const first = known.get(one)
      if (first !== undefined)
        problems.push(
          problem(
            `${path}.names[${at}]`,
            'contradiction',
            `belongs to tls.certificates[${first}] already`,
            one,
            'keep one of them',
          ),
        )
      known.set(one, first ?? index)
    }
  }
  if (tls?.clientCertificates !== undefined && tls.clientCertificates.ca === undefined)
    missing('tls.clientCertificates', 'ca', 'name the file with the authorities whose word counts')
  if (tls?.ticketKeys !== undefined && tls.ticketKeys.file === undefined)
    missing('tls.ticketKeys', 'file', 'write { file: "run/tickets" }')
  return problems
}

/** The same with absolute paths; they are seen from `folder`. */
export function absoluteTls(tls: TlsSetting, folder: string): TlsSetting {
  const at = (path: string | undefined) => resolve(folder, path ?? '')
  const { certificates, clientCertificates, ticketKeys } = tls
  return {
    ...tls,
    ...(certificates
      ? { certificates: certificates.map((one) => ({ ...one, cert: at(one.cert), key: at(one.key) })) }
      : {}),
    ...(clientCertificates
      ? { clientCertificates: { ...clientCertificates, ca: at(clientCertificates.ca) } }
      : {}),
    ...(ticketKeys ? { ticketKeys: { file: at(ticketKeys.file) } } : {}),
  }
}

/** The files that are read anew by a reload; none where a program gave the texts. */
export function tlsFilesOf(given: ListenerCertificate | TlsSetting | undefined): readonly string[] {
  if (given === undefined || 'cert' in given) return []
  return [
    ...(given.certificates ?? []).flatMap(({ cert, key }) => [cert!, key!]),
    ...(given.clientCertificates ? [given.clientCertificates.ca!] : []),
  ]
}
