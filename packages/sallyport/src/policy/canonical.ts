// Which paths are canonical. A path that is not, matches no route: it meets the strict cell, since two programs
// may read it as two different paths (CVE-2025-47910, CVE-2026-24472 and their like).

/** Why a path is not canonical. */
export type PathFault =
  | 'not-absolute'
  | 'empty-segment'
  | 'dot-segment'
  | 'backslash'
  | 'semicolon'
  | 'control-character'
  | 'raw-character'
  | 'bad-escape'
  | 'lower-case-escape'
  | 'needless-escape'
  | 'double-escape'
  | 'encoded-separator'
  | 'invalid-utf8'

// RFC 3986 3.3: pchar = unreserved / sub-delims / ":" / "@"; ";" is left out, since path parameters are read differently
// by different servers.
const PCHAR = new Uint8Array(128)
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/")
  PCHAR[char.charCodeAt(0)] = 1

const HEX = new Int8Array(128).fill(-1)
for (let i = 0; i < 16; i++) {
  const digit = i.toString(16)
  HEX[digit.toUpperCase().charCodeAt(0)] = i
  HEX[digit.charCodeAt(0)] = i
}

const SLASH = 47
const DOT = 46
const PERCENT = 37
const SEMICOLON = 59

/**
 * Says why a path (no query) is not canonical, or `undefined` when it is. One pass, no allocation.
 *
 * @see RFC 3986, sections 3.3, 6.2.2
 */
export function pathFault(path: string, end: number = path.length): PathFault | undefined {
  if (end === 0 || path.charCodeAt(0) !== SLASH) return 'not-absolute'
  let segmentStart = 1
  for (let i = 1; i < end; i++) {
    const code = path.charCodeAt(i)
    if (code === SLASH) {
      if (i === segmentStart) return 'empty-segment'
      if (isDotSegment(path, segmentStart, i)) return 'dot-segment'
      segmentStart = i + 1
    } else if (code === PERCENT) {
      const fault = escapeFault(path, i, end)
      if (typeof fault === 'string') return fault
      i = fault
    } else if (code >= 128 || PCHAR[code] === 0) return rawFault(code)
  }
  return isDotSegment(path, segmentStart, end) ? 'dot-segment' : undefined
}

function isDotSegment(path: string, from: number, to: number): boolean {
  if (to - from === 1) return path.charCodeAt(from) === DOT
  return to - from === 2 && path.charCodeAt(from) === DOT && path.charCodeAt(from + 1) === DOT
}

function rawFault(code: number): PathFault {
  if (code === 92) return 'backslash'
  if (code === 59) return 'semicolon'
  if (code < 32 || code === 127) return 'control-character'
  return 'raw-character'
}

// Checks one escaped UTF-8 sequence that starts at `at`; returns the index of its last character, or the fault.
function escapeFault(path: string, at: number, end: number): number | PathFault {
  const lead = escapedByte(path, at, end)
  if (typeof lead === 'string') return lead
  if (lead < 0x80) {
    if (lead < 32 || lead === 127) return 'control-character'
    if (lead === SLASH || lead === 92) return 'encoded-separator'
    if (lead === DOT) return 'dot-segment'
    if (lead === SEMICOLON) return 'semicolon'
    // "%252E" is "." to whoever decodes twice.
    if (lead === PERCENT && at + 4 < end && isHex(path.charCodeAt(at + 3)) && isHex(path.charCodeAt(at + 4)))
      return 'double-escape'
    return isUnreserved(lead) ? 'needless-escape' : at + 2
  }
  // RFC 3629, section 4: the well-formed sequences, without overlong forms and surrogates.
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
  if (length === 0) return 'invalid-utf8'
  for (let n = 1; n < length; n++) {
    const start = at + n * 3
    if (start >= end || path.charCodeAt(start) !== PERCENT) return 'invalid-utf8'
    const byte = escapedByte(path, start, end)
    if (typeof byte === 'string') return byte
    const low = n > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = n > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (byte < low || byte > high) return 'invalid-utf8'
  }
  return at + length * 3 - 1
}

function escapedByte(path: string, at: number, end: number): number | PathFault {
  if (at + 2 >= end) return 'bad-escape'
  const first = path.charCodeAt(at + 1)
  const second = path.charCodeAt(at + 2)
  const high = first < 128 ? HEX[first]! : -1
  const low = second < 128 ? HEX[second]! : -1
  if (high < 0 || low < 0) return 'bad-escape'
  if (first > 96 || second > 96) return 'lower-case-escape'
  return high * 16 + low
}

function isHex(code: number): boolean {
  return code < 128 && HEX[code]! >= 0
}

function isUnreserved(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    (code >= 97 && code <= 122) ||
    code === 45 ||
    code === 46 ||
    code === 95 ||
    code === 126
  )
}
