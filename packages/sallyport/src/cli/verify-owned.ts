// The objects that belong to the organisation of a role: by option, or in a file of samples.

import { nearest, show } from '../policy/problem.ts'
import type { Owned } from '../posture/verify/owned.ts'
import { Failure } from './failure.ts'

const PATH = /^\/[\x21-\x7e]{0,2000}$/
const ROLE = /^[\w-]{1,50}$/
const METHOD = /^[A-Z]{1,20}$/
const FIELD = /^[!#$%&'*+\-.^`|~\w]{1,100}$/
const EXAMPLE = '{ "path": "/v1/orders/ord_1", "by": "a" }'

/** Reads `a=/v1/orders/ord_1`. @throws Failure */
export function readOwned(text: string, where: string): Owned {
  const equals = text.indexOf('=')
  const [by, path] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)]
  if (!ROLE.test(by) || !PATH.test(path))
    throw new Failure(
      `${where}: expected ROLE=PATH, whose object it is and where, received ${show(text)}; write a=/v1/orders/ord_1`,
    )
  return { path, by }
}

/** Reads the list of a file. @throws Failure */
export function readOwnedList(read: unknown, where: string): readonly Owned[] {
  if (!Array.isArray(read))
    throw new Failure(`${where}: expected a list, received ${show(read)}; write [${EXAMPLE}]`)
  return read.map((each: unknown, index) => readEntry(each, `${where}[${index}]`))
}

const FIELDS = ['path', 'by', 'method', 'headers'] as const

function readEntry(read: unknown, where: string): Owned {
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Failure(`${where}: expected an object, received ${show(read)}; write ${EXAMPLE}`)
  const entry = read as Readonly<Record<string, unknown>>
  for (const name of Object.keys(entry))
    if (!FIELDS.some((field) => field === name)) {
      const meant = nearest(name, FIELDS)
      throw new Failure(
        `${where}: ${show(name)} is no field of it${meant ? `; did you mean ${meant}?` : `; it has ${FIELDS.join(', ')}`}`,
      )
    }
  const { path, by, method, headers } = entry
  if (typeof path !== 'string' || !PATH.test(path))
    throw new Failure(`${where}.path: expected a path that begins with "/", received ${show(path)}`)
  if (typeof by !== 'string' || !ROLE.test(by))
    throw new Failure(`${where}.by: expected the role of its owner, as in --credential, received ${show(by)}`)
  if (method !== undefined && !(typeof method === 'string' && METHOD.test(method)))
    throw new Failure(`${where}.method: expected a method such as DELETE, received ${show(method)}`)
  return {
    path,
    by,
    ...(method === undefined ? {} : { method }),
    ...(headers === undefined ? {} : { headers: readHeaders(headers, `${where}.headers`) }),
  }
}

function readHeaders(read: unknown, where: string): Readonly<Record<string, string>> {
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Failure(
      `${where}: expected header fields, received ${show(read)}; write { "X-Organisation": "org_a" }`,
    )
  for (const [name, value] of Object.entries(read))
    if (!FIELD.test(name) || typeof value !== 'string' || !/^[\x20-\x7e]{0,1000}$/.test(value))
      throw new Failure(
        `${where}: expected header fields of one line each, received ${show(name)}; write { "X-Organisation": "org_a" }`,
      )
  return read as Readonly<Record<string, string>>
}

/** Refuses an owner that has no credential. @throws Failure */
export function expectRoles(owned: readonly Owned[], roles: readonly string[]): void {
  for (const { by, path } of owned) {
    if (roles.includes(by)) continue
    const meant = nearest(by, roles)
    throw new Failure(
      `--owned: ${path} belongs to ${show(by)}, who has no credential${meant ? `; did you mean ${meant}?` : `; add --credential ${by}=authorization:@NAME`}`,
    )
  }
}
