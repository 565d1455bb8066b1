// The words of an expression as PostgreSQL prints it back (`pg_get_expr`): enough to see what is compared with what.

/** One word: a name (in lower case where it was not quoted), a text, a number, or signs. */
export interface Token {
  readonly kind: 'name' | 'text' | 'number' | 'sign'
  readonly value: string
}

// One alternative for each first character, so that nothing is read twice.
const WORD =
  /\s+|[eE]?'(?:[^'\\]|''|\\[\s\S])*'|"((?:[^"]|"")*)"|([A-Za-z_][A-Za-z0-9_$]*)|(\d+(?:\.\d+)?)|::|[(),.[\];]|[-+*/<>=~!@#%^&|`?:]+/y

/** Reads an expression; `undefined` where a word is none that is known. */
export function tokensOf(expression: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  WORD.lastIndex = 0
  while (WORD.lastIndex < expression.length) {
    const found = WORD.exec(expression)
    if (found === null) return undefined
    const [word, quoted, name, number] = found
    if (quoted !== undefined) tokens.push({ kind: 'name', value: quoted.replaceAll('""', '"') })
    else if (name !== undefined && !word.includes("'"))
      tokens.push({ kind: 'name', value: name.toLowerCase() })
    else if (number !== undefined) tokens.push({ kind: 'number', value: number })
    else if (word.endsWith("'")) tokens.push({ kind: 'text', value: word.slice(word.indexOf("'") + 1, -1) })
    else if (word.trim() !== '') tokens.push({ kind: 'sign', value: word })
  }
  return tokens
}

/** Whether a token is this name or sign. */
export function isWord(token: Token | undefined, value: string): boolean {
  return token !== undefined && token.value === value && (token.kind === 'name' || token.kind === 'sign')
}

/** Without the parentheses around the whole. */
export function bare(tokens: readonly Token[]): readonly Token[] {
  let inner = tokens
  while (isWord(inner[0], '(') && closing(inner) === inner.length - 1) inner = inner.slice(1, -1)
  return inner
}

// Where the parenthesis that opens the list is closed.
function closing(tokens: readonly Token[]): number {
  let depth = 0
  for (const [index, token] of tokens.entries()) {
    if (isWord(token, '(')) depth += 1
    if (isWord(token, ')')) depth -= 1
    if (depth === 0) return index
  }
  return -1
}

/** Splits at a word that stands outside of all parentheses. */
export function splitAt(tokens: readonly Token[], word: string): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (isWord(token, '(') || isWord(token, '[')) depth += 1
    if (isWord(token, ')') || isWord(token, ']')) depth -= 1
    if (depth === 0 && isWord(token, word)) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts
}

/** Whether two lists say the same. */
export function same(a: readonly Token[], b: readonly Token[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ kind, value }, index) => kind === b[index]!.kind && value === b[index]!.value)
  )
}
