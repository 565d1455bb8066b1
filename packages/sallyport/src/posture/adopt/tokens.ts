// JavaScript and TypeScript as tokens, as far as option objects need it. Total and linear: any text gives tokens, none of
// it is run, and what is not understood is a token that means nothing.

/** One token. A regular expression, and a template with parts that are computed, has no value. */
export interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'punctuator' | 'other'
  readonly text: string
  /** From 1. */
  readonly line: number
}

const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /(?:0x[\da-f_]+|\d[\d_]*(?:\.[\d_]+)?(?:e[+-]?\d+)?)n?/iy
const PUNCTUATOR = /=>|\.\.\.|\*\*|[=!<>]=+|&&|\|\||\?\?|\?\.|[\s\S]/uy
const SPACE = /\s+/y
const REGEX = /\/(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/[a-z]*/y
// After these a "/" divides; after all else it begins a regular expression.
const ENDS_VALUE = /^[)\]}]$/
const NO_VALUE = /^(?:return|typeof|case|in|of|delete|void|throw|new|await|yield|default|else|do)$/

/** Reads the tokens of a source text. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  let line = 1
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  const take = (kind: Token['kind'] | undefined, length: number, text: string): void => {
    if (kind !== undefined) tokens.push({ kind, text, line })
    for (let i = at; i < at + length; i++) if (source.charCodeAt(i) === 10) line++
    at += length
  }
  const endsValue = (): boolean => {
    const last = tokens.at(-1)
    if (last === undefined) return false
    if (last.kind === 'punctuator') return ENDS_VALUE.test(last.text)
    return last.kind !== 'word' || !NO_VALUE.test(last.text)
  }
  while (at < source.length) {
    const two = source.slice(at, at + 2)
    const space = match(SPACE)
    if (space !== undefined) take(undefined, space.length, space)
    else if (two === '//') take(undefined, lengthTo(source, at, '\n'), '')
    else if (two === '/*') take(undefined, lengthTo(source, at + 2, '*/') + 4, '')
    else if (two[0] === '"' || two[0] === "'") {
      const length = quotedLength(source, at)
      take('text', length, unescaped(source.slice(at + 1, at + length - 1)))
    } else if (two[0] === '`') {
      const { length, isPlain } = templateLength(source, at)
      take(
        isPlain ? 'text' : 'other',
        length,
        isPlain ? unescaped(source.slice(at + 1, at + length - 1)) : '',
      )
    } else {
      const regex = two[0] === '/' && !endsValue() ? match(REGEX) : undefined
      const word = match(WORD)
      const number = match(NUMBER)
      if (regex !== undefined) take('other', regex.length, regex)
      else if (word !== undefined) take('word', word.length, word)
      else if (number !== undefined) take('number', number.length, number)
      else take('punctuator', match(PUNCTUATOR)!.length, match(PUNCTUATOR)!)
    }
  }
  return tokens
}

function lengthTo(source: string, from: number, end: string): number {
  const found = source.indexOf(end, from)
  return (found < 0 ? source.length : found) - from
}

function quotedLength(source: string, start: number): number {
  const quote = source[start]
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === '\\') i++
    else if (source[i] === quote) return i + 1 - start
    else if (source[i] === '\n') return i - start
  }
  return source.length - start
}

// The end of a template whose computed parts may hold templates; braces and backticks are counted, no more.
function templateLength(
  source: string,
  start: number,
): { readonly length: number; readonly isPlain: boolean } {
  const open: ('`' | '{')[] = ['`']
  let isPlain = true
  let i = start + 1
  for (; i < source.length && open.length > 0; i++) {
    const isText = open.at(-1) === '`'
    if (source[i] === '\\') i++
    else if (source[i] === '`') {
      if (isText) open.pop()
      else open.push('`')
    } else if (isText && source[i] === '$' && source[i + 1] === '{') {
      isPlain = false
      open.push('{')
      i++
    } else if (!isText && source[i] === '{') open.push('{')
    else if (!isText && source[i] === '}') open.pop()
  }
  return { length: Math.min(i, source.length) - start, isPlain }
}

function unescaped(text: string): string {
  return text.replace(/\\([\s\S])/g, (_all, character: string) =>
    character === 'n' ? '\n' : character === 't' ? '\t' : character === '\n' ? '' : character,
  )
}
