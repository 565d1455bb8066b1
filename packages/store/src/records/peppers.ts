// Peppers: the secrets with which digests of keys are stored. Whoever can write to the database but has no pepper can put
// no key of his own into it; whoever reads it can't tell whether a key that he found is one of ours.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Queries } from '../database.ts'
import { syncPath } from '../embedded/durable-files.ts'
import { StoreFault } from '../fault.ts'
import { keysPresent, pepperVersionPut } from '../statements/keys.ts'

/** One secret, 32 bytes. */
export interface Pepper {
  readonly version: number
  /** Where it is kept: a file's name or an environment variable; never the secret. */
  readonly name: string
  readonly secret: Uint8Array
}

/** Where peppers are kept. */
export type PepperPlace =
  /** Beside the folder of an embedded store, in a file for its owner only, which is made with the first key. */
  | { readonly directory: string }
  /** `SALLYPORT_PEPPER_1`, `_2`, …: 32 bytes in base64url each. The highest number is used for new keys. */
  | { readonly environment: Readonly<Record<string, string | undefined>> }

const BYTES = 32
const VARIABLE = /^SALLYPORT_PEPPER_([1-9]\d{0,5})$/

/**
 * Reads the peppers, the newest first, and holds them against those that the store knows.
 *
 * @param random fills an array with random bytes
 * @throws StoreFault `refused` where one is missing, malformed, readable for others, or not the one that keys were stored
 * with; the message holds no secret
 */
export async function openPeppers(
  queries: Queries,
  place: PepperPlace,
  random: (bytes: Uint8Array) => Uint8Array,
): Promise<readonly Pepper[]> {
  const peppers =
    'directory' in place
      ? [await filePepper(queries, `${place.directory}.pepper`, random)]
      : environmentPeppers(place.environment)
  for (const pepper of peppers) {
    const known = await queries.query(pepperVersionPut, [pepper.version, labelOf(pepper)])
    if (known.length === 0)
      throw new StoreFault(
        'refused',
        `the pepper in ${pepper.name} is not the one that keys of this store were made with; restore that one, or add the new one with the next number`,
      )
  }
  return peppers
}

/** What stands in the database for a digest of a key. */
export function pepperedDigest({ secret }: Pepper, digest: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(digest).digest()
}

/** Compares in constant time. */
export function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

// 64 bits of a digest of 256 random ones: enough to tell peppers apart, and nothing to find them by. Where one is kept is
// no part of it: records move from a folder to a server, and their secrets with them.
function labelOf({ secret }: Pepper): string {
  return createHmac('sha256', secret).update('sallyport pepper').digest('hex').slice(0, 16)
}

async function filePepper(
  queries: Queries,
  file: string,
  random: (bytes: Uint8Array) => Uint8Array,
): Promise<Pepper> {
  const name = basename(file)
  if (!existsSync(file)) {
    const [row] = await queries.query(keysPresent, [])
    if (row?.present)
      throw new StoreFault(
        'refused',
        `the file ${name} beside the store is gone: without it no key of the store can be checked; restore it from a backup`,
      )
    makeFile(file, Buffer.from(random(new Uint8Array(BYTES))).toString('base64url'))
  }
  if ((statSync(file).mode & 0o077) !== 0)
    throw new StoreFault('refused', `the file ${name} beside the store can be read by others; chmod 600 it`)
  return { version: 1, name, secret: secretOf(readFileSync(file, 'utf8').trim(), name) }
}

// Never over another process's, and on the disk before the first key depends on it.
function makeFile(file: string, text: string): void {
  let descriptor: number
  try {
    descriptor = openSync(file, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw error
  }
  try {
    writeSync(descriptor, `${text}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  syncPath(dirname(file))
}

function environmentPeppers(environment: Readonly<Record<string, string | undefined>>): readonly Pepper[] {
  const peppers = Object.entries(environment).flatMap(([name, text]): Pepper[] => {
    const version = VARIABLE.exec(name)?.[1]
    if (version === undefined || text === undefined || text === '') return []
    return [{ version: Number(version), name, secret: secretOf(text, name) }]
  })
  if (peppers.length === 0)
    throw new StoreFault(
      'refused',
      'keys on a server are stored with a pepper; set SALLYPORT_PEPPER_1 to 32 random bytes: openssl rand -base64 32 | tr +/ -_ | tr -d =',
    )
  return peppers.sort((a, b) => b.version - a.version)
}

function secretOf(text: string, name: string): Uint8Array {
  const secret = /^[\w-]{43}$/.test(text) ? Buffer.from(text, 'base64url') : undefined
  if (secret?.length !== BYTES)
    throw new StoreFault('refused', `${name} must hold 32 bytes in base64url: 43 characters`)
  return secret
}
