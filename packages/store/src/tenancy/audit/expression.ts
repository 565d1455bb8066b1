// Whether a policy's expression holds a row to the tenant: whatever else it says, it must be true of no row whose tenant
// column is not the transaction's tenant. What can't be shown to be so is taken not to be.

import { bare, isWord, same, splitAt, type Token, tokensOf } from './tokens.ts'

/** What a table's rows are held to. */
export interface Bond {
  readonly table: string
  readonly column: string
  readonly setting: string
  /** Functions that answer with a setting, by `schema.name`: the setting that they read. */
  readonly functions: ReadonlyMap<string, string>
  /** Comparisons through a parent: true where these tokens are one that its own policies make sound. */
  readonly throughParent?: (tokens: readonly Token[]) => boolean
}

/** `bound`, or why it is not. */
export type Holding =
  | { readonly kind: 'bound' }
  /** True for every row. */
  | { readonly kind: 'open' }
  /** Opened by a setting that whoever queries can make. */
  | { readonly kind: 'switch'; readonly setting: string }
  /** The tenant column against another setting. */
  | { readonly kind: 'setting'; readonly setting: string }
  /** Another column against the tenant's setting. */
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'unbound' }

// Casts that keep different names different; a length would cut them, citext would fold them.
const FAITHFUL = new Set([
  'text',
  'uuid',
  'bigint',
  'integer',
  'character varying',
  'int8',
  'int4',
  'varchar',
])
const WORST = ['open', 'switch', 'setting', 'column', 'unbound'] as const

/** Judges an expression as PostgreSQL prints it. */
export function holdingOf(expression: string, bond: Bond): Holding {
  const tokens = tokensOf(expression)
  return tokens === undefined ? { kind: 'unbound' } : judge(tokens, bond)
}

function judge(given: readonly Token[], bond: Bond): Holding {
  const tokens = bare(given)
  // What stands between these words is not what it seems where it is split.
  if (tokens.some((token, index) => isWord(token, 'case') && !within(tokens, index)))
    return { kind: 'unbound' }
  const either = splitAt(tokens, 'or')
  if (either.length > 1) {
    const loose = either.map((part) => judge(part, bond)).filter(({ kind }) => kind !== 'bound')
    return worst(loose) ?? { kind: 'bound' }
  }
  const all = splitAt(tokens, 'and')
  if (all.length > 1) {
    const parts = all.map((part) => judge(part, bond))
    if (parts.some(({ kind }) => kind === 'bound')) return { kind: 'bound' }
    // Open is only what is open in all its parts.
    return worst(parts.filter(({ kind }) => kind !== 'open')) ?? { kind: 'open' }
  }
  return atom(tokens, bond)
}

function worst(holdings: readonly Holding[]): Holding | undefined {
  for (const kind of WORST) {
    const found = holdings.find((each) => each.kind === kind)
    if (found) return found
  }
  return undefined
}

function within(tokens: readonly Token[], at: number): boolean {
  let depth = 0
  for (const token of tokens.slice(0, at)) depth += isWord(token, '(') ? 1 : isWord(token, ')') ? -1 : 0
  return depth > 0
}

function atom(tokens: readonly Token[], bond: Bond): Holding {
  if (tokens.length === 1 && isWord(tokens[0], 'true')) return { kind: 'open' }
  // True of no row at all.
  if (tokens.length === 1 && isWord(tokens[0], 'false')) return { kind: 'bound' }
  if (bond.throughParent?.(tokens)) return { kind: 'bound' }
  const sides = splitAt(tokens, '=')
  if (sides.length !== 2) return { kind: 'unbound' }
  const [left, right] = sides as [readonly Token[], readonly Token[]]
  if (same(bare(left), bare(right))) return { kind: 'open' }
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const column = columnOf(one, bond.table)
    const setting = settingOf(other, bond.functions)
    if (setting === undefined) continue
    if (column === undefined) return { kind: 'switch', setting }
    if (column === bond.column && setting === bond.setting) return { kind: 'bound' }
    return column === bond.column ? { kind: 'setting', setting } : { kind: 'column', column }
  }
  return { kind: 'unbound' }
}

/** The tokens of a value without a cast that changes nothing; `undefined` where a cast may. */
function uncast(given: readonly Token[]): readonly Token[] | undefined {
  const tokens = bare(given)
  const parts = splitAt(tokens, '::')
  if (parts.length === 1) return tokens
  const types = parts.slice(1).map((part) => part.map(({ value }) => value).join(' '))
  return types.every((type) => FAITHFUL.has(type)) ? uncast(parts[0]!) : undefined
}

function columnOf(given: readonly Token[], table: string): string | undefined {
  const tokens = uncast(given)
  const [first, dot, last] = tokens ?? []
  if (first?.kind !== 'name') return undefined
  if (tokens!.length === 1) return first.value
  return tokens!.length === 3 && isWord(dot, '.') && last?.kind === 'name' && first.value === table
    ? last.value
    : undefined
}

/** The setting that a value is read from: `(select nullif(current_setting('app.tenant', true), ''))`. */
function settingOf(given: readonly Token[], functions: ReadonlyMap<string, string>): string | undefined {
  const whole = bare(given)
  const tokens = isWord(whole[0], 'select') ? whole : uncast(whole)
  if (tokens === undefined || tokens.length === 0) return undefined
  const [first] = tokens
  if (isWord(first, 'select')) {
    const [value, ...rest] = splitAt(tokens.slice(1), 'as')
    return rest.length === 0 || (rest.length === 1 && rest[0]!.length === 1)
      ? settingOf(value!, functions)
      : undefined
  }
  const open = tokens.findIndex((token) => isWord(token, '('))
  if (first?.kind !== 'name' || open < 1 || bare(tokens.slice(open)).length !== tokens.length - open - 2)
    return undefined
  const name = tokens
    .slice(0, open)
    .map(({ value }) => value)
    .join('')
  const words = splitAt(tokens.slice(open + 1, -1), ',')
  if (name === 'current_setting' || name === 'pg_catalog.current_setting') {
    const [text, ...more] = uncast(words[0]!) ?? []
    return text?.kind === 'text' && more.length === 0 ? text.value : undefined
  }
  if (name === 'nullif' && words.length === 2) {
    const [text, ...more] = uncast(words[1]!) ?? []
    return text?.kind === 'text' && text.value === '' && more.length === 0
      ? settingOf(words[0]!, functions)
      : undefined
  }
  return words.length === 1 && words[0]!.length === 0 ? functions.get(name) : undefined
}

/** The setting that the body of a function reads, where that is all that it does. */
export function settingOfBody(body: string): string | undefined {
  const tokens = tokensOf(body.trim().replace(/;$/, ''))
  if (tokens === undefined) return undefined
  const inner = isWord(tokens[0], 'return') ? tokens.slice(1) : tokens
  return settingOf(inner, new Map())
}
