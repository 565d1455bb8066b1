// The local certificate: made at first start, kept in the state folder, renewed at two thirds of its life. An
// authority of its own lets a developer trust it once.

import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type CertifiedKey, isAuthority, makeAuthority, makeLeaf } from './certificate.ts'
import { isReadByOthers, ownFile, ownFolder } from './ownership.ts'

/** Where a local certificate is kept, and for which names it is made. */
export interface LocalCertificateOptions {
  /** `.sallyport/tls` */
  readonly folder?: string
  /** Names under `.localhost`; `sallyport.localhost` where nothing is said. */
  readonly names?: readonly string[]
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number
}

/** A certificate for loopback, in PEM. */
export interface LocalCertificate {
  /** The leaf, then its authority. */
  readonly cert: string
  readonly key: string
  /** The authority, for clients to trust. */
  readonly ca: string
  /** The file of the authority, for `curl --cacert`. */
  readonly caFile: string
  readonly names: readonly string[]
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const LEAF_DAYS = 90
const AUTHORITY_DAYS = 3_650

const FILES = ['ca.pem', 'ca-key.pem', 'cert.pem', 'key.pem'] as const

const LOOPBACK: readonly Uint8Array[] = [
  Uint8Array.of(127, 0, 0, 1),
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
]

/**
 * Reads the local certificate, or makes it where there is none that will do.
 *
 * @throws TypeError for a name that is not under `.localhost`
 * @throws Error for a folder or files that others than the running user could have written
 * @example
 * const { cert, key, caFile } = await localCertificate({ folder: '.sallyport/tls' })
 */
export async function localCertificate(options: LocalCertificateOptions = {}): Promise<LocalCertificate> {
  const folder = resolve(options.folder ?? '.sallyport/tls')
  const names = options.names ?? ['sallyport.localhost']
  const now = (options.clock ?? Date.now)()
  for (const name of names) checkName(name)
  await ownFolder(folder)
  // Before anything is read or written, so that a refusal leaves all as it was.
  for (const file of FILES) await ownFile(join(folder, file))

  const caFile = join(folder, 'ca.pem')
  const isFirst = (await ownFile(caFile)) === undefined
  const known = await readPair(caFile, join(folder, 'ca-key.pem'))
  const fault = authorityFault(known, now)
  const authority = known !== undefined && fault === undefined ? known : await newAuthority(folder, now)
  if (!isFirst && fault !== undefined)
    process.emitWarning(
      `${caFile}: the local authority was made again, since ${fault}; remove the old one wherever it is trusted`,
      { type: 'SallyportWarning', code: 'SALLYPORT_AUTHORITY_REMADE' },
    )

  const pair = await readPair(join(folder, 'cert.pem'), join(folder, 'key.pem'))
  const leaf =
    pair !== undefined && serves(pair, authority, names, now)
      ? pair
      : await newLeaf(folder, authority, names, now)
  return {
    cert: leaf.certificate + authority.certificate,
    key: leaf.key,
    ca: authority.certificate,
    caFile,
    names,
    expiresAt: Date.parse(new X509Certificate(leaf.certificate).validTo),
  }
}

// The policy's HSTS holds for a whole name: on bare "localhost" it would force HTTPS on every other server of the
// machine, and elsewhere the authority has no say.
function checkName(name: string): void {
  if (/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+localhost$/.test(name) && name.length <= 253) return
  throw new TypeError(
    `names: a local certificate is for names under .localhost, received ${JSON.stringify(name)}; write "sallyport.localhost"`,
  )
}

async function newAuthority(folder: string, now: number): Promise<CertifiedKey> {
  const validity = { notBefore: now - HOUR, notAfter: now + AUTHORITY_DAYS * DAY }
  // The name is different each time, so that two authorities in a trust store are never taken for one another.
  const made = makeAuthority(`Sallyport local ${randomBytes(4).toString('hex')}`, validity, randomBytes)
  await writeSecret(join(folder, 'ca-key.pem'), made.key)
  await writeAtomically(join(folder, 'ca.pem'), made.certificate, 0o644)
  return made
}

async function newLeaf(
  folder: string,
  authority: CertifiedKey,
  names: readonly string[],
  now: number,
): Promise<CertifiedKey> {
  const validity = { notBefore: now - HOUR, notAfter: now + LEAF_DAYS * DAY }
  const subject = { names, addresses: LOOPBACK }
  const made = makeLeaf(authority, commonNameOf(authority)!, subject, validity, randomBytes)
  await writeSecret(join(folder, 'key.pem'), made.key)
  await writeAtomically(join(folder, 'cert.pem'), made.certificate, 0o644)
  return made
}

function commonNameOf({ certificate }: CertifiedKey): string | undefined {
  return /^CN=(Sallyport local [0-9a-f]{8})$/m.exec(new X509Certificate(certificate).subject)?.[1]
}

function authorityFault(known: CertifiedKey | undefined, now: number): string | undefined {
  if (known === undefined) return 'its files are damaged or others could read its key'
  const name = commonNameOf(known)
  if (name === undefined || !isAuthority(known.certificate, name))
    return 'it is not limited to this machine as ours are'
  // An authority that would end before a new leaf does can't sign it.
  return lifeLeft(known, now) > LEAF_DAYS * DAY ? undefined : 'it was about to end'
}

function serves(pair: CertifiedKey, authority: CertifiedKey, names: readonly string[], now: number): boolean {
  const leaf = new X509Certificate(pair.certificate)
  const signedBy = new X509Certificate(authority.certificate)
  return (
    leaf.checkIssued(signedBy) &&
    leaf.verify(signedBy.publicKey) &&
    names.every((name) => leaf.checkHost(name, { subject: 'never' }) !== undefined) &&
    lifeLeft(pair, now) > (LEAF_DAYS / 3) * DAY &&
    Date.parse(leaf.validFrom) <= now
  )
}

function lifeLeft({ certificate }: CertifiedKey, now: number): number {
  return Date.parse(new X509Certificate(certificate).validTo) - now
}

// A pair that can't be read, whose halves don't belong together, or whose key others could read, is as good as none:
// it is made again.
async function readPair(certificateFile: string, keyFile: string): Promise<CertifiedKey | undefined> {
  const keyStats = await ownFile(keyFile)
  if (keyStats === undefined || isReadByOthers(keyStats)) return undefined
  try {
    const [certificate, key] = await Promise.all([
      readFile(certificateFile, 'utf8'),
      readFile(keyFile, 'utf8'),
    ])
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return undefined
    return { certificate, key }
  } catch {
    return undefined
  }
}

const writeSecret = (file: string, text: string): Promise<void> => writeAtomically(file, text, 0o600)

// A crash leaves the old file or the new one, never half of one.
async function writeAtomically(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
