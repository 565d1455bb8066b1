// The keys of `sallyport attest`: files of the user, or one that is made on first use and only its owner can read.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'

/** The key to sign with. A new one is made where `--key` names none. */
export async function signingKey(invocation: Invocation, terminal: Terminal): Promise<KeyObject> {
  const named = invocation.text('key')
  if (named !== undefined)
    return privateKey(await readKey(resolve(terminal.directory, named), named, invocation), named, invocation)
  const folder = resolve(terminal.directory, invocation.text('state')!)
  const file = join(folder, 'attest.key')
  const shown = relative(terminal.directory, file) || file
  try {
    return privateKey(await readFile(file, 'utf8'), shown, invocation)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return makeKey(folder, file, shown, invocation, terminal)
}

async function makeKey(
  folder: string,
  file: string,
  shown: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<KeyObject> {
  const { privateKey: key, publicKey } = generateKeyPairSync('ed25519')
  const publicFile = file.replace(/\.key$/, '.pub')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    // `wx` never writes over the key of a run that was quicker.
    await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
    await writeFile(publicFile, publicKey.export({ type: 'spki', format: 'pem' }))
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf('state')}: a key can't be kept in ${shown} (${(error as NodeJS.ErrnoException).code}); name a folder that is yours, or a key with --key`,
      { cause: error },
    )
  }
  terminal.err(
    `made ${shown}; keep it secret, and give ${relative(terminal.directory, publicFile)} to whoever checks`,
  )
  return key
}

/** The key to check with: a public one, or the public half of a private one. */
export async function checkingKey(invocation: Invocation, terminal: Terminal): Promise<KeyObject> {
  const named = invocation.text('key')
  if (named === undefined)
    throw new Failure(
      `${invocation.nameOf('key')}: a statement is checked against the public key of who signed it; name it, such as --key attest.pub`,
    )
  const text = await readKey(resolve(terminal.directory, named), named, invocation)
  return ed25519(() => createPublicKey(text), named, 'public', invocation)
}

function privateKey(text: string, shown: string, invocation: Invocation): KeyObject {
  return ed25519(() => createPrivateKey(text), shown, 'private', invocation)
}

async function readKey(file: string, shown: string, invocation: Invocation): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf('key')} ${shown}: can't be read (${(error as NodeJS.ErrnoException).code}); name a PEM file`,
      { cause: error },
    )
  }
}

// Nothing of the file is told: it may be the wrong one, with a secret in it.
function ed25519(
  read: () => KeyObject,
  shown: string,
  kind: 'private' | 'public',
  invocation: Invocation,
): KeyObject {
  const make =
    kind === 'private'
      ? 'make one with openssl genpkey -algorithm ed25519'
      : 'make it with openssl pkey -in KEY -pubout'
  let key: KeyObject
  try {
    key = read()
  } catch {
    throw new Failure(`${invocation.nameOf('key')} ${shown}: holds no ${kind} key in PEM; ${make}`)
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Failure(
      `${invocation.nameOf('key')} ${shown}: expected an Ed25519 key, received ${key.asymmetricKeyType}; ${make}`,
    )
  return key
}
