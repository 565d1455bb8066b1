// The Host of a request: RFC 9110, section 7.2, with the host names that resolve in practice and no others. What is
// left out (percent-escapes, sub-delims, IPvFuture, zone ids) is sent by attacks only, and read differently by programs.

const DIGIT = 1
const LETTER = 2
const KINDS = new Uint8Array(128)
for (const char of '0123456789') KINDS[char.charCodeAt(0)] = DIGIT
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_')
  KINDS[char.charCodeAt(0)] = LETTER

const COLON = 58
const DOTTED = 46
const BRACKET = 91

// A host name has at most 253 characters, a last dot, a colon and five digits.
const MAX_LENGTH = 260

/** True for `name`, `name:port`, `1.2.3.4:port` and `[v6]:port`. One pass over names, no allocation. */
export function isHost(value: string): boolean {
  const { length } = value
  if (length === 0 || length > MAX_LENGTH) return false
  if (value.charCodeAt(0) === BRACKET) {
    const close = value.indexOf(']')
    return (
      close > 0 &&
      isIPv6(value.slice(1, close)) &&
      (close + 1 === length || (value.charCodeAt(close + 1) === COLON && isPort(value, close + 2)))
    )
  }
  let labelStart = 0
  // The last label that is not empty.
  let lastStart = 0
  let lastEnd = length
  let letters = false
  let end = length
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code === COLON) {
      if (!isPort(value, i + 1)) return false
      end = i
      if (lastEnd > i) lastEnd = i
      break
    }
    if (code === DOTTED) {
      // "a..b" and ".a" name nothing; one last dot makes a name absolute.
      if (i === labelStart) return false
      labelStart = i + 1
      if (labelStart < length && value.charCodeAt(labelStart) !== COLON) {
        letters = false
        lastStart = labelStart
      } else lastEnd = i
    } else {
      const kind = code < 128 ? KINDS[code]! : 0
      if (kind === 0) return false
      if (kind === LETTER) letters = true
    }
  }
  if (end === 0 || end > 254) return false
  // A name whose last label is a number is an address to most programs (URL standard, "ends in a number").
  return letters ? !isHexLabel(value, lastStart, lastEnd) : isIPv4(value, 0, end)
}

// 0x7f000001 is read as an address as well.
function isHexLabel(value: string, from: number, end: number): boolean {
  if (value.charCodeAt(from) !== 48 || (value.charCodeAt(from + 1) | 32) !== 120) return false
  for (let i = from + 2; i < end; i++) {
    const code = value.charCodeAt(i) | 32
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false
  }
  return true
}

function isPort(value: string, from: number): boolean {
  const digits = value.length - from
  if (digits < 1 || digits > 5) return false
  let port = 0
  for (let i = from; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= 65_535
}

function isIPv4(value: string, from: number, end: number): boolean {
  let octets = 0
  let start = from
  for (let i = from; i <= end; i++) {
    if (i < end && value.charCodeAt(i) !== DOTTED) continue
    const digits = i - start
    // Leading zeros are octal to some programs.
    if (digits < 1 || digits > 3 || (digits > 1 && value.charCodeAt(start) === 48)) return false
    let octet = 0
    for (let n = start; n < i; n++) {
      const digit = value.charCodeAt(n) - 48
      if (digit < 0 || digit > 9) return false
      octet = octet * 10 + digit
    }
    if (octet > 255) return false
    octets++
    start = i + 1
  }
  return octets === 4
}

const GROUP = /^[0-9A-Fa-f]{1,4}$/

/** RFC 3986, section 3.2.2: eight groups, or fewer around one "::", the last two perhaps as an IPv4 address. */
function isIPv6(text: string): boolean {
  if (text.length > 45) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  let groups = 0
  for (const [index, half] of halves.entries()) {
    if (half === '') continue
    const parts = half.split(':')
    for (const [n, part] of parts.entries()) {
      const last = index === halves.length - 1 && n === parts.length - 1
      if (last && part.includes('.')) {
        if (!isIPv4(part, 0, part.length)) return false
        groups += 2
      } else if (GROUP.test(part)) groups++
      else return false
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8
}
