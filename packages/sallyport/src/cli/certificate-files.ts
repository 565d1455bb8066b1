// The certificate of `sallyport serve`: two files, read and tried together, so that what is wrong names its option and its
// file. Nothing of a file is shown.

import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { Failure } from './failure.ts'
import type { Certificate } from './server.ts'

/** One file, and how it is best named in an error: where it was said, and as what. */
export interface NamedFile {
  readonly path: string
  /** `--cert`. */
  readonly option: string
  /** As it was written. */
  readonly shown: string
}

/** @throws Failure where a file can't be read, is no PEM of its kind, or the two don't fit */
export async function readCertificate(cert: NamedFile, key: NamedFile): Promise<Certificate> {
  const certificate = { cert: await read(cert), key: await read(key) }
  mustFit(cert, key, certificate)
  return certificate
}

async function read({ path, option, shown }: NamedFile): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(`${option}: ${shown} can't be read (${code}); name a PEM file`)
  }
}

// Told apart here, since the listener's own error names neither option nor file.
function mustFit(certFile: NamedFile, keyFile: NamedFile, { cert, key }: Certificate): void {
  const attempt = (files: readonly NamedFile[], fault: string, mend: string, parse: () => unknown) => {
    try {
      parse()
    } catch (error) {
      const where = files.map(({ option, shown }) => `${option} ${shown}`).join(' and ')
      throw new Failure(`${where}: ${fault} (${(error as NodeJS.ErrnoException).code}); ${mend}`, {
        cause: error,
      })
    }
  }
  attempt([certFile], 'holds no certificate in PEM', 'name the file with BEGIN CERTIFICATE', () =>
    createSecureContext({ cert }),
  )
  attempt(
    [keyFile],
    'holds no private key in PEM without a passphrase',
    'name the file with BEGIN PRIVATE KEY',
    () => createPrivateKey(key),
  )
  attempt([certFile, keyFile], 'do not belong together', 'name the certificate and its own key', () =>
    createSecureContext({ cert, key }),
  )
}
