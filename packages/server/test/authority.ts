// Certificates as operators have them, made by openssl: an authority of its own, and leaves for servers and clients.

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from './harness.ts'

/** Paths and texts, PEM. */
export interface Leaf {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
}

/** An authority. */
export interface Authority {
  readonly caFile: string
  readonly ca: string
  /** @param names as openssl writes them: `DNS:api.internal,IP:127.0.0.1` */
  leaf(name: string, usage: 'serverAuth' | 'clientAuth', names: string): Leaf
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes an authority that is gone after the test. */
export async function authorityFor(context: TestContext): Promise<Authority> {
  const folder = await temporaryFolder(context)
  const at = (file: string) => join(folder, file)
  const openssl = (...words: string[]) => void execFileSync('openssl', words, { stdio: 'pipe' })
  const caFile = at('ca.pem')
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    at('ca.key'),
    '-out',
    caFile,
    '-days',
    '2',
    '-subj',
    '/CN=ours',
  )
  return {
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    leaf(name, usage, names) {
      const [request, extensions, keyFile, certFile] = ['csr', 'ext', 'key', 'pem'].map((end) =>
        at(`${name}.${end}`),
      )
      writeFileSync(extensions!, `extendedKeyUsage=${usage}\nsubjectAltName=${names}\n`)
      openssl('req', ...NEW_KEY, '-keyout', keyFile!, '-out', request!, '-subj', `/CN=${name}`)
      const sign = ['-CA', caFile, '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', extensions!]
      openssl('x509', '-req', '-in', request!, ...sign, '-days', '1', '-out', certFile!)
      return {
        certFile: certFile!,
        keyFile: keyFile!,
        cert: readFileSync(certFile!, 'utf8'),
        key: readFileSync(keyFile!, 'utf8'),
      }
    },
  }
}
