// JSON as tokens need it: an object, in valid UTF-8, in which no member stands twice. Two programs that take different
// ones of two members read two different tokens (RFC 7515, section 4; RFC 7519, section 4).

/** An object as it was read; its members are anything. */
export type JsonObject = { readonly [name: string]: unknown }

const MAX_DEPTH = 16

/** The object; `undefined` for everything else, and where a member stands twice or the nesting is deep. */
export function readJsonObject(bytes: Uint8Array): JsonObject | undefined {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return repeatsNothing(text) ? (value as JsonObject) : undefined
}

/** Walks over a text that is JSON once, with the names of each open object beside it. */
function repeatsNothing(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '{' || char === '[') {
      if (open.push(char === '{' ? new Set() : undefined) > MAX_DEPTH) return false
    } else if (char === '}' || char === ']') open.pop()
    else if (char === '"') {
      const end = endOfString(text, i)
      if (isName(text, end)) {
        // "a" and "\u0061" are one name.
        const name = JSON.parse(text.slice(i, end)) as string
        const names = open.at(-1)
        if (names?.has(name)) return false
        names?.add(name)
      }
      i = end - 1
    }
  }
  return true
}

function endOfString(text: string, start: number): number {
  let i = start + 1
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}

// Outside a string a colon stands behind names alone.
function isName(text: string, end: number): boolean {
  let i = end
  while (text[i] === ' ' || text[i] === '\t' || text[i] === '\n' || text[i] === '\r') i++
  return text[i] === ':'
}
