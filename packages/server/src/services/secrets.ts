// Secrets by name: from the environment, from files, and those of the gateway's own, which are made when they are first
// needed. None is ever written to a log or an error.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { PlaceFault } from '../config/places.ts'
import type { SecretsSetting } from './setting.ts'

/** Gives secrets. */
export interface Secrets {
  /** `undefined` where nobody has said where it is, and it is none of the gateway's own. @throws PlaceFault */
  get(name: string): string | undefined
  /** The names of those that were made here and not by the operator. */
  readonly own: ReadonlySet<string>
}

/** What the gateway makes for itself. */
const OWN = new Set(['lockout', 'audit'])
const MIN_LENGTH = 16

export function secretsOf(
  setting: SecretsSetting,
  folder: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Secrets {
  const known = new Map<string, string>()
  const own = new Set<string>()

  function read(name: string): string | undefined {
    const where = setting[name]
    if (where?.from !== undefined) {
      const value = environment[where.from]
      if (value === undefined || value === '')
        throw new PlaceFault(`secrets.${name}: the environment has no ${where.from}; set it, or name a file`)
      return longEnough(name, value)
    }
    if (where?.file !== undefined) return longEnough(name, readSecretFile(name, where.file))
    if (!OWN.has(name)) return undefined
    own.add(name)
    return ownSecret(name, join(folder, 'secrets'))
  }

  return {
    own,
    get(name) {
      const value = known.get(name) ?? read(name)
      if (value !== undefined) known.set(name, value)
      return value
    },
  }
}

function longEnough(name: string, value: string): string {
  if (value.length >= MIN_LENGTH) return value
  throw new PlaceFault(
    `secrets.${name}: the secret has fewer than ${MIN_LENGTH} characters; make one with "openssl rand -base64 32"`,
  )
}

function readSecretFile(name: string, file: string): string {
  try {
    // Group or others: a secret that a neighbour can read is none.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0)
      throw new PlaceFault(`secrets.${name}: others may read the file; run chmod 600 on it`)
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error instanceof PlaceFault) throw error
    throw new PlaceFault(`secrets.${name}: the file can't be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

// Two processes may begin at once: the first to link its file has made the secret, and the other reads it.
function ownSecret(name: string, folder: string): string {
  const file = join(folder, name)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const fresh = `${file}.${randomBytes(6).toString('hex')}`
    const handle = openSync(fresh, 'wx', 0o600)
    try {
      writeSync(handle, `${randomBytes(32).toString('base64url')}\n`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    try {
      linkSync(fresh, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      unlinkSync(fresh)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new PlaceFault(
      `the secret "${name}" can't be kept in the state folder (${code}); name another with --state`,
    )
  }
  return readSecretFile(name, file)
}
