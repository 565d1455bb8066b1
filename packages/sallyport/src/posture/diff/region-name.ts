// What the requests of a region are called: the pattern that both of its cells have in common.

import type { ResolvedCell } from '../../guard/resolve.ts'
import type { Pattern, Segment } from '../../policy/pattern.ts'

/** `GET /v1/users`, where `/v1/:id` and `GET /:x/users` meet. */
export function regionName(before: ResolvedCell, after: ResolvedCell): string {
  const isStrict = before.origin === 'strict' || after.origin === 'strict'
  const name = common(writtenPattern(before), writtenPattern(after))
  if (!isStrict) return name ?? '*'
  return name === undefined ? '!' : `! ${name}`
}

interface Written {
  readonly method: string | undefined
  readonly parts: readonly string[]
}

// The cell of a path with two readings is named after the route that one of them leads to.
function writtenPattern({ id, pattern, method }: ResolvedCell): Written | undefined {
  if (pattern) return { method: pattern.method, parts: partsOf(pattern) }
  const name = id.replace(/^! ?/, '')
  if (name === '' || name === '*') return undefined
  return { method, parts: name.slice(name.indexOf('/') + 1).split('/') }
}

function partsOf({ segments }: Pattern): readonly string[] {
  return segments.map(partOf)
}

function partOf(segment: Segment): string {
  if (segment.kind === 'static') return segment.text
  return segment.kind === 'param' ? `:${segment.name}` : '*'
}

function common(a: Written | undefined, b: Written | undefined): string | undefined {
  if (a === undefined || b === undefined) return nameOf(a ?? b)
  const parts: string[] = []
  for (let i = 0; i < Math.max(a.parts.length, b.parts.length); i++) {
    const [left, right] = [a.parts[i], b.parts[i]]
    if (left === '*' || right === '*') {
      // The wildcard covers what the other one says from here on.
      parts.push(...(left === '*' ? b.parts : a.parts).slice(i))
      break
    }
    if (left === undefined || right === undefined) break
    parts.push(left.startsWith(':') ? right : left)
  }
  // Of GET and HEAD, only HEAD is a method that both cover.
  const method = a.method === b.method || b.method === undefined ? a.method : a.method ? 'HEAD' : b.method
  return nameOf({ method, parts })
}

function nameOf(written: Written | undefined): string | undefined {
  if (written === undefined) return undefined
  const path = `/${written.parts.join('/')}`
  return written.method === undefined ? path : `${written.method} ${path}`
}
