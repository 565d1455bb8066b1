// Finds the options of helmet, cors and express-rate-limit in the source of an application, where they are called, and
// of Fastify's plug-ins of these names, where they are registered. The source is read and never run.

import { literalReader, UNKNOWN } from './literal.ts'
import { type Token, tokensOf } from './tokens.ts'

/** What was found: options as `observeOptions` takes them, and what is written in a way that can't be read. */
export interface SourceOptions {
  readonly options: Readonly<Record<string, unknown>>
  readonly notes: readonly string[]
}

type Kind = 'helmet' | 'cors' | 'rateLimit'

const PACKAGES: Readonly<Record<string, Kind>> = {
  helmet: 'helmet',
  '@fastify/helmet': 'helmet',
  cors: 'cors',
  '@fastify/cors': 'cors',
  'express-rate-limit': 'rateLimit',
  '@fastify/rate-limit': 'rateLimit',
}

/** Longer sources are generated, and hold no options that somebody wrote. */
const MAX_LENGTH = 1_048_576

/** Reads a source; `undefined` where none of the three is called in it. */
export function optionsInSource(source: string): SourceOptions | undefined {
  if (source.length > MAX_LENGTH) return undefined
  const tokens = tokensOf(source)
  const names = namesIn(tokens)
  const reader = literalReader(tokens)
  const found = new Map<Kind, unknown[]>()
  const notes: string[] = []
  for (const { kind, line, argument } of callsIn(tokens, names)) {
    const value = argument === undefined ? {} : (reader.at(argument).value ?? {})
    if (value === UNKNOWN) {
      notes.push(`${kind} of line ${line}: its options are computed, and not read`)
      continue
    }
    found.set(kind, [...(found.get(kind) ?? []), known(kind, value, line, notes)])
  }
  if (found.size === 0 && notes.length === 0) return undefined
  const options: Record<string, unknown> = {}
  for (const [kind, values] of found) {
    options[kind] = kind === 'rateLimit' ? values : values[0]
    if (kind !== 'rateLimit' && values.length > 1)
      notes.push(
        `${kind} is called ${values.length} times: the first is taken for the whole API, see whether it is`,
      )
  }
  return { options, notes }
}

/** By which names the three are called: those that are imported, else their own. */
function namesIn(tokens: readonly Token[]): ReadonlyMap<string, Kind> {
  const names = new Map<string, Kind>()
  for (let i = 0; i < tokens.length; i++) {
    const kind = tokens[i]!.kind === 'text' ? PACKAGES[tokens[i]!.text] : undefined
    if (kind === undefined) continue
    const before = tokens[i - 1]?.text
    if (before === 'from') for (const name of importedBefore(tokens, i - 1)) names.set(name, kind)
    // const name = require('…')
    else if (before === '(' && tokens[i - 2]?.text === 'require' && tokens[i - 3]?.text === '=')
      if (tokens[i - 4]?.kind === 'word') names.set(tokens[i - 4]!.text, kind)
  }
  if (names.size > 0) return names
  return new Map([
    ['helmet', 'helmet'],
    ['cors', 'cors'],
    ['rateLimit', 'rateLimit'],
  ])
}

// Of `import a, { b as c } from` the words a and c.
function importedBefore(tokens: readonly Token[], from: number): readonly string[] {
  const words: string[] = []
  for (let i = from - 1; i >= 0 && i > from - 40 && tokens[i]!.text !== 'import'; i--) {
    const { kind, text } = tokens[i]!
    if (kind === 'word' && text !== 'as' && text !== 'type' && tokens[i + 1]?.text !== 'as') words.push(text)
  }
  return words
}

interface Call {
  readonly kind: Kind
  readonly line: number
  /** The index of the first token of the options; `undefined` where none are given. */
  readonly argument: number | undefined
}

function* callsIn(tokens: readonly Token[], names: ReadonlyMap<string, Kind>): Iterable<Call> {
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    const kind = token.kind === 'word' ? names.get(token.text) : undefined
    if (kind === undefined) continue
    const [before, after] = [tokens[i - 1]?.text, tokens[i + 1]?.text]
    const isRegistered = before === '(' && tokens[i - 2]?.text === 'register'
    if (isRegistered && (after === ',' || after === ')'))
      yield {
        kind,
        line: token.line,
        argument: after === ',' && tokens[i + 2]?.text !== ')' ? i + 2 : undefined,
      }
    else if (after === '(' && before !== '.' && before !== 'function')
      yield { kind, line: token.line, argument: tokens[i + 2]?.text === ')' ? undefined : i + 2 }
  }
}

// What is computed within the options must not be taken for a default: of helmet the header is left to the application.
function known(kind: Kind, value: unknown, line: number, notes: string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (!holdsUnknown(member)) return [name, member]
      if (kind === 'helmet') {
        notes.push(`helmet.${name} of line ${line} is computed: the header stays the application's`)
        return [name, false]
      }
      // A function is what the reader of options says is not known.
      const isList = Array.isArray(member)
      return [name, isList ? (member as readonly unknown[]).map(asFunction) : computed]
    }),
  )
}

function asFunction(value: unknown): unknown {
  return value === UNKNOWN ? computed : value
}

function computed(): void {}

function holdsUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsUnknown)
}
