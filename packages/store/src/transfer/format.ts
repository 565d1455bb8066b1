// The form of an export: lines of JSON, the same from either engine. The first says which schema it is, then one line per
// row, and the last signs all lines before it.

import { createHash, type Hash, type KeyObject, sign, verify } from 'node:crypto'
import { StoreFault } from '../fault.ts'

/** The first line. */
export interface Header {
  readonly format: 'sallyport-store/1'
  /** The digests of the migrations that made the schema, in order. */
  readonly migrations: readonly string[]
  readonly exportedAt: string
}

/** A line in between. */
export interface RowLine {
  readonly table: string
  readonly row: Readonly<Record<string, unknown>>
}

/** The last line. */
interface Footer {
  readonly rows: number
  readonly sha256: string
  /** Ed25519 over `sallyport-store/1` and the digest, base64. */
  readonly signature: string
}

/** Hashes lines as they pass. */
export interface LineHash {
  add(line: string): void
  readonly digest: () => string
}

/** Begins a hash. */
export function lineHash(): LineHash {
  const hash: Hash = createHash('sha256')
  return { add: (line) => void hash.update(`${line}\n`), digest: () => hash.digest('hex') }
}

// The format's name is signed with the digest, so that no signature of another purpose can pass for this one.
const signed = (sha256: string): Buffer => Buffer.from(`sallyport-store/1\n${sha256}\n`)

/** The last line of an export. */
export function footerOf(rows: number, sha256: string, privateKey: KeyObject): string {
  const footer: Footer = {
    rows,
    sha256,
    signature: sign(null, signed(sha256), privateKey).toString('base64'),
  }
  return JSON.stringify(footer)
}

/**
 * Checks the signature of a whole export before anything of it is used.
 *
 * @returns its header
 * @throws StoreFault `refused`
 */
export async function verifyExport(lines: AsyncIterable<string>, publicKey: KeyObject): Promise<Header> {
  const hash = lineHash()
  let header: Header | undefined
  let last: string | undefined
  let count = 0
  for await (const line of lines) {
    if (last !== undefined) hash.add(last)
    header ??= headerOf(line)
    last = line
    count += 1
  }
  const footer = last === undefined ? undefined : parsed(last)
  if (!header || !isFooter(footer) || footer.rows !== count - 2)
    throw refused('it ends too early or has lines too many')
  if (footer.sha256 !== hash.digest()) throw refused('its lines were changed')
  if (!verify(null, signed(footer.sha256), publicKey, Buffer.from(footer.signature, 'base64')))
    throw refused('its signature is not of the given key')
  return header
}

/** Reads a line in between; undefined for the first and the last. */
export function rowOf(line: string): RowLine | undefined {
  const value = parsed(line) as Partial<RowLine> | undefined
  return typeof value?.table === 'string' && typeof value.row === 'object' ? (value as RowLine) : undefined
}

function headerOf(line: string): Header {
  const header = parsed(line) as Partial<Header> | undefined
  if (header?.format !== 'sallyport-store/1' || !Array.isArray(header.migrations))
    throw refused('its first line is not that of a sallyport-store/1 export')
  return header as Header
}

function isFooter(value: unknown): value is Footer {
  const { rows, sha256, signature } = (value ?? {}) as Partial<Footer>
  return typeof rows === 'number' && typeof sha256 === 'string' && typeof signature === 'string'
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw refused('a line is not JSON')
  }
}

function refused(why: string): StoreFault {
  return new StoreFault(
    'refused',
    `the export can’t be trusted: ${why}; take the file again from where it was kept`,
  )
}
