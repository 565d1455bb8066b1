// The file by which several gateways have the same ticket keys. Whoever comes first makes it; each day it is written anew
// with the secret that nobody can step back from, and it does not matter who writes it, since all write the same.

import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isReadByOthers, ownFile } from './ownership.ts'
import { type DaySecret, dayOf } from './ticket-keys.ts'

const LINE = /^sallyport-tickets (\d{1,6}) ([0-9a-f]{64})\n$/

/**
 * Reads the secret, or makes one.
 *
 * @param now milliseconds since the epoch
 * @throws Error where the file is somebody else's, could be read by others, or is not what we write
 */
export async function openTicketFile(file: string, now: number): Promise<DaySecret> {
  const known = await read(file)
  // A clock that was once wrong must not keep the keys for years.
  if (known !== undefined && known.day <= dayOf(now)) return known
  if (known !== undefined) await rm(file, { force: true })
  const made = freshSecret(now)
  const temporary = await writeAside(file, made)
  try {
    // Unlike a rename, this fails where somebody was quicker.
    await link(temporary, file)
    return made
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return (await read(file)) ?? made
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Keeps the secret of a later day in place of the one before. */
export async function keepTicketFile(file: string, secret: DaySecret): Promise<void> {
  const temporary = await writeAside(file, secret)
  await rename(temporary, file).catch(async (error: unknown) => {
    await rm(temporary, { force: true })
    throw error
  })
}

/** A secret of yesterday, as if it had been there. */
export function freshSecret(now: number): DaySecret {
  return { day: dayOf(now) - 1, secret: randomBytes(32) }
}

async function read(file: string): Promise<DaySecret | undefined> {
  const stats = await ownFile(file)
  if (stats === undefined) return undefined
  const mend = `remove it, and it is made again: rm ${file}`
  if (isReadByOthers(stats)) throw new Error(`tls.ticketKeys.file: others can read ${file}; ${mend}`)
  const match = LINE.exec(await readFile(file, 'latin1'))
  if (match === null) throw new Error(`tls.ticketKeys.file: ${file} is not a file of ticket keys; ${mend}`)
  return { day: Number(match[1]), secret: Buffer.from(match[2]!, 'hex') }
}

async function writeAside(file: string, { day, secret }: DaySecret): Promise<string> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(`sallyport-tickets ${day} ${secret.toString('hex')}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return temporary
}
