// What TLS to an upstream needs, read from files once. The errors name the file and never its content.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { UpstreamSetting } from './setting.ts'

/** PEM texts, and the name that the upstream's certificate must be for. */
export interface PeerTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string
}

/** A file of an upstream that can't be used. */
class UpstreamFileError extends TypeError {
  readonly code = 'ERR_UPSTREAM_FILE'
}

/**
 * Reads the files of one upstream.
 *
 * @param at where the setting stands: `upstreams.api.tls`
 * @throws UpstreamFileError where a file can't be read, is no PEM, or where the key is another certificate's
 */
export async function readPeerTls(setting: UpstreamSetting['tls'], at: string): Promise<PeerTls> {
  const { ca, cert, key, serverName } = setting ?? {}
  const texts = {
    ...(ca === undefined ? {} : { ca: await pem(`${at}.ca`, ca) }),
    ...(cert === undefined ? {} : { cert: await pem(`${at}.cert`, cert) }),
    ...(key === undefined ? {} : { key: await pem(`${at}.key`, key) }),
  }
  if (texts.ca !== undefined) certificate(`${at}.ca`, ca!, texts.ca)
  if (texts.cert !== undefined && texts.key !== undefined)
    checkPair(certificate(`${at}.cert`, cert!, texts.cert), `${at}.key`, key!, texts.key)
  return { ...texts, ...(serverName === undefined ? {} : { serverName }) }
}

async function pem(at: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UpstreamFileError(
      `${at}: ${path} can't be read (${error.code ?? error.name}); name a file that this user may read`,
    )
  })
  if (!text.includes('-----BEGIN '))
    throw new UpstreamFileError(`${at}: ${path} is not PEM; convert it with openssl`)
  return text
}

function certificate(at: string, path: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch {
    throw new UpstreamFileError(
      `${at}: ${path} holds no certificate that can be read; name a file with BEGIN CERTIFICATE`,
    )
  }
}

function checkPair(own: X509Certificate, at: string, path: string, text: string): void {
  let isOwn: boolean
  try {
    isOwn = own.checkPrivateKey(createPrivateKey(text))
  } catch {
    throw new UpstreamFileError(
      `${at}: ${path} holds no private key that can be read without a passphrase; name one that does`,
    )
  }
  if (!isOwn)
    throw new UpstreamFileError(
      `${at}: the key in ${path} is not that of the certificate; name the two that belong together`,
    )
}
