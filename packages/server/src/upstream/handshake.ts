// The opening handshake of a WebSocket (RFC 6455, section 4), as somebody in the middle must read it: a tunnel opens only
// where both sides have said the same. A program that answers 101 to anything else would let the caller speak to the
// upstream past every check.

import { createHash } from 'node:crypto'
import type { Exchange } from 'sallyport/node'
import { answerFate } from './field-names.ts'
import { fieldText, isFieldValue } from './response-head.ts'

/** What a client offered. */
export interface Handshake {
  readonly key: string
  /** Subprotocols, as they are written. */
  readonly protocols: ReadonlySet<string>
  /** Names of extensions, in small letters. */
  readonly extensions: ReadonlySet<string>
}

// Sixteen bytes in base64 (section 4.1, item 7); the last digit has two bits.
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** The handshake of a request that asks for a WebSocket; `undefined` where it is none that a server may accept. */
export function clientHandshake(exchange: Exchange): Handshake | undefined {
  const { rawHeaders } = exchange.incoming
  const [key, ...moreKeys] = valuesOf(rawHeaders, 'sec-websocket-key')
  const [version, ...moreVersions] = valuesOf(rawHeaders, 'sec-websocket-version')
  if (key === undefined || !KEY.test(key) || moreKeys.length > 0) return undefined
  if (version !== '13' || moreVersions.length > 0) return undefined
  // What came after the head would be the body for one program and the first frames for another.
  if (exchange.header('transfer-encoding') !== undefined) return undefined
  if ((exchange.header('content-length') ?? '0') !== '0') return undefined
  return {
    key,
    protocols: new Set(listOf(valuesOf(rawHeaders, 'sec-websocket-protocol'))),
    extensions: new Set(namesOf(valuesOf(rawHeaders, 'sec-websocket-extensions'))),
  }
}

/** The value of `Sec-WebSocket-Accept` for a key (section 4.2.2, item 5.4). */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

/** Why an answer of 101 opens nothing. */
export type HandshakeFault = 'upgrade' | 'connection' | 'accept' | 'protocol' | 'extension'

/**
 * Reads the head of a 101 and makes the one for the client: names and values in turn.
 *
 * @see RFC 6455, section 4.1, what a client must check
 */
export function openingHead(
  { key, protocols, extensions }: Handshake,
  rawHeaders: readonly (Buffer | string)[],
): string[] | HandshakeFault {
  const upgrade = valuesOf(rawHeaders, 'upgrade')
  if (upgrade.length !== 1 || upgrade[0]!.toLowerCase() !== 'websocket') return 'upgrade'
  const connection = listOf(valuesOf(rawHeaders, 'connection'))
  if (!connection.some((option) => option.toLowerCase() === 'upgrade')) return 'connection'
  const accept = valuesOf(rawHeaders, 'sec-websocket-accept')
  if (accept.length !== 1 || accept[0] !== acceptOf(key)) return 'accept'
  const protocol = valuesOf(rawHeaders, 'sec-websocket-protocol')
  if (protocol.length > 1 || protocol.some((name) => !protocols.has(name))) return 'protocol'
  if (namesOf(valuesOf(rawHeaders, 'sec-websocket-extensions')).some((name) => !extensions.has(name)))
    return 'extension'
  const head = ['Upgrade', 'websocket', 'Connection', 'Upgrade']
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = fieldText(rawHeaders[i]!)
    const value = fieldText(rawHeaders[i + 1]!)
    if (answerFate(name) === 'pass' && isFieldValue(value)) head.push(name, value)
  }
  return head
}

function valuesOf(rawHeaders: readonly (Buffer | string)[], wanted: string): string[] {
  const values: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (fieldText(rawHeaders[i]!).toLowerCase() === wanted) values.push(fieldText(rawHeaders[i + 1]!))
  return values
}

function listOf(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',')).flatMap((part) => part.trim() || [])
}

// A comma within a quoted parameter makes a name that nobody offered, and the answer is refused.
function namesOf(values: readonly string[]): string[] {
  return listOf(values).map((extension) => extension.split(';', 1)[0]!.trim().toLowerCase())
}
