// The paths that a user knows to answer in a certain way: by option, or by a file.

import { nearest, show } from '../policy/problem.ts'
import { SAMPLE_CLASSES } from '../posture/verify/classes.ts'
import type { Owned } from '../posture/verify/owned.ts'
import type { Sample } from '../posture/verify/plan.ts'
import { Failure } from './failure.ts'
import { readOwnedList } from './verify-owned.ts'

/** Reads `404=/v1/none`, `bad-json=POST /v1/orders`. @throws Failure */
export function readSample(text: string, where: string): Sample {
  const equals = text.indexOf('=')
  const name = text.slice(0, Math.max(equals, 0))
  return sample(name, text.slice(equals + 1), where, text)
}

/** What a file of samples names. */
export interface Samples {
  readonly samples: readonly Sample[]
  readonly owned: readonly Owned[]
}

/**
 * Reads a file of samples: `{ "200": ["/v1/account"], "error": "/v1/fails", "owned": [{ "path": "/v1/orders/1", "by": "a" }] }`.
 *
 * @throws Failure
 */
export function readSamples(text: string, file: string): Samples {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw new Failure(`${file}: is not JSON; write { "200": ["/v1/account"] }`)
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Failure(`${file}: expected an object, received ${show(read)}; write { "200": ["/v1/account"] }`)
  const { owned, ...classes } = read as { readonly owned?: unknown }
  const samples = Object.entries(classes).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((path: unknown) => {
      if (typeof path !== 'string')
        throw new Failure(`${file}: ${name}: expected a path, received ${show(path)}; write "/v1/account"`)
      return sample(name, path, `${file}: ${name}`, path)
    }),
  )
  return { samples, owned: owned === undefined ? [] : readOwnedList(owned, `${file}: owned`) }
}

function sample(name: string, value: string, where: string, received: string): Sample {
  const found = SAMPLE_CLASSES.find((id) => id === name)
  if (found === undefined) {
    const meant = nearest(name, SAMPLE_CLASSES)
    throw new Failure(
      `${where}: expected CLASS=PATH with a class of ${SAMPLE_CLASSES.join(', ')}, received ${show(received)}${meant ? `; did you mean ${meant}?` : '; write 200=/v1/account'}`,
    )
  }
  const match = /^(?:([A-Z]{1,20}) )?(\/[\x21-\x7e]{0,2000})$/.exec(value)
  if (!match)
    throw new Failure(
      `${where}: expected a path that begins with "/", received ${show(value)}; write ${name}=/v1/account`,
    )
  return { class: found, path: match[2]!, ...(match[1] === undefined ? {} : { method: match[1] }) }
}
