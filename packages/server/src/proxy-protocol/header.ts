// Reads the header of the PROXY protocol, versions 1 and 2, from the first bytes of a connection. Total and strict, and
// of one mind however the bytes are split: what is refused is refused at the first byte that can't be right.
// Specification: proxy-protocol.txt of HAProxy, 2020-03-05, sections 2.1 and 2.2.

import { formatAddress, parseAddress } from 'sallyport/settings'
import { crc32c } from './crc32c.ts'

/** The other end of a proxied connection. */
export interface Source {
  /** In canonical text. */
  readonly address: string
  readonly port: number
}

/** What the bytes come to. */
export type ProxyHeader =
  /** Nothing is wrong yet, and the header has not ended. */
  | { readonly kind: 'more' }
  | { readonly kind: 'wrong'; readonly why: ProxyHeaderFault }
  | {
      readonly kind: 'header'
      /** Bytes of the header; what follows belongs to the connection itself. */
      readonly length: number
      /** Absent where the proxy speaks for itself (a health check), or says that it does not know. */
      readonly source: Source | undefined
    }

/** Why a header is refused; few, so that they can be counted. */
export type ProxyHeaderFault = 'no-header' | 'malformed' | 'too-long' | 'protocol' | 'checksum'

const MORE: ProxyHeader = { kind: 'more' }
const wrong = (why: ProxyHeaderFault): ProxyHeader => ({ kind: 'wrong', why })

const SIGNATURE_1 = Buffer.from('PROXY ', 'latin1')
const SIGNATURE_2 = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
/** Section 2.1: the longest line, with its end. */
const MAX_LINE = 107
/** Addresses and extensions of version 2. The certificate of a client is the longest that proxies send. */
const MAX_REST = 4_096
/** No header is longer. */
export const MAX_HEADER = 16 + MAX_REST

/** Reads what has come so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return MORE
  // The two begin differently.
  return bytes[0] === SIGNATURE_1[0] ? readLine(bytes) : readBinary(bytes)
}

function startsWith(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.compare(signature, 0, length, 0, length) === 0
}

const CR = 13
const LF = 10

function readLine(bytes: Buffer): ProxyHeader {
  if (!startsWith(bytes, SIGNATURE_1)) return wrong('no-header')
  for (let at = SIGNATURE_1.length; at < bytes.length; at++) {
    if (at >= MAX_LINE - 1) return wrong('too-long')
    const byte = bytes[at]!
    if (byte === CR) {
      if (at + 1 === bytes.length) return MORE
      if (bytes[at + 1] !== LF) return wrong('malformed')
      return line(bytes.toString('latin1', SIGNATURE_1.length, at), at + 2)
    }
    if (byte < 0x20 || byte > 0x7e) return wrong('malformed')
  }
  return MORE
}

function line(text: string, length: number): ProxyHeader {
  const [protocol, from, to, fromPort, toPort, ...rest] = text.split(' ')
  // Whatever stands behind it is to be passed over.
  if (protocol === 'UNKNOWN') return { kind: 'header', length, source: undefined }
  if (protocol !== 'TCP4' && protocol !== 'TCP6') return wrong('protocol')
  if (from === undefined || to === undefined || fromPort === undefined || toPort === undefined)
    return wrong('malformed')
  if (rest.length > 0) return wrong('malformed')
  const isSix = protocol === 'TCP6'
  const address = addressOf(from, isSix)
  const port = portOf(fromPort)
  if (address === undefined || port === undefined) return wrong('malformed')
  if (addressOf(to, isSix) === undefined || portOf(toPort) === undefined) return wrong('malformed')
  return { kind: 'header', length, source: { address, port } }
}

function addressOf(text: string, isSix: boolean): string | undefined {
  if (text.includes(':') !== isSix) return undefined
  const address = parseAddress(text)
  return address && formatAddress(address)
}

function portOf(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return undefined
  const port = Number(text)
  return port <= 65_535 ? port : undefined
}

const LOCAL = 0x20
const PROXY = 0x21

// Family and protocol in one byte, and how many bytes of addresses they have. Datagrams don't come on a connection.
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0], // not known
  [0x11, 12], // TCP over IPv4
  [0x21, 36], // TCP over IPv6
  [0x31, 216], // a Unix socket
])

function readBinary(bytes: Buffer): ProxyHeader {
  if (!startsWith(bytes, SIGNATURE_2)) return wrong('no-header')
  if (bytes.length <= 12) return MORE
  const command = bytes[12]!
  if (command !== LOCAL && command !== PROXY) return wrong('protocol')
  if (bytes.length <= 13) return MORE
  const family = bytes[13]!
  // Whatever stands there is to be passed over where the proxy speaks for itself.
  const addressBytes = command === LOCAL ? 0 : ADDRESS_BYTES.get(family)
  if (addressBytes === undefined) return wrong('protocol')
  if (bytes.length <= 14) return MORE
  if (bytes[14]! > MAX_REST >> 8) return wrong('too-long')
  if (bytes.length <= 15) return MORE
  const rest = bytes.readUInt16BE(14)
  if (rest > MAX_REST) return wrong('too-long')
  if (rest < addressBytes) return wrong('malformed')
  const length = 16 + rest
  if (bytes.length < length) return MORE
  if (command === LOCAL) return { kind: 'header', length, source: undefined }
  // The addresses of an unknown family can't be told from extensions.
  const fault = family === 0x00 ? undefined : extensionFault(bytes.subarray(0, length), 16 + addressBytes)
  if (fault !== undefined) return wrong(fault)
  return { kind: 'header', length, source: sourceOf(bytes, family) }
}

// A process at the proxy's own machine has no address that a rule could be about: the connection is the proxy's.
function sourceOf(bytes: Buffer, family: number): Source | undefined {
  if (family === 0x11) {
    const address = formatAddress({ version: 4, words: [bytes.readUInt32BE(16)] })
    return { address, port: bytes.readUInt16BE(24) }
  }
  if (family !== 0x21) return undefined
  const words = [16, 20, 24, 28].map((at) => bytes.readUInt32BE(at))
  const text = formatAddress({ version: 6, words })
  // An IPv4 address in IPv6 form is the IPv4 address, as everywhere.
  return { address: addressOf(text, true) ?? text, port: bytes.readUInt16BE(48) }
}

const CHECKSUM = 0x03
const NO_CHECKSUM = Buffer.alloc(4)

// Section 2.2: type, length in two bytes, value. They are passed over, but their lengths must come out even, and a
// checksum must be that of the header (section 2.2.4): over all of it, with zeroes where it stands itself.
function extensionFault(header: Buffer, from: number): ProxyHeaderFault | undefined {
  let sumAt: number | undefined
  let at = from
  while (at + 3 <= header.length) {
    const length = header.readUInt16BE(at + 1)
    if (header[at] === CHECKSUM) {
      if (length !== 4 || sumAt !== undefined) return 'malformed'
      sumAt = at + 3
    }
    at += 3 + length
  }
  if (at !== header.length) return 'malformed'
  if (sumAt === undefined) return undefined
  const sum = crc32c(header.subarray(0, sumAt), NO_CHECKSUM, header.subarray(sumAt + 4))
  return sum === header.readUInt32BE(sumAt) ? undefined : 'checksum'
}
