// The head of an upstream's answer, read as what it is: bytes from a program that may be wrong or hostile. What can't
// be framed safely is a fault, and the client gets a 502 instead.

import { answerFate } from './field-names.ts'
import { nominatedNames } from './request-head.ts'

/** A head that may be sent on. */
export interface ResponseHead {
  /** Names and values in turn, ready for `writeHead`. */
  readonly headers: string[]
  readonly contentType: string | undefined
  /** Bytes that follow, where the head says it. */
  readonly length: number | undefined
}

/** Why an answer is not passed on. */
export type HeadFault =
  | 'status'
  | 'too-many-headers'
  | 'transfer-encoding'
  | 'content-length'
  | 'length-and-chunked'

/** More lines than this come from no sane program. */
export const MAX_HEADER_LINES = 500

// RFC 9110, section 5.5, with obs-text, which is passed on byte for byte.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** True where Node sends the value as it is. */
export function isFieldValue(value: string): boolean {
  return VALUE.test(value)
}

/**
 * Reads the head of a final answer.
 *
 * @param rawHeaders names and values in turn, as undici hands them over
 * @see RFC 9112, section 6.3
 */
export function responseHead(
  status: number,
  rawHeaders: readonly (Buffer | string)[],
): ResponseHead | HeadFault {
  if (!Number.isInteger(status) || status < 200 || status > 599) return 'status'
  if (rawHeaders.length > MAX_HEADER_LINES * 2) return 'too-many-headers'
  const headers: string[] = []
  let length: string | undefined
  let codings: string | undefined
  let connection: string | undefined
  let contentType: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = fieldText(rawHeaders[i]!)
    const value = fieldText(rawHeaders[i + 1]!)
    const fate = answerFate(name)
    // Node would throw on such a value; one that no grammar allows is better lost than guessed.
    if (fate === 'drop' || !isFieldValue(value)) continue
    switch (fate) {
      case 'content-length':
        if (length !== undefined && length !== value) return 'content-length'
        length = value
        continue
      case 'transfer-encoding':
        codings = codings === undefined ? value : `${codings}, ${value}`
        continue
      case 'connection':
        connection = connection === undefined ? value : `${connection}, ${value}`
        continue
      case 'content-type':
        contentType ??= value
    }
    headers.push(name, value)
  }
  if (codings !== undefined && length !== undefined) return 'length-and-chunked'
  // Any other coding would reach the client undecoded, without its name (and "chunked\t" is read as no framing at all).
  if (codings !== undefined && codings.toLowerCase() !== 'chunked') return 'transfer-encoding'
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return 'content-length'
  const nominated = nominatedNames(connection)
  const kept = nominated === undefined ? headers : withoutNames(headers, nominated)
  const bytes = length === undefined ? undefined : Number(length)
  // RFC 9110, section 8.6: none on 204.
  if (bytes !== undefined && status !== 204) kept.push('Content-Length', String(bytes))
  return { headers: kept, contentType, length: bytes }
}

/** A name or a value as text; Latin-1 keeps every byte. */
export function fieldText(raw: Buffer | string): string {
  return typeof raw === 'string' ? raw : raw.toString('latin1')
}

function withoutNames(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2)
    if (!names.has(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!)
  return kept
}
