// The keys of backups: to whom they are encrypted, and who signs them.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { StoreFault } from '../fault.ts'

/** The public key of the signer, beside its private one. */
export const SIGNER_PUBLIC = 'backup.pub'
const SIGNER = 'backup.key'

/**
 * Reads whom backups are for: an X25519 public key, PEM.
 *
 * @throws StoreFault `refused`
 */
export function recipientIn(pem: string, name: string): KeyObject {
  // A private key here would lie beside the backups that it opens.
  if (pem.includes('PRIVATE KEY'))
    throw refused(
      `${name} holds a private key; name the public one (openssl pkey -in KEY -pubout), and keep the private one off this machine`,
    )
  return x25519(() => createPublicKey(pem), name, 'public')
}

/** Reads what opens backups: an X25519 private key, PEM. @throws StoreFault `refused` */
export function identityIn(pem: string, name: string): KeyObject {
  return x25519(() => createPrivateKey(pem), name, 'private')
}

// Nothing of the file is told: it may be the wrong one, with a secret in it.
function x25519(read: () => KeyObject, name: string, kind: 'public' | 'private'): KeyObject {
  const make =
    kind === 'private'
      ? 'make one with openssl genpkey -algorithm x25519'
      : 'make it with openssl pkey -in KEY -pubout'
  let key: KeyObject
  try {
    key = read()
  } catch {
    throw refused(`${name} holds no ${kind} key in PEM; ${make}`)
  }
  if (key.asymmetricKeyType !== 'x25519')
    throw refused(`${name} holds a key of ${key.asymmetricKeyType}, expected X25519; ${make}`)
  return key
}

/**
 * The Ed25519 key that signs the backups made with this state folder; made with the first, its public half beside it.
 *
 * @throws StoreFault `refused` where it can't be kept or read
 */
export function backupSigner(folder: string): KeyObject {
  const file = join(folder, SIGNER)
  try {
    return createPrivateKey(readFileSync(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new StoreFault('refused', `the key ${SIGNER} of the state folder can’t be read`, { cause: error })
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // Two processes may begin at once: the first to link its file has made the key, and the other reads it.
    if (!linked(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)) return backupSigner(folder)
    linked(join(folder, SIGNER_PUBLIC), publicKey.export({ type: 'spki', format: 'pem' }), 0o644)
  } catch (error) {
    if (error instanceof StoreFault) throw error
    throw new StoreFault(
      'refused',
      `the key that signs backups can’t be kept in the state folder (${(error as NodeJS.ErrnoException).code})`,
      { cause: error },
    )
  }
  return privateKey
}

function linked(file: string, text: string | Buffer, mode: number): boolean {
  const fresh = `${file}.${process.pid}.${crypto.randomUUID().slice(0, 8)}`
  const handle = openSync(fresh, 'wx', mode)
  try {
    writeSync(handle, text.toString())
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    linkSync(fresh, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    unlinkSync(fresh)
  }
}

function refused(message: string): StoreFault {
  return new StoreFault('refused', message)
}
