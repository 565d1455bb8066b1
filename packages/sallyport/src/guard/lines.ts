// Response header lines, made once: as wire bytes for Node and as pairs for Fetch hosts.

/** Header lines that never change once made. */
export interface Lines {
  readonly pairs: readonly (readonly [name: string, value: string])[]
  /** `Name: value\r\n` for each pair. */
  readonly wire: string
  /** True where no other answer has these lines, so that nobody keeps anything made of them. */
  readonly once?: true
}

export const NO_LINES: Lines = { pairs: [], wire: '' }

// RFC 9110, section 5.6.2.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// Visible ASCII, space and tab: RFC 9110, section 5.5, without obs-text, which clients decode differently.
const VALUE = /^[\t\x20-\x7e]*$/

/**
 * Makes lines. The wire form skips Node's own checks, so names and values are checked here.
 *
 * @throws TypeError for a name or value that could break out of its line
 */
export function lines(pairs: readonly (readonly [name: string, value: string])[]): Lines {
  for (const [name, value] of pairs) {
    if (!TOKEN.test(name)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`)
    if (!VALUE.test(value)) throw new TypeError(`not a value for ${name}: ${JSON.stringify(value)}`)
  }
  return { pairs, wire: pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('') }
}

/** Lines after one another. */
export function joinLines(...parts: readonly Lines[]): Lines {
  return { pairs: parts.flatMap((part) => part.pairs), wire: parts.map((part) => part.wire).join('') }
}

/** True for a header name (RFC 9110, section 5.6.2). */
export function isHeaderName(name: string): boolean {
  return TOKEN.test(name)
}

/** True for a value that fits in one line. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value)
}
