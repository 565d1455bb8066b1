// Route patterns: `/v1/account/*`, `GET /v1/users/:id`. Parsing, and the reasons to refuse one.

import { type PathFault, pathFault } from './canonical.ts'
import { nearest } from './problem.ts'

/** The methods that a route may name. CONNECT and TRACE are refused by the `request` control and have no routes. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'] as const

/** A parsed route key. */
export interface Pattern {
  /** The path as written, e.g. `/v1/users/:id`. */
  readonly path: string
  /** The one method it is for; `undefined` is every method. */
  readonly method: string | undefined
  readonly segments: readonly Segment[]
}

/** One segment of a pattern; a wildcard stands last and covers the bare path and every depth. */
export type Segment =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'wildcard' }

/** What is wrong with a route key. */
export interface PatternFault {
  readonly message: string
  readonly mend: string
}

/** Reads a route key: an optional method, a space, a path of canonical form. */
export function parsePattern(key: string): Pattern | PatternFault {
  const space = key.startsWith('/') ? -1 : key.indexOf(' ')
  const method = space < 0 ? undefined : key.slice(0, space)
  const path = space < 0 ? key : key.slice(space + 1)
  if (method !== undefined && !(METHODS as readonly string[]).includes(method))
    return {
      message: `a route may name one method of ${METHODS.join(', ')}`,
      mend: `write "${nearest(method, METHODS) ?? 'GET'} /${path.trim().replace(/^\/+/, '')}", or no method for every one`,
    }
  if (!path.startsWith('/'))
    return {
      message: 'a route path starts with "/"',
      mend: `write "${method ? `${method} ` : ''}/${path.trim().replace(/^\/+/, '')}"`,
    }
  const segments: Segment[] = []
  const parts = path.slice(1).split('/')
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1
    if (part === '*') {
      if (!last)
        return {
          message: '"*" may only stand as the last segment',
          mend: 'use ":name" for one segment in the middle',
        }
      segments.push({ kind: 'wildcard' })
    } else if (part.includes('*'))
      return { message: '"*" must be a whole segment', mend: 'write "/files/*", or ":name" for one segment' }
    else if (part.startsWith(':')) {
      if (!/^:[A-Za-z_]\w*$/.test(part))
        return { message: 'a parameter is ":" and a name of letters, digits and "_"', mend: 'write ":id"' }
      segments.push({ kind: 'param', name: part.slice(1) })
    } else if (part.includes(':') || part.includes('{') || part.includes('('))
      return { message: 'a segment is a word, ":name" or "*"', mend: 'write "/users/:id"' }
    else segments.push({ kind: 'static', text: part })
  }
  // The wildcard leaves its "/" behind, so that "//*" and "/x//*" show their empty segments.
  const plain = path.replace(/\*$/, '').replaceAll(':', '')
  const fault = pathFault(plain)
  if (fault)
    return {
      message: `a route path is written as clients send it, and this one has ${FAULTS[fault][0]}`,
      mend: FAULTS[fault][1],
    }
  return { path, method, segments }
}

const FAULTS: Readonly<Record<PathFault, readonly [has: string, mend: string]>> = {
  'not-absolute': ['no "/" at its start', 'write "/path"'],
  'empty-segment': ['an empty segment', 'write one "/" for "//"'],
  'dot-segment': ['a dot segment', 'write the path that it leads to, without "." and ".."'],
  backslash: ['a backslash', 'write "/"'],
  semicolon: ['a semicolon', 'servers disagree about ";": choose another path'],
  'control-character': ['a control character', 'remove it'],
  'raw-character': [
    'a character that must be escaped',
    'write it as %XX, without query or fragment: routes match the path alone',
  ],
  'bad-escape': ['"%" without two hexadecimal digits after it', 'write "%25" for "%" itself'],
  'double-escape': ['an escaped "%"', 'choose a path without it: servers disagree about it'],
  'lower-case-escape': ['an escape in small letters', 'write its digits in capitals, such as %C3'],
  'needless-escape': ['an escape of a plain character', 'write the character itself'],
  'encoded-separator': [
    'an escaped slash or backslash',
    'choose a path without it: servers disagree about it',
  ],
  'invalid-utf8': ['an escape that is not UTF-8', 'escape the UTF-8 bytes of the character'],
}

/** True where `parsePattern` found a fault. */
export function isPatternFault(result: Pattern | PatternFault): result is PatternFault {
  return 'mend' in result
}

/**
 * How a program would read a path that ignores letter case and a trailing slash, and that takes an escaped character for
 * the character where a path may hold both (RFC 3986, section 3.3: sub-delims, ":" and "@").
 */
export function foldPath(path: string): string {
  const folded = foldText(path)
  return folded.length > 1 && folded.endsWith('/') ? folded.slice(0, -1) : folded
}

/** The same for a piece of a path. */
export function foldText(text: string): string {
  const lower = text.toLowerCase()
  return lower.includes('%')
    ? lower.replace(/%(?:2[146-9a-c]|3[ad]|40)/g, (code) => decodeURIComponent(code))
    : lower
}

/**
 * How the most forgiving program would read a path: decoded, backslashes as slashes, without parameters, empty and dot
 * segments. Total: what can't be decoded stays as it is.
 */
export function loosePath(path: string): string {
  let text = path
  // Two rounds: some programs decode twice.
  for (let round = 0; round < 2 && text.includes('%'); round++)
    text = text.replace(/%([0-9a-f]{2})/gi, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    )
  const segments: string[] = []
  for (const part of text.replaceAll('\\', '/').split('/')) {
    const semicolon = part.indexOf(';')
    const segment = semicolon < 0 ? part : part.slice(0, semicolon)
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return foldPath(`/${segments.join('/')}`)
}
