// Values that stand written out in a source text: objects, lists, texts, numbers and their products, and constants that
// hold such. Whatever is computed is UNKNOWN; nothing is ever run.

import type { Token } from './tokens.ts'

/** Stands for a value that only running the program would tell. */
export const UNKNOWN: unique symbol = Symbol('computed')

const DEEPEST = 40
const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }
const ENDS = new Set([',', ')', ']', '}', ';'])

/** A value, and the index of the first token after it. */
interface Read {
  readonly value: unknown
  readonly next: number
}

/** Reads values of a token list. */
export interface LiteralReader {
  /** The value that begins at an index. */
  at(index: number): Read
}

/** Makes a reader. */
export function literalReader(tokens: readonly Token[]): LiteralReader {
  const constants = constantsOf(tokens)
  const text = (index: number): string | undefined => {
    const token = tokens[index]
    return token?.kind === 'text' ? undefined : token?.text
  }
  // Constants that name each other must come to an end.
  const reading = new Set<string>()
  // Constants of constants can unfold without end: what is over this many tokens is not read.
  let budget = 500_000

  /** The index of the token that ends an expression. */
  function skip(from: number): number {
    const open: string[] = []
    for (let i = from; i < tokens.length && --budget >= 0; i++) {
      const here = text(i)
      if (tokens[i]!.kind !== 'punctuator' || here === undefined) continue
      if (open.length === 0 && ENDS.has(here)) return i
      if (CLOSES[here] !== undefined) open.push(CLOSES[here])
      else if (here === open.at(-1)) open.pop()
    }
    return tokens.length
  }

  function expression(index: number, depth: number): Read {
    let { value, next } = primary(index, depth)
    while (text(next) === '*' && typeof value === 'number') {
      const factor = primary(next + 1, depth)
      value = typeof factor.value === 'number' ? value * factor.value : UNKNOWN
      next = factor.next
    }
    const after = text(next)
    // TypeScript's word about a type changes no value.
    if (after === 'as' || after === 'satisfies') return { value, next: skip(next) }
    if (next >= tokens.length || (after !== undefined && ENDS.has(after))) return { value, next }
    // Without semicolons a declaration ends where its line does.
    if (tokens[next]!.line > tokens[next - 1]!.line && tokens[next]!.kind === 'word') return { value, next }
    return { value: UNKNOWN, next: skip(next) }
  }

  function primary(index: number, depth: number): Read {
    const token = tokens[index]
    if (token === undefined || depth > DEEPEST || --budget < 0) return { value: UNKNOWN, next: skip(index) }
    const next = index + 1
    if (token.kind === 'text') return { value: token.text, next }
    if (token.kind === 'number') {
      const value = Number(token.text.replaceAll('_', ''))
      return { value: Number.isNaN(value) ? UNKNOWN : value, next }
    }
    if (token.text === '{') return object(next, depth + 1)
    if (token.text === '[') return list(next, depth + 1)
    if (token.kind === 'word') return { value: named(token.text, depth), next }
    return { value: UNKNOWN, next: token.kind === 'other' ? next : skip(index) }
  }

  function named(name: string, depth: number): unknown {
    if (name === 'true') return true
    if (name === 'false') return false
    if (name === 'null') return null
    if (name === 'undefined') return undefined
    const declared = constants.get(name)
    if (declared === undefined || reading.has(name)) return UNKNOWN
    reading.add(name)
    const { value } = expression(declared, depth + 1)
    reading.delete(name)
    return value
  }

  function list(from: number, depth: number): Read {
    const values: unknown[] = []
    let i = from
    while (i < tokens.length && text(i) !== ']') {
      const isSpread = text(i) === '...'
      const { value, next } = expression(isSpread ? i + 1 : i, depth)
      if (!isSpread) values.push(value)
      else if (Array.isArray(value)) values.push(...(value as readonly unknown[]))
      else values.push(UNKNOWN)
      i = text(next) === ',' ? next + 1 : text(next) === ']' ? next : tokens.length
    }
    return { value: values, next: i + 1 }
  }

  function object(from: number, depth: number): Read {
    let members: Record<string, unknown> = Object.create(null)
    let isWhole = true
    let i = from
    while (i < tokens.length && text(i) !== '}') {
      const token = tokens[i]!
      let end: number
      if (token.text === '...' && token.kind === 'punctuator') {
        const { value, next } = expression(i + 1, depth)
        if (typeof value === 'object' && value !== null && !Array.isArray(value))
          members = { ...members, ...value }
        else isWhole = false
        end = next
      } else if (token.kind !== 'punctuator' && text(i + 1) === ':') {
        const { value, next } = expression(i + 2, depth)
        members[token.text] = value
        end = next
      } else if (token.kind === 'word' && ENDS.has(text(i + 1) ?? '')) {
        members[token.text] = named(token.text, depth)
        end = i + 1
      } else {
        // A method has a name that is told, and a value that is not; a computed name could be any.
        if (token.kind === 'word') members[token.text] = UNKNOWN
        else isWhole = false
        end = skip(i)
      }
      i = text(end) === ',' ? end + 1 : text(end) === '}' ? end : tokens.length
    }
    return { value: isWhole ? { ...members } : UNKNOWN, next: i + 1 }
  }

  return { at: (index) => expression(index, 0) }
}

// `const name = …` and `const name: Type = …`: the index of the value's first token. What is declared twice is nobody's.
function constantsOf(tokens: readonly Token[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  const twice = new Set<string>()
  for (let i = 0; i + 2 < tokens.length; i++) {
    if (tokens[i]!.text !== 'const' || tokens[i + 1]!.kind !== 'word') continue
    const name = tokens[i + 1]!.text
    let value = i + 2
    // A type annotation is short; one that is not is left alone.
    while (
      value < i + 40 &&
      value < tokens.length &&
      tokens[value]!.text !== '=' &&
      tokens[value]!.text !== ';'
    )
      value++
    if (tokens[value]?.text !== '=') continue
    if (found.has(name)) twice.add(name)
    found.set(name, value + 1)
  }
  for (const name of twice) found.delete(name)
  return found
}
