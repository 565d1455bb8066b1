// The small schema language of policy settings: it validates with path and mend, types what it validates,
// and writes the published JSON Schema. Values are never coerced.

import { childPath, nearest, type PolicyProblem, type PolicyProblemKind, show } from './problem.ts'

/** A JSON Schema (2020-12) fragment. */
export type JsonSchema = { readonly [key: string]: unknown }

/** Checks one place of a policy. */
export interface Schema<T> {
  /** Reports what is wrong at `path`; the value itself is not changed. */
  check(value: unknown, path: string, report: Report): void
  readonly json: JsonSchema
  /** Carries the type only; never set. */
  readonly type?: T
}

/** Takes one problem. */
export type Report = (problem: PolicyProblem) => void

/** The type of the values that a schema accepts. */
export type Infer<S> = S extends Schema<infer T> ? T : never

/** Builds a problem from its parts, in the order in which it reads. */
export function problem(
  path: string,
  kind: PolicyProblemKind,
  message: string,
  received: unknown,
  mend: string,
): PolicyProblem {
  return { path, kind, received, message, mend }
}

/** `true` or `false`. */
export function flag(doc: string): Schema<boolean> {
  return {
    json: { type: 'boolean', description: doc },
    check(value, path, report) {
      if (typeof value !== 'boolean')
        report(problem(path, 'type', 'expected true or false', value, 'write true or false'))
    },
  }
}

/** A whole number within bounds. */
export function integer(bounds: { min: number; max: number; example: number }, doc: string): Schema<number> {
  const { min, max, example } = bounds
  return {
    json: { type: 'integer', minimum: min, maximum: max, description: doc },
    check(value, path, report) {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
        report(
          problem(
            path,
            typeof value === 'number' ? 'value' : 'type',
            `expected a whole number from ${min} to ${max}`,
            value,
            `write a number such as ${example}`,
          ),
        )
    },
  }
}

/** One of some fixed words. */
export function oneOf<const T extends string>(words: readonly T[], doc: string): Schema<T> {
  return {
    json: { enum: words, description: doc },
    check(value, path, report) {
      if (typeof value === 'string' && (words as readonly string[]).includes(value)) return
      const meant = typeof value === 'string' ? nearest(value, words) : undefined
      report(
        problem(
          path,
          typeof value === 'string' ? 'value' : 'type',
          `expected one of ${words.map((word) => `"${word}"`).join(', ')}`,
          value,
          meant ? `did you mean "${meant}"?` : `write ${words.length > 1 ? 'one of them' : `"${words[0]}"`}`,
        ),
      )
    },
  }
}

/** The value `false`: deliberately not set. */
export function not(doc: string): Schema<false> {
  return {
    json: { const: false, description: doc },
    check(value, path, report) {
      if (value !== false) report(problem(path, 'type', 'expected false', value, 'write false'))
    },
  }
}

/** What a text must look like: a test, and the words for the two halves of the error. */
export interface TextRule {
  readonly pattern?: RegExp
  readonly max?: number
  readonly expected: string
  readonly mend: string
}

/** A string that follows a rule; the pattern must be free of backtracking. */
export function text(rule: TextRule, doc: string): Schema<string> {
  const max = rule.max ?? 2048
  return {
    json: {
      type: 'string',
      maxLength: max,
      description: doc,
      ...(rule.pattern ? { pattern: rule.pattern.source } : {}),
    },
    check(value, path, report) {
      if (typeof value !== 'string')
        report(problem(path, 'type', `expected ${rule.expected}`, value, rule.mend))
      else if (value.length > max || (rule.pattern && !rule.pattern.test(value)))
        report(problem(path, 'value', `expected ${rule.expected}`, value, rule.mend))
    },
  }
}

/** A list of at most `max` items, without repetition where items are strings. */
export function list<T>(
  item: Schema<T>,
  doc: string,
  options: { max?: number; min?: number } = {},
): Schema<readonly T[]> {
  const { max = 1000, min = 0 } = options
  return {
    json: {
      type: 'array',
      items: item.json,
      minItems: min,
      maxItems: max,
      uniqueItems: true,
      description: doc,
    },
    check(value, path, report) {
      if (!Array.isArray(value)) {
        report(problem(path, 'type', 'expected a list', value, 'write it in brackets: [ … ]'))
        return
      }
      if (value.length > max)
        report(problem(path, 'value', `expected at most ${max} items`, value.length, 'shorten the list'))
      if (value.length < min)
        report(problem(path, 'value', `expected at least ${min} item${min > 1 ? 's' : ''}`, value, 'add one'))
      const seen = new Set<unknown>()
      value.forEach((entry, index) => {
        if (typeof entry === 'string' && seen.has(entry))
          report(
            problem(childPath(path, index), 'value', 'stands twice in the list', entry, 'remove one of them'),
          )
        seen.add(entry)
        item.check(entry, childPath(path, index), report)
      })
    },
  }
}

/** A record whose keys follow a rule. */
export function record<T>(
  key: TextRule & { pattern: RegExp },
  value: Schema<T>,
  doc: string,
): Schema<Readonly<Record<string, T>>> {
  return {
    json: {
      type: 'object',
      propertyNames: { pattern: key.pattern.source },
      additionalProperties: value.json,
      description: doc,
    },
    check(input, path, report) {
      if (!isPlainObject(input)) {
        report(problem(path, 'type', 'expected an object', input, 'write it in braces: { … }'))
        return
      }
      for (const [name, entry] of Object.entries(input)) {
        if (!key.pattern.test(name))
          report(problem(childPath(path, name), 'value', `this name is not ${key.expected}`, name, key.mend))
        else value.check(entry, childPath(path, name), report)
      }
    },
  }
}

type Shape = { readonly [key: string]: Schema<unknown> }
type FromShape<S extends Shape> = { readonly [K in keyof S]?: Infer<S[K]> }

/** An object with the named fields only; every field may be left out. */
export function object<S extends Shape>(shape: S, doc: string): Schema<FromShape<S>> & { readonly shape: S } {
  const known = Object.keys(shape)
  return {
    shape,
    json: {
      type: 'object',
      properties: Object.fromEntries(known.map((key) => [key, shape[key]!.json])),
      additionalProperties: false,
      description: doc,
    },
    check(input, path, report) {
      if (!isPlainObject(input)) {
        report(problem(path, 'type', 'expected an object', input, 'write it in braces: { … }'))
        return
      }
      for (const [key, value] of Object.entries(input)) {
        if (value === undefined) continue
        const field = Object.hasOwn(shape, key) ? shape[key] : undefined
        if (field) field.check(value, childPath(path, key), report)
        else report(unknownKey(path, key, known))
      }
    },
  }
}

/** The problem of a key that no schema knows; `home` is where the key does stand, when it is known elsewhere. */
export function unknownKey(
  path: string,
  key: string,
  known: readonly string[],
  home?: string,
): PolicyProblem {
  const meant = home ?? nearest(key, known)
  return problem(
    childPath(path, key),
    'unknown',
    `there is no setting ${show(key)} here`,
    undefined,
    meant ? `did you mean "${meant}"?` : `the settings here are ${known.join(', ')}`,
  )
}

/** One of several schemas, told apart by what kind of value stands there. */
export function either<A extends readonly Schema<unknown>[]>(
  schemas: A,
  doc: string,
): Schema<Infer<A[number]>> {
  return {
    json: { anyOf: schemas.map((schema) => schema.json), description: doc },
    check(value, path, report) {
      const ofWrongType: PolicyProblem[] = []
      let nearestProblems: readonly PolicyProblem[] | undefined
      for (const schema of schemas) {
        const problems: PolicyProblem[] = []
        schema.check(value, path, (found) => problems.push(found))
        const [first] = problems
        if (first === undefined) return
        if (first.kind === 'type' && first.path === path) ofWrongType.push(first)
        // The branch whose kind of value it is explains best.
        else nearestProblems ??= problems
      }
      for (const found of nearestProblems ?? [anyOf(ofWrongType)]) report(found)
    },
  }
}

// `expected false` and `expected a list` become `expected false or a list`.
function anyOf(problems: readonly PolicyProblem[]): PolicyProblem {
  const expected = problems.map(({ message }) => message.replace(/^expected /, ''))
  return {
    ...problems[0]!,
    // What one branch keeps to itself, such as a key, no other may show.
    received: problems.every(({ received }) => received !== undefined) ? problems[0]!.received : undefined,
    message: `expected ${[...new Set(expected)].join(' or ')}`,
    mend: [...new Set(problems.map(({ mend }) => mend))].join(', or '),
  }
}

/** True for `{…}` literals and JSON objects: plain data, nothing with behaviour. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
