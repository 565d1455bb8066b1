// Identifiers that follow from what they name: the same statement gives the same document, byte for byte.

import { createHash } from 'node:crypto'
import type { Statement } from './statement.ts'
import { statementBytes } from './statement.ts'

/** Gives a UUID for each name within the document of a statement (RFC 9562, section 5.5: version 5). */
export function uuidsOf(statement: Statement): (name: string) => string {
  const space = createHash('sha256').update(statementBytes(statement)).digest()
  return (name) => {
    const bytes = createHash('sha1').update(space).update(name, 'utf8').digest().subarray(0, 16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x50
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const hex = bytes.toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}
