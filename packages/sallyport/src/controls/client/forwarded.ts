// One element of the Forwarded header (RFC 7239).

import { type Address, parseAddress } from '../../policy/address.ts'

/** What a proxy says of the request that reached it. */
export interface ForwardedElement {
  /** `undefined` where there is none, or where it is "unknown" or an obfuscated identifier. */
  readonly address: Address | undefined
  readonly proto: string | undefined
  readonly host: string | undefined
}

// RFC 9110, section 5.6.2; sticky, so that it reads on from where the parser stands.
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
// RFC 9110, section 5.6.4, in one pass: each character is a plain one or the second of a pair.
const QUOTED = /"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"/y
const SPACES = /[\t ]*/y

/** Reads `for=192.0.2.60;proto=https`; `undefined` where it breaks the grammar or names a parameter twice. */
export function parseForwardedElement(text: string): ForwardedElement | undefined {
  const parameters = new Map<string, string>()
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (!match) return undefined
    at = pattern.lastIndex
    return match[0]
  }
  while (at < text.length) {
    take(SPACES)
    // RFC 7239, section 4: pairs may be missing between semicolons.
    if (text[at] !== ';' && at < text.length) {
      const name = take(TOKEN)?.toLowerCase()
      if (name === undefined || text[at++] !== '=' || parameters.has(name)) return undefined
      const value = take(TOKEN) ?? take(QUOTED)
      if (value === undefined) return undefined
      parameters.set(name, value.startsWith('"') ? unquoted(value) : value)
      take(SPACES)
    }
    if (at < text.length && text[at++] !== ';') return undefined
  }
  const node = parameters.get('for')
  const address = node === undefined ? undefined : parseNode(node)
  if (address === null) return undefined
  return { address, proto: parameters.get('proto'), host: parameters.get('host') }
}

function unquoted(value: string): string {
  return value.slice(1, -1).replace(/\\(.)/gs, '$1')
}

// RFC 7239, section 6: node = nodename [ ":" node-port ].
const NODE =
  /^(?:([0-9.]{7,15})|\[([0-9A-Fa-f:.]{2,45})\]|(unknown)|_[A-Za-z0-9._-]+)(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?$/i

// `undefined` where the node hides itself, `null` where it can't be read.
function parseNode(text: string): Address | undefined | null {
  const match = NODE.exec(text)
  if (!match) return null
  const [, four, six] = match
  if (four !== undefined) return parseAddress(four) ?? null
  if (six !== undefined) return (six.includes(':') ? parseAddress(six) : undefined) ?? null
  return undefined
}
