// The request target: its form (RFC 9112, section 3.2), and the characters that may stand in it.

import type { Exchange } from '../../guard/exchange.ts'

const IN_PATH = 1
const IN_QUERY = 2
const ALLOWED = new Uint8Array(128)
function allow(chars: string, where: number): void {
  for (const char of chars) ALLOWED[char.charCodeAt(0)]! |= where
}
// RFC 3986, sections 3.3 and 3.4.
allow("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%", IN_PATH | IN_QUERY)
// Browsers leave these as they are (URL standard, path and query percent-encode sets), so refusing them would break
// links that work today. A path that holds one is not canonical all the same.
allow('[]|^', IN_PATH | IN_QUERY)
allow('?`{}\\', IN_QUERY)

const SLASH = 47

/** True where the target is in a form and of characters that all programs read alike. */
export function isTarget(exchange: Exchange, host: string | undefined): boolean {
  const { target, incoming, path } = exchange
  if (target.charCodeAt(0) !== SLASH) return target === '*' && incoming.method === 'OPTIONS'
  if (incoming.target.charCodeAt(0) !== SLASH && !agreesWithHost(incoming.target, host)) return false
  // Outside the strict cell the path is canonical, and only the query is new.
  if (exchange.cell.origin === 'strict' && !isMadeOf(target, 0, path.length, IN_PATH)) return false
  return isMadeOf(target, path.length, target.length, IN_QUERY)
}

function isMadeOf(text: string, from: number, to: number, where: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code >= 128 || (ALLOWED[code]! & where) === 0) return false
  }
  return true
}

// RFC 9112, section 3.2.2: the authority of an absolute-form target stands for the Host. Programs disagree on which
// one counts where they differ, so they must not differ; user names are never accepted (RFC 9110, section 4.2.4).
function agreesWithHost(target: string, host: string | undefined): boolean {
  const match = /^https?:\/\/([^/?#]+)/i.exec(target)
  return match !== null && host !== undefined && match[1]!.toLowerCase() === host.toLowerCase()
}
