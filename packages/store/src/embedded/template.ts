// A new database from the one that comes with this package: what initdb of the pinned PGlite wrote, packed. Running initdb
// takes seconds and hundreds of megabytes. It holds no role but `postgres`, no password, and no network reaches it, so
// that every store begins with the same files is no secret shared.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

/** The version of PGlite that wrote the template; a test compares it with the one installed. */
export const TEMPLATE_VERSION = '0.5.16'

const BLOCK = 512
/** Bytes; enough for the whole at once, so that it is not put together from pieces. */
const UNPACKED = 32 * 2 ** 20

/** One entry of a tar file. */
export interface TarEntry {
  readonly name: string
  /** Undefined: a folder. */
  readonly bytes: Uint8Array | undefined
}

/**
 * Reads a ustar archive of files and folders (POSIX.1-1988, "ustar Interchange Format").
 *
 * @throws Error where it holds anything else, a name that leads outside, or ends too early
 */
export function* tarEntries(archive: Uint8Array): Generator<TarEntry> {
  const text = (from: number, length: number): string => {
    const field = Buffer.from(archive.buffer, archive.byteOffset + from, length)
    const end = field.indexOf(0)
    return field.toString('latin1', 0, end < 0 ? length : end)
  }
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const name = text(at, 100).replace(/^\.\//, '').replace(/\/$/, '')
    if (text(at, 100) === '') return
    if (
      !/^(?:[\w.-]+(?:\/[\w.-]+)*)?$/.test(name) ||
      /(?:^|\/)\.\.(?:\/|$)/.test(name) ||
      text(at + 345, 155) !== ''
    )
      throw new Error('the template of the store names a file outside its folder')
    const size = Number.parseInt(text(at + 124, 12), 8)
    const type = text(at + 156, 1)
    if ((type !== '0' && type !== '5') || !(size >= 0) || at + BLOCK + size > archive.length)
      throw new Error('the template of the store is damaged: install @sallyport/store again')
    const start = at + BLOCK
    if (name !== '' && name !== '.')
      yield { name, bytes: type === '5' ? undefined : archive.subarray(start, start + size) }
    at = start + Math.ceil(size / BLOCK) * BLOCK
  }
  throw new Error('the template of the store ends too early: install @sallyport/store again')
}

/** Where the template is. */
export function templateFile(): URL {
  return new URL(
    `schema/embedded/pglite-${TEMPLATE_VERSION}.tar.zst`,
    import.meta.resolve('@sallyport/store/package.json'),
  )
}

/** Writes a new database into a folder that is there and empty; nothing is synced yet. */
export function unpackTemplate(directory: string): void {
  const archive = zstdDecompressSync(readFileSync(templateFile()), { chunkSize: UNPACKED })
  for (const { name, bytes } of tarEntries(archive)) {
    const path = join(directory, name)
    mkdirSync(bytes ? dirname(path) : path, { recursive: true, mode: 0o700 })
    if (bytes) writeFileSync(path, bytes, { mode: 0o600 })
  }
}
