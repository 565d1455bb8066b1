// Reads the certificates and the key of a listener and tries them before a client does. What is wrong names the file and
// the way to mend it; nothing of a file is shown.

import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** A file, and where it was named: `tls.certificates[0].cert`. */
export interface PemFile {
  readonly path: string
  readonly at: string
}

/** A chain and its key that belong together and hold. */
export interface LoadedPair {
  /** PEM. */
  readonly cert: string
  readonly key: string
  /** The server's own certificate. */
  readonly leaf: X509Certificate
}

/** Thrown where a file can't be used; the message is a sentence for the operator. */
export class PemFault extends Error {
  constructor(file: PemFile, what: string, mend: string) {
    super(`${file.at}: ${file.path} ${what}; ${mend}`)
    this.name = 'PemFault'
  }
}

const MIN_RSA_BITS = 2_048
/** RFC 8446, section 4.2.7, and what browsers speak. */
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/**
 * Reads a pair.
 *
 * @param now milliseconds since the epoch
 * @throws PemFault
 */
export async function loadPair(cert: PemFile, key: PemFile, now: number): Promise<LoadedPair> {
  const pair = { cert: await read(cert), key: await read(key) }
  const chain = chainOf(cert, pair.cert)
  const privateKey = keyOf(key, pair.key)
  const leaf = chain[0]!
  if (!leaf.checkPrivateKey(privateKey)) throw misfit(cert, key, chain, privateKey)
  mustBeStrong(cert, leaf)
  mustHold(cert, leaf, now)
  for (const [index, one] of chain.entries()) {
    const issuer = chain[index + 1]
    if (issuer === undefined) break
    // RFC 8446, section 4.4.2: each certifies the one before it.
    if (!one.checkIssued(issuer) || !one.verify(issuer.publicKey))
      throw new PemFault(
        cert,
        `is out of order: its certificate ${index + 2} has not signed its certificate ${index + 1}`,
        'put the server’s own first, then the one that signed it, and so on',
      )
    mustHold(cert, issuer, now)
  }
  return { ...pair, leaf }
}

/** Reads the authorities of clients. @throws PemFault */
export async function loadAuthorities(file: PemFile, now: number): Promise<string> {
  const pem = await read(file)
  const authorities = chainOf(file, pem)
  for (const [index, one] of authorities.entries())
    if (!one.ca)
      throw new PemFault(
        file,
        `holds a certificate that is no authority’s (certificate ${index + 1})`,
        'name the file with the authorities that sign the clients’ certificates',
      )
  // One that has ended refuses its own clients; only where none is left is the file of no use.
  if (authorities.every((one) => one.validToDate.getTime() <= now))
    throw new PemFault(file, 'holds only authorities that have expired', 'renew them')
  return pem
}

async function read(file: PemFile): Promise<string> {
  try {
    return await readFile(file.path, 'utf8')
  } catch (error) {
    throw new PemFault(file, `can’t be read (${(error as NodeJS.ErrnoException).code})`, 'name a PEM file')
  }
}

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'
const MAX_CERTIFICATES = 1_000

function chainOf(file: PemFile, pem: string): readonly X509Certificate[] {
  const found: X509Certificate[] = []
  for (let from = pem.indexOf(BEGIN); from >= 0; from = pem.indexOf(BEGIN, from + BEGIN.length)) {
    const end = pem.indexOf(END, from)
    try {
      if (end < 0 || found.length === MAX_CERTIFICATES) throw new RangeError()
      found.push(new X509Certificate(pem.slice(from, end + END.length)))
    } catch {
      throw new PemFault(
        file,
        `holds something that is no certificate (certificate ${found.length + 1})`,
        'write the file anew',
      )
    }
  }
  if (found.length === 0)
    throw new PemFault(file, 'holds no certificate in PEM', 'name the file with BEGIN CERTIFICATE')
  return found
}

function keyOf(file: PemFile, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new PemFault(
      file,
      'holds no private key in PEM without a passphrase',
      'name the file with BEGIN PRIVATE KEY',
    )
  }
}

// The usual mistakes, told apart: another key, or the right one with the chain upside down.
function misfit(
  cert: PemFile,
  key: PemFile,
  chain: readonly X509Certificate[],
  privateKey: KeyObject,
): PemFault {
  const own = chain.findIndex((one) => one.publicKey.equals(createPublicKey(privateKey as never)))
  if (own > 0)
    return new PemFault(
      cert,
      `is out of order: the certificate of ${key.path} is its certificate ${own + 1}`,
      'put the server’s own first, then the one that signed it, and so on',
    )
  return new PemFault(key, `is not the key of ${cert.path}`, 'name the certificate and its own key')
}

function mustBeStrong(file: PemFile, { publicKey }: X509Certificate): void {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details } = publicKey
  const bits = details?.modulusLength ?? 0
  if (type.startsWith('rsa') && bits < MIN_RSA_BITS)
    throw new PemFault(
      file,
      `has an RSA key of ${bits} bits`,
      `make a new key: P-256, or RSA of ${MIN_RSA_BITS} bits at least`,
    )
  const isKnown = type === 'ec' ? CURVES.has(details?.namedCurve ?? '') : /^rsa|^ed|^ml-dsa/.test(type)
  if (!isKnown)
    throw new PemFault(
      file,
      `has a key of a kind that clients don’t take (${details?.namedCurve ?? type})`,
      'make a new key: P-256, or RSA of 2048 bits at least',
    )
}

function mustHold(file: PemFile, { validFromDate, validToDate }: X509Certificate, now: number): void {
  if (validToDate.getTime() <= now)
    throw new PemFault(file, `has expired at ${validToDate.toISOString()}`, 'renew it')
  if (validFromDate.getTime() > now)
    throw new PemFault(
      file,
      `is valid only from ${validFromDate.toISOString()}`,
      'set the clock right, or wait until then',
    )
}
