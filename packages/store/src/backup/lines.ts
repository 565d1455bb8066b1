// The lines in a backup file: opened, unpacked, cut. Whoever has the recipient's public key can make a file that opens, so
// nothing here trusts what it reads before the signature over all lines was checked: lines are bounded.

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import { StoreFault } from '../fault.ts'
import { type Opener, opened } from './envelope.ts'

// A row is a few kB; one with an entry of the audit log up to 16 kB more.
const MAX_LINE = 16 * 2 ** 20

/** Gives the lines of a file from the start. @throws StoreFault `refused` */
export async function* linesIn(file: string, opener: Opener): AsyncGenerator<string> {
  const unpack = createZstdDecompress()
  let fault: unknown
  pipeline(
    async function* () {
      try {
        yield* opened(createReadStream(file), opener)
      } catch (error) {
        fault = error
        throw error
      }
    },
    unpack,
    () => {},
  )
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  try {
    for await (const part of unpack) {
      const texts = (rest + decoder.decode(part as Uint8Array, { stream: true })).split('\n')
      rest = texts.pop()!
      if (rest.length > MAX_LINE) throw unreadable('a line is too long')
      yield* texts
    }
  } catch (error) {
    if (fault !== undefined) throw fault
    throw error instanceof StoreFault || (error as NodeJS.ErrnoException).syscall
      ? error
      : unreadable('what is in it is not what a backup holds', error)
  }
  if (rest !== '') throw unreadable('its last line is cut')
}

function unreadable(why: string, cause?: unknown): StoreFault {
  return new StoreFault(
    'refused',
    `the backup can’t be read: ${why}; take another copy, or an older backup`,
    {
      cause,
    },
  )
}
