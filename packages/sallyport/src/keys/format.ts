// How keys look: `sk_acme_live_` or `pk_acme_live_`, 32 digits of base 62 (190 bits, more than the 112 for which ASVS
// 6.5.2 lets a plain hash do), and six that check all before them. The name of the vendor is in it because scanners take
// a bare `sk_live_` for the key of another company.

import {
  BASE62,
  CHECKSUM_LENGTH,
  CRC_START,
  checksumOf,
  crcAfter,
  endsWithChecksum,
  isBase62,
} from './checksum.ts'

/** For servers alone, or for browsers and other programs that anybody can read. */
export type KeyKind = 'secret' | 'publishable'
export type KeyEnvironment = 'live' | 'test'

/** What the text of a key says by itself. */
export interface KeyShape {
  readonly kind: KeyKind
  readonly environment: KeyEnvironment
}

/** The keys of one vendor. */
export interface KeyFormat {
  readonly vendor: string
  /** What a well-formed key says; `undefined` for everything else. Total, and linear in a fixed length. */
  read(text: string): KeyShape | undefined
  /** A new key. `random` fills an array with random bytes. */
  make(shape: KeyShape, random: (bytes: Uint8Array) => Uint8Array): string
  /** Prefix and last four characters: all of a key that may be shown. */
  display(key: string): string
}

const RANDOM_LENGTH = 32
const VENDOR = /^[a-z][a-z0-9]{1,19}$/
// `sk_live_live_…` would be read by people, and by some scanners, as the key of somebody else.
const NOT_VENDORS = ['live', 'test', 'prod']

/** True for a name that keys may carry: 2 to 20 of a–z and 0–9, a letter first. */
export function isVendor(name: string): boolean {
  return VENDOR.test(name) && !NOT_VENDORS.includes(name)
}

/** True for what is meant as a key, well-formed or not, of whichever vendor. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith('sk_') || text.startsWith('pk_')
}

/**
 * The format of a vendor's keys.
 *
 * @throws RangeError where the name is none that keys may carry
 *
 * @example
 * ```ts
 * const format = keyFormat('acme')
 * const key = format.make({ kind: 'secret', environment: 'live' }, (bytes) => crypto.getRandomValues(bytes))
 * format.read(key) // { kind: 'secret', environment: 'live' }
 * ```
 */
export function keyFormat(vendor: string): KeyFormat {
  if (!isVendor(vendor))
    throw new RangeError(
      'The vendor in keys must be 2 to 20 of a–z and 0–9, begin with a letter, and not be live, test or prod.',
    )
  const heads = (['secret', 'publishable'] as const).flatMap((kind) =>
    (['live', 'test'] as const).map((environment) => {
      const prefix = `${kind === 'secret' ? 'sk' : 'pk'}_${vendor}_${environment}_`
      return {
        prefix,
        shape: Object.freeze({ kind, environment }),
        crc: crcAfter(CRC_START, prefix, 0, prefix.length),
      }
    }),
  )
  const start = heads[0]!.prefix.length
  const length = start + RANDOM_LENGTH + CHECKSUM_LENGTH
  return {
    vendor,
    read(text) {
      if (text.length !== length) return undefined
      for (const { prefix, shape, crc } of heads)
        if (text.startsWith(prefix))
          return isBase62(text, start) &&
            endsWithChecksum(text, crcAfter(crc, text, start, start + RANDOM_LENGTH))
            ? shape
            : undefined
      return undefined
    },
    make({ kind, environment }, random) {
      const head = heads.find(({ shape }) => shape.kind === kind && shape.environment === environment)!
      const text = head.prefix + randomDigits(RANDOM_LENGTH, random)
      return text + checksumOf(crcAfter(CRC_START, text, 0, text.length))
    },
    display: (key) => `${key.slice(0, start)}…${key.slice(-4)}`,
  }
}

/** True where a text ends with the checksum of what stands before it, whoever's key it is. */
export function holdsChecksum(text: string): boolean {
  const end = text.length - CHECKSUM_LENGTH
  return end > 0 && isBase62(text, end) && endsWithChecksum(text, crcAfter(CRC_START, text, 0, end))
}

// 248 is the last multiple of 62 that a byte reaches: what is above is drawn again, so that no digit is likelier.
function randomDigits(count: number, random: (bytes: Uint8Array) => Uint8Array): string {
  let digits = ''
  const bytes = new Uint8Array(count)
  while (digits.length < count) {
    random(bytes)
    for (const byte of bytes) if (byte < 248 && digits.length < count) digits += BASE62[byte % 62]
  }
  return digits
}
