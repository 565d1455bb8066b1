// Reads all that TLS needs, aside, and all mistakes at once: the certificates of the files, the local one, or texts that a
// program gave.

import { createHash, X509Certificate } from 'node:crypto'
import { localCertificate } from './local.ts'
import { namesOf } from './names.ts'
import { loadAuthorities, loadPair, PemFault } from './pem.ts'
import type { TlsSetting } from './setting.ts'

/** PEM texts. */
export interface ListenerCertificate {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** A certificate that can be served. */
export interface Served extends ListenerCertificate {
  /** For the operator: the first name of it. */
  readonly label: string
  /** In small letters; `*.` begins those one label below. */
  readonly names: readonly string[]
  /** Milliseconds since the epoch. */
  readonly validFrom: number
  readonly validTo: number
}

/** All of it. */
export interface Material {
  /** The first serves who asks for no name. */
  readonly served: readonly [Served, ...Served[]]
  /** The authorities of clients, PEM. */
  readonly ca: string | undefined
  /** Changes with what a client must bring. */
  readonly trust: string
}

/** Thrown where a file can't be used; every mistake is a sentence. */
class TlsMaterialFault extends TypeError {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'TlsMaterialFault'
    this.problems = problems
  }
}

/**
 * @param given texts of a program, or the setting
 * @param folder where the local certificate is, for when there is no other
 * @throws TlsMaterialFault
 */
export async function readMaterial(
  given: ListenerCertificate | TlsSetting | undefined,
  folder: string,
  clock: () => number,
): Promise<Material> {
  if (given !== undefined && 'cert' in given) return { served: [ofText(given)], ca: undefined, trust: '' }
  const problems: string[] = []
  const attempt = async <T>(what: Promise<T>): Promise<T | undefined> => {
    try {
      return await what
    } catch (error) {
      if (!(error instanceof PemFault)) throw error
      problems.push(error.message)
      return undefined
    }
  }
  const served: Served[] = []
  for (const [index, { cert, key, names }] of (given?.certificates ?? []).entries()) {
    const at = `tls.certificates[${index}]`
    const files = [
      { path: cert!, at: `${at}.cert` },
      { path: key!, at: `${at}.key` },
    ] as const
    const pair = await attempt(loadPair(...files, clock()))
    if (pair) served.push(describe(pair, pair.leaf, names))
  }
  const clients = given?.clientCertificates
  const ca =
    clients &&
    (await attempt(loadAuthorities({ path: clients.ca!, at: 'tls.clientCertificates.ca' }, clock())))
  if (problems.length > 0) throw new TlsMaterialFault(problems)
  if (served.length === 0) served.push(ofText(await localCertificate({ folder, clock })))
  const trust = createHash('sha256')
    .update(`${clients?.mode ?? ''} ${ca ?? ''}`)
    .digest('hex')
  return { served: served as [Served, ...Served[]], ca, trust }
}

function ofText({ cert, key }: ListenerCertificate): Served {
  return describe({ cert, key }, new X509Certificate(cert))
}

function describe(
  { cert, key }: ListenerCertificate,
  leaf: X509Certificate,
  names: readonly string[] = namesOf(leaf),
): Served {
  return {
    cert,
    key,
    names,
    label: names[0] ?? leaf.subject.split('\n').at(-1) ?? '',
    validFrom: leaf.validFromDate.getTime(),
    validTo: leaf.validToDate.getTime(),
  }
}
