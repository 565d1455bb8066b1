// Says whether an origin matches a pattern of the list. The patterns stand in a tree by labels from the right, so the
// work is linear in the length of the origin, however many patterns there are.

import type { ListedOrigin } from './origin.ts'

/** True where the origin is below one of the patterns. */
export type PatternMatch = (origin: string) => boolean

interface Node {
  /** True where a pattern ends: at least one more label must follow to the left. */
  ends: boolean
  readonly next: Map<string, Node>
}

// A scheme, a host name of 253 characters (RFC 1035, section 2.3.4), a port.
const LONGEST_ORIGIN = 'https://'.length + 253 + ':65535'.length

/** Compiles the patterns of a list; its exact origins are left to a map. */
export function compilePatterns(origins: readonly ListedOrigin[]): PatternMatch {
  // By scheme, then by port.
  const trees = { https: new Map<string, Node>(), http: new Map<string, Node>() }
  let count = 0
  for (const { isPattern, scheme, host, port } of origins) {
    if (!isPattern) continue
    count++
    let node = childOf(trees[scheme], port)
    for (const label of host.split('.').reverse()) node = childOf(node.next, label)
    node.ends = true
  }
  if (count === 0) return matchesNothing
  return function matchesPattern(origin) {
    if (origin.length > LONGEST_ORIGIN) return false
    if (origin.startsWith('https://')) return matchesTree(trees.https, origin, 8)
    if (origin.startsWith('http://')) return matchesTree(trees.http, origin, 7)
    return false
  }
}

function matchesNothing(): boolean {
  return false
}

function childOf(nodes: Map<string, Node>, key: string): Node {
  let node = nodes.get(key)
  if (!node) {
    node = { ends: false, next: new Map() }
    nodes.set(key, node)
  }
  return node
}

function matchesTree(ports: ReadonlyMap<string, Node>, origin: string, start: number): boolean {
  const colon = origin.indexOf(':', start)
  if (colon === origin.length - 1) return false
  let node = ports.get(colon < 0 ? '' : origin.slice(colon + 1))
  let end = colon < 0 ? origin.length : colon
  while (node) {
    const dot = origin.lastIndexOf('.', end - 1)
    // The left-most label is what the "*" stands for: it is never looked up.
    if (dot < start) return false
    node = node.next.get(origin.slice(dot + 1, end))
    if (node?.ends) return areLabels(origin, start, dot)
    end = dot
  }
  return false
}

// What stands for the "*": labels of small letters, digits and hyphens, as browsers send them. Everything else that
// could be put there (user info, an underscore, an empty label, another "://") is no host name below ours.
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
