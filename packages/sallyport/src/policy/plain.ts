// A policy is plain data. What is checked, digested and compiled is one frozen copy of it, read once: a getter can't
// answer twice, a cycle can't hang the check, and nobody changes a policy after it was judged.

import { childPath, type PolicyProblem, PROBLEM_LIMIT } from './problem.ts'
import { isPlainObject, problem } from './schema.ts'

// A policy of 10,000 routes has some 200,000 values and is 5 deep; `extends` may nest 8 policies.
const MAX_VALUES = 1_000_000
const MAX_DEPTH = 64

/** The copy, or the reasons why there is none. */
export interface PlainCopy {
  readonly value: unknown
  readonly problems: readonly PolicyProblem[]
}

/** Copies JSON-like data and freezes the copy; members that are `undefined` are left out. */
export function plainCopy(input: unknown): PlainCopy {
  const problems: PolicyProblem[] = []
  const ancestors = new Set<object>()
  let values = 0

  function refuse(path: string, what: string, received: unknown, mend: string): undefined {
    if (problems.length < PROBLEM_LIMIT)
      problems.push(problem(path, 'type', `a policy is plain data: ${what}`, received, mend))
    return undefined
  }

  function copy(value: unknown, path: string): unknown {
    values += 1
    if (values > MAX_VALUES || problems.length >= PROBLEM_LIMIT) return undefined
    switch (typeof value) {
      case 'string':
        if (!value.isWellFormed())
          return refuse(path, 'this text holds half a surrogate pair', value, 'write it as valid Unicode')
        return value
      case 'boolean':
        return value
      case 'number':
        return Number.isFinite(value)
          ? value
          : refuse(path, `${value} is not a number of JSON`, undefined, 'write a number')
      case 'object':
        return value === null ? null : inside(value, path)
      default:
        return refuse(
          path,
          typeof value === 'undefined'
            ? 'nothing stands here'
            : `a ${typeof value} can't be digested or sent`,
          value,
          'write the value itself',
        )
    }
  }

  function inside(value: object, path: string): unknown {
    if (ancestors.has(value))
      return refuse(path, 'it contains itself', undefined, 'remove the reference that leads back')
    if (ancestors.size >= MAX_DEPTH)
      return refuse(path, `it is nested more than ${MAX_DEPTH} deep`, undefined, 'flatten it')
    ancestors.add(value)
    const copied = Array.isArray(value) ? copyList(value, path) : copyObject(value, path)
    ancestors.delete(value)
    return copied
  }

  function copyList(list: readonly unknown[], path: string): unknown {
    const copied: unknown[] = []
    // A sparse list of a billion holes is one line to write.
    if (list.length > MAX_VALUES)
      return refuse(path, `a list of ${list.length} items`, undefined, 'shorten the list')
    for (let index = 0; index < list.length && values <= MAX_VALUES; index++)
      copied.push(copy(ownValue(list, String(index), childPath(path, index)), childPath(path, index)))
    return Object.freeze(copied)
  }

  function copyObject(value: object, path: string): unknown {
    if (!isPlainObject(value))
      return refuse(
        path,
        `an instance of ${className(value)} can't be digested or sent`,
        undefined,
        'write an object literal, a list, a text or a number',
      )
    const copied: Record<string, unknown> = {}
    for (const key of Reflect.ownKeys(value)) {
      if (values > MAX_VALUES) break
      if (typeof key === 'symbol') {
        refuse(path, 'a symbol is no name of a setting', key, 'write the name as text')
        continue
      }
      const at = childPath(path, key)
      if (key === '__proto__') {
        refuse(at, '"__proto__" is no name of a setting', undefined, 'remove it')
        continue
      }
      if (!key.isWellFormed()) {
        refuse(path, 'this name holds half a surrogate pair', key, 'write it as valid Unicode')
        continue
      }
      const member = ownValue(value, key, at)
      if (member !== undefined) copied[key] = copy(member, at)
    }
    return Object.freeze(copied)
  }

  function ownValue(holder: object, key: string, path: string): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key)
    if (descriptor && !('value' in descriptor))
      return refuse(
        path,
        'this is a getter, which may answer differently each time',
        undefined,
        'write the value itself',
      )
    return descriptor?.value
  }

  const value = copy(input, '')
  if (values > MAX_VALUES)
    refuse('', `it has more than ${MAX_VALUES} values`, undefined, 'give routes of one kind one pattern')
  return { value, problems }
}

function className(value: object): string {
  try {
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && /^\w{1,40}$/.test(name) ? name : 'a class'
  } catch {
    return 'a class'
  }
}
