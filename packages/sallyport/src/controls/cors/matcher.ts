// Says whether an origin matches a pattern of the list. The patterns stand in a radix tree, read from the right, so
// that the work is linear in the length of the origin, however many patterns there are, and nothing is copied.

import type { ListedOrigin } from './origin.ts'

/** True where the origin is below one of the patterns. */
export type PatternMatch = (origin: string) => boolean

interface Node {
  /** What is read, its last character first, after the way to this node. */
  readonly edge: string
  /** True where a pattern ends: all that is left must be labels. */
  ends: boolean
  /** By the last character of their edges. */
  readonly next: Map<number, Node>
}

// A scheme, a host name of 253 characters (RFC 1035, section 2.3.4), a port.
const LONGEST_ORIGIN = 'https://'.length + 253 + ':65535'.length

/** Compiles the patterns of a list; its exact origins are left to a map. */
export function compilePatterns(origins: readonly ListedOrigin[]): PatternMatch {
  const https = emptyNode('')
  const http = emptyNode('')
  const patterns = origins.filter((origin) => origin.isPattern)
  // The dot belongs to what must follow: "https://*.example.com" does not cover "https://evilexample.com".
  for (const { scheme, host, port } of patterns)
    insert(scheme === 'https' ? https : http, `.${host}${port === '' ? '' : `:${port}`}`)
  if (patterns.length === 0) return matchesNothing
  return function matchesPattern(origin) {
    if (origin.length > LONGEST_ORIGIN) return false
    if (origin.startsWith('https://')) return matchesTree(https, origin, 8)
    if (origin.startsWith('http://')) return matchesTree(http, origin, 7)
    return false
  }
}

function matchesNothing(): boolean {
  return false
}

function emptyNode(edge: string): Node {
  return { edge, ends: false, next: new Map() }
}

function lastCode(text: string): number {
  return text.charCodeAt(text.length - 1)
}

function insert(root: Node, suffix: string): void {
  let node = root
  let rest = suffix
  while (rest !== '') {
    const child = node.next.get(lastCode(rest))
    if (!child) {
      const leaf = emptyNode(rest)
      leaf.ends = true
      node.next.set(lastCode(rest), leaf)
      return
    }
    const shared = sharedTail(child.edge, rest)
    node = shared === child.edge.length ? child : split(node, child, shared)
    rest = rest.slice(0, rest.length - shared)
  }
  node.ends = true
}

/** Puts a node in the middle of an edge. */
function split(parent: Node, child: Node, shared: number): Node {
  const at = child.edge.length - shared
  const middle = emptyNode(child.edge.slice(at))
  const lower: Node = { ...child, edge: child.edge.slice(0, at) }
  middle.next.set(lastCode(lower.edge), lower)
  parent.next.set(lastCode(middle.edge), middle)
  return middle
}

function sharedTail(a: string, b: string): number {
  let length = 0
  while (
    length < a.length &&
    length < b.length &&
    a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length)
  )
    length++
  return length
}

function matchesTree(root: Node, origin: string, start: number): boolean {
  let end = origin.length
  let node: Node | undefined = root
  while (end > start) {
    node = node.next.get(origin.charCodeAt(end - 1))
    if (!node) return false
    const { edge } = node
    for (let i = edge.length - 2; i >= 0; i--)
      if (origin.charCodeAt(end - edge.length + i) !== edge.charCodeAt(i)) return false
    end -= edge.length
    if (node.ends) return areLabels(origin, start, end)
  }
  return false
}

// What stands for the "*": labels of small letters, digits and hyphens, as browsers send them. Everything else that
// could be put there (user info, an underscore, an empty label, another "://") is no host name below ours.
// An edge that reached into the scheme leaves nothing, which is no label either.
function areLabels(origin: string, start: number, end: number): boolean {
  let length = 0
  for (let i = start; i < end; i++) {
    const code = origin.charCodeAt(i)
    if (code === 46) {
      if (length === 0) return false
      length = 0
    } else if ((code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 45) {
      if (++length > 63) return false
    } else return false
  }
  return length > 0
}
