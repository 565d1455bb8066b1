// What belongs to whom: the objects by which it is proved that one organisation never sees another's.

import type { ProbeRequest } from '../../guard/control.ts'

/** An object of the organisation of one role. */
export interface Owned {
  /** With its query, where the id stands there. */
  readonly path: string
  /** The role of its owner, as in the credentials. */
  readonly by: string
  /** GET where nothing is said; another one is sent by others only, and only where writes are allowed. */
  readonly method?: string
  /** Header fields that name the object or its tenant: `{ "X-Organisation": "org_a" }`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that is made of parts. */
export type Parts = Exclude<ProbeRequest, { readonly raw: string }>

/** One way to ask for another's object. */
export interface Swap {
  readonly request: Parts
  /** As a sentence names it. */
  readonly how: string
  /** True where nothing but the plain request was written in another way. */
  readonly isPlain: boolean
}

/** The plain request for an object, without a credential. */
export function requestFor({ path, method = 'GET', headers = {} }: Owned): Parts {
  return {
    method,
    path,
    headers: [
      ...Object.entries(headers),
      ...(method === 'GET' || method === 'HEAD' || method === 'DELETE'
        ? []
        : [['Content-Type', 'application/json'] as const]),
    ],
    ...(method === 'GET' || method === 'HEAD' || method === 'DELETE' ? {} : { body: '{}' }),
  }
}

/**
 * The ways in which somebody else asks for an object: as its owner does, in other spellings, and beside an object of its
 * own.
 *
 * @param own an object of whoever asks, of the same route where there is one
 */
export function swapsOf(owned: Owned, own: Owned | undefined): readonly Swap[] {
  const plain = requestFor(owned)
  const swaps: Swap[] = [{ request: plain, how: 'its own path', isPlain: true }]
  if (plain.method !== 'GET') return swaps
  swaps.push({ request: { ...plain, method: 'HEAD' }, how: 'HEAD', isPlain: true })
  const add = (path: string, how: string, headers = plain.headers) => {
    if (path !== plain.path || headers !== plain.headers)
      swaps.push({ request: { ...plain, path, headers }, how, isPlain: false })
  }
  const [path, query] = split(plain.path)
  const rest = query === '' ? '' : `?${query}`
  const last = path.slice(path.lastIndexOf('/') + 1)
  const parent = path.slice(0, path.length - last.length)
  if (last !== '') {
    add(`${parent}${encoded(last)}${rest}`, 'a percent-encoded letter')
    add(`${parent}${otherLetters(last)}${rest}`, 'letters of the other case')
    add(`${path}/${rest}`, 'a slash at the end')
    add(`${parent}/${last}${rest}`, 'a second slash')
    add(`${path}.json${rest}`, 'an ending')
    add(`${path};x=1${rest}`, 'a matrix parameter')
    add(`${parent}x/../${last}${rest}`, 'a dot segment')
  }
  const name = query.slice(0, query.indexOf('=') < 0 ? query.length : query.indexOf('='))
  if (query !== '') add(`${path}?${query.replace(name, `${name}[]`)}`, 'the parameter as a list')
  if (own !== undefined) besideOwn(own, path, query, plain, add)
  return swaps
}

function besideOwn(
  own: Owned,
  path: string,
  query: string,
  plain: Parts,
  add: (path: string, how: string, headers?: Parts['headers']) => void,
): void {
  const [ownPath, ownQuery] = split(own.path)
  const id = path.slice(path.lastIndexOf('/') + 1)
  if (query !== '' && ownQuery !== '') {
    add(`${path}?${ownQuery}&${query}`, 'the parameter after one of its own')
    add(`${path}?${query}&${ownQuery}`, 'the parameter before one of its own')
  }
  if (path !== ownPath) add(`${ownPath}?id=${id}`, 'its id in the query of an object of its own')
  const names = Object.entries(own.headers ?? {}).filter(([name]) =>
    plain.headers.some(([key]) => key === name),
  )
  for (const [name, value] of names) {
    add(plain.path, `${name} after one of its own`, [[name, value], ...plain.headers])
    add(plain.path, `${name} before one of its own`, [...plain.headers, [name, value]])
  }
}

function split(path: string): readonly [path: string, query: string] {
  const at = path.indexOf('?')
  return at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)]
}

function encoded(text: string): string {
  return `${text.slice(0, -1)}%${text
    .charCodeAt(text.length - 1)
    .toString(16)
    .toUpperCase()}`
}

function otherLetters(text: string): string {
  const upper = text.toUpperCase()
  return upper === text ? text.toLowerCase() : upper
}
