// One encrypted field of one row. Which key, and which table, column and row it belongs to, is authenticated with it: a value
// that somebody with the database copies to another row, another column or back from yesterday's key does not open there.
//
// The form: a byte for the version (1), the key's number (4 bytes, big-endian), the nonce (12), the text, the tag (16).

import { FieldFault } from './fault.ts'
import { gcmOpen, gcmSeal, NONCE, TAG } from './gcm.ts'
import type { FieldKeys } from './keys.ts'

/** Where a field stands. */
export interface FieldPlace {
  /** The table's bare name. */
  readonly table: string
  readonly column: string
  /** The row's primary key; an integer counts as its decimal digits. */
  readonly row: string | number | bigint
}

const VERSION = 1
const HEADER = 5

/** The first bytes of everything that a key encrypts. */
export function headerOf(id: number): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = VERSION
  header.writeUInt32BE(id, 1)
  return header
}

/**
 * Encrypts with the newest key. A nonce is random: rotate before one key has encrypted 2^32 fields (SP 800-38D, 8.3).
 *
 * @param random fills an array with random bytes
 * @throws FieldFault where the row's key is neither text nor an integer
 */
export function sealField(
  keys: FieldKeys,
  plain: Uint8Array,
  place: FieldPlace,
  random: (bytes: Uint8Array) => Uint8Array = (bytes) =>
    crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
): Buffer {
  const header = headerOf(keys.newest)
  const nonce = random(new Uint8Array(NONCE))
  const sealed = gcmSeal(keys.get(keys.newest)!, nonce, plain, additional(header, place))
  return Buffer.concat([header, nonce, sealed])
}

/**
 * Decrypts with the key that the field names.
 *
 * @throws FieldFault where it is not what was encrypted for this place, or its key is not there
 */
export function openField(keys: FieldKeys, sealed: Uint8Array, place: FieldPlace): Buffer {
  const id = keyOf(sealed)
  const where = `${place.table}.${place.column}`
  if (id === undefined) throw new FieldFault(`${where}: a value is not an encrypted field`)
  const key = keys.get(id)
  if (key === undefined)
    throw new FieldFault(`${where}: a value needs key ${id}; set SALLYPORT_FIELD_KEY_${id}, or restore it`)
  const header = sealed.subarray(0, HEADER)
  const nonce = sealed.subarray(HEADER, HEADER + NONCE)
  const plain = gcmOpen(key, nonce, sealed.subarray(HEADER + NONCE), additional(header, place))
  if (plain === undefined)
    throw new FieldFault(`${where}: a value was changed, moved from another place, or key ${id} is another`)
  return plain
}

/** The number of the key that encrypted a field; `undefined` where it is none. */
export function keyOf(sealed: Uint8Array): number | undefined {
  if (sealed.length < HEADER + NONCE + TAG || sealed[0] !== VERSION) return undefined
  return Buffer.from(sealed.buffer, sealed.byteOffset, HEADER).readUInt32BE(1)
}

// A driver gives the same key as a number or as text, by its column's type. Beyond 2^53 a number is another row's, too.
function textOf(row: unknown): string {
  if (typeof row === 'string') return row
  if (typeof row === 'bigint' || Number.isSafeInteger(row)) return String(row)
  throw new FieldFault('place.row: expected the row’s primary key, as text, a bigint or a safe integer')
}

// Each part with its length: no two places have the same bytes.
function additional(header: Uint8Array, { table, column, row }: FieldPlace): Buffer {
  const parts = [table, column, textOf(row)].flatMap((text) => {
    const bytes = Buffer.from(text, 'utf8')
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat([header, ...parts])
}
