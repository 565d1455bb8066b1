// Sets of address ranges in CIDR notation, compiled once: disjoint, sorted, searched by halves.

import { type Address, formatAddress, parseAddress } from './address.ts'

/** A range of addresses: all that share the first `prefix` bits. */
export interface Cidr {
  readonly address: Address
  readonly prefix: number
}

/** A compiled set. */
export interface CidrSet {
  readonly isEmpty: boolean
  has(address: Address): boolean
  /** True where every address of the range is in the set. */
  covers(range: Cidr): boolean
}

/** Reads `10.0.0.0/8`, or an address alone; host bits may be set, see `networkOf`. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (!address) return undefined
  // The prefix counts the bits as written: ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const written = text.includes(':') ? 128 : 32
  const bits = address.version === 4 ? 32 : 128
  if (slash < 0) return { address, prefix: bits }
  const digits = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits)) return undefined
  const prefix = Number(digits) - (written - bits)
  return prefix < 0 || prefix > bits ? undefined : { address, prefix }
}

/** `10.0.0.0/8` */
export function formatCidr(range: Cidr): string {
  return `${formatAddress(range.address)}/${range.prefix}`
}

/** The range with its host bits cleared: 10.0.0.1/8 is 10.0.0.0/8. */
export function networkOf({ address, prefix }: Cidr): Cidr {
  return {
    address: {
      version: address.version,
      words: address.words.map((word, at) => (word & maskOf(prefix, at)) >>> 0),
    },
    prefix,
  }
}

// The bits of the word at this place that belong to the prefix.
function maskOf(prefix: number, at: number): number {
  const bits = prefix - at * 32
  return bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0
}

function compareWords(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

function sharesPrefix(words: readonly number[], range: Cidr): boolean {
  for (let at = 0; at * 32 < range.prefix; at++)
    if ((words[at]! & maskOf(range.prefix, at)) >>> 0 !== range.address.words[at]) return false
  return true
}

/** Compiles a set. */
export function cidrSet(ranges: readonly Cidr[]): CidrSet {
  const four = minimal(ranges.filter(({ address }) => address.version === 4))
  const six = minimal(ranges.filter(({ address }) => address.version === 6))
  const covers = ({ address, prefix }: Cidr): boolean => {
    const sorted = address.version === 4 ? four : six
    const candidate = lastNotAfter(sorted, address.words)
    return candidate !== undefined && candidate.prefix <= prefix && sharesPrefix(address.words, candidate)
  }
  return {
    isEmpty: four.length + six.length === 0,
    covers,
    has: (address) => covers({ address, prefix: address.version === 4 ? 32 : 128 }),
  }
}

// The fewest ranges that hold the same addresses, sorted. Ranges of CIDR notation are nested or disjoint, so a
// single look-up decides; and once neighbours are joined, a range is covered only where one range covers it.
function minimal(ranges: readonly Cidr[]): readonly Cidr[] {
  const sorted = ranges
    .map(networkOf)
    .sort((a, b) => compareWords(a.address.words, b.address.words) || a.prefix - b.prefix)
  const kept: Cidr[] = []
  for (const range of sorted) {
    const last = kept.at(-1)
    if (last && last.prefix <= range.prefix && sharesPrefix(range.address.words, last)) continue
    kept.push(range)
    joinHalves(kept)
  }
  return kept
}

function joinHalves(kept: Cidr[]): void {
  while (kept.length > 1) {
    const right = kept.at(-1)!
    const left = kept.at(-2)!
    if (left.prefix !== right.prefix || left.prefix === 0) return
    const whole = networkOf({ address: left.address, prefix: left.prefix - 1 })
    if (compareWords(whole.address.words, left.address.words) !== 0) return
    if (!sharesPrefix(right.address.words, whole)) return
    kept.splice(-2, 2, whole)
  }
}

function lastNotAfter(sorted: readonly Cidr[], words: readonly number[]): Cidr | undefined {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareWords(sorted[middle]!.address.words, words) <= 0) low = middle + 1
    else high = middle
  }
  return sorted[low - 1]
}
