// IP addresses: strict parsers and the canonical text. Total and linear, in any runtime, since they read what callers
// send.

/** An address in network order: one unsigned 32-bit word for IPv4, four for IPv6. */
export interface Address {
  readonly version: 4 | 6
  readonly words: readonly number[]
}

// "0000:0000:0000:0000:0000:ffff:255.255.255.255"
const MAX_LENGTH = 45

/**
 * Reads an address; `undefined` for everything else. An IPv4-mapped IPv6 address is the IPv4 address: a dual-stack
 * socket shows one as the other, and two names for one caller would be two rules.
 *
 * Refused on purpose: leading zeros (`010.0.0.1` is 8.0.0.1 for some programs), fewer than four parts, hexadecimal
 * parts, zone identifiers.
 *
 * @see RFC 4291, sections 2.2 and 2.5.5.2
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_LENGTH) return undefined
  if (!text.includes(':')) {
    const word = ipv4Word(text)
    return word === undefined ? undefined : { version: 4, words: [word] }
  }
  const words = ipv6Words(text)
  if (!words) return undefined
  const mapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff
  return mapped ? { version: 4, words: [words[3]!] } : { version: 6, words }
}

function ipv4Word(text: string): number | undefined {
  let word = 0
  let part = 0
  let digits = 0
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 46) {
      if (digits === 0 || ++dots > 3) return undefined
      word = word * 256 + part
      part = 0
      digits = 0
      continue
    }
    if (code < 48 || code > 57 || (digits > 0 && part === 0)) return undefined
    part = part * 10 + (code - 48)
    if (part > 255) return undefined
    digits++
  }
  return dots === 3 && digits > 0 ? word * 256 + part : undefined
}

const GROUP = /^[0-9A-Fa-f]{1,4}$/

function ipv6Words(text: string): readonly number[] | undefined {
  const gap = text.indexOf('::')
  if (gap >= 0 && text.indexOf('::', gap + 1) >= 0) return undefined
  const head = groups(gap < 0 ? text : text.slice(0, gap), gap < 0)
  const tail = gap < 0 ? [] : groups(text.slice(gap + 2), true)
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  // "::" stands for one group at least.
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail]
  return [0, 2, 4, 6].map((at) => all[at]! * 65536 + all[at + 1]!)
}

function groups(text: string, mayEndInIPv4: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const found: number[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (mayEndInIPv4 && i === parts.length - 1 && part.includes('.')) {
      const word = ipv4Word(part)
      if (word === undefined) return undefined
      found.push(Math.floor(word / 65536), word % 65536)
    } else if (GROUP.test(part)) found.push(Number.parseInt(part, 16))
    else return undefined
  }
  return found
}

/** The canonical text (RFC 5952, section 4): lower case, no leading zeros, the first longest run of zeros as "::". */
export function formatAddress(address: Address): string {
  if (address.version === 4) {
    const word = address.words[0]!
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
  }
  const parts = address.words.flatMap((word) => [word >>> 16, word & 0xffff])
  let start = -1
  let length = 1 // Section 4.2.2: one group of zeros is not shortened.
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && parts[end] === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
    if (end > i) i = end
  }
  const hex = (from: number, to: number) =>
    parts
      .slice(from, to)
      .map((part) => part.toString(16))
      .join(':')
  return start < 0 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`
}

/**
 * The canonical text of a socket's own peer, whose IPv6 form may carry a zone (RFC 4007); `undefined` where the host
 * hides it.
 */
export function peerAddress(peer: string | undefined): Address | undefined {
  if (peer === undefined) return undefined
  const zone = peer.indexOf('%')
  return parseAddress(zone < 0 ? peer : peer.slice(0, zone))
}

/** The same as text. An IPv4 address is read but not written anew, since only one spelling of it is accepted. */
export function peerText(peer: string | undefined): string | undefined {
  const address = peerAddress(peer)
  if (peer === undefined || address === undefined) return undefined
  return peer.includes(':') || peer.includes('%') ? formatAddress(address) : peer
}

/**
 * The address as one caller has it: an IPv4 address itself, the /64 of an IPv6 one, since a household has all of it
 * (RFC 6177) and each of its addresses is as easily had as the next. What is no address is cut to 64 characters.
 */
export function callerNetwork(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined || parsed.version === 4) return address.slice(0, 64)
  return `${formatAddress({ version: 6, words: [parsed.words[0]!, parsed.words[1]!, 0, 0] })}/64`
}
