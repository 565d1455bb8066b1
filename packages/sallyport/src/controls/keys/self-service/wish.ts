// Reads what callers send: a strict body of JSON, of which every member is known, and the parameters of a list. Total and
// linear; what is wrong is named by where it stands, never by its value.

import type { InputError } from '../../../guard/control.ts'
import { isOrigin, isScope } from '../../../keys/facts.ts'
import { parseCidr } from '../../../policy/cidr.ts'
import { readJson } from '../../../policy/json.ts'

/** A longer body is refused; bytes. */
export const KEYS_MAX_BYTES = 16_384
const MOST = 100
/** Seven days. */
const LONGEST_OVERLAP_SECONDS = 604_800
const LARGEST_PAGE = 100
const PAGE = 50

/** What somebody wants a key to be; held against nothing yet. */
export interface KeyWish {
  readonly name: string
  readonly kind?: 'secret' | 'publishable'
  readonly environment?: 'live' | 'test'
  readonly store?: string
  readonly plan?: string
  readonly scopes?: readonly string[]
  readonly origins?: readonly string[]
  readonly networks?: readonly string[]
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

/** How a key is to be rotated. */
export interface RotationWish {
  readonly overlapSeconds?: number
}

/** What was read, or why it could not be. */
export type Read<T> =
  | { readonly value: T }
  | { readonly code: 'unsupported_media_type' | 'body_malformed' }
  | { readonly errors: readonly InputError[] }

/** What can be known of a body beside its bytes. */
export interface BodyHead {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

/** Gives a code where a member is wrong, and the pointers below it where parts of it are. */
type Check = (value: unknown) => readonly (readonly [below: string, code: string])[]

const matching =
  (isGood: (text: string) => boolean): Check =>
  (value) =>
    typeof value !== 'string' ? [['', 'wrong_type']] : isGood(value) ? [] : [['', 'wrong_value']]

const listOf =
  (isGood: (text: string) => boolean): Check =>
  (value) => {
    if (!Array.isArray(value)) return [['', 'wrong_type']]
    if (value.length > MOST) return [['', 'too_many']]
    const seen = new Set<unknown>()
    return value.flatMap((each, at): readonly (readonly [string, string])[] => {
      const isRepeated = seen.has(each)
      seen.add(each)
      if (isRepeated) return [[`/${at}`, 'repeated']]
      return matching(isGood)(each).map(([, code]) => [`/${at}`, code] as const)
    })
  }

const isName = (text: string) => text.isWellFormed() && /^[^\p{Cc}]{1,100}$/u.test(text)

const KEY_MEMBERS: Readonly<Record<string, Check>> = {
  name: matching((text) => isName(text) && text.trim() !== ''),
  kind: matching((text) => text === 'secret' || text === 'publishable'),
  environment: matching((text) => text === 'live' || text === 'test'),
  store: matching((text) => /^[\w.-]{1,64}$/.test(text)),
  plan: matching(isName),
  scopes: listOf(isScope),
  origins: listOf(isOrigin),
  networks: listOf((text) => parseCidr(text) !== undefined),
  expires: matching((text) => momentOf(text) !== undefined),
}

const ROTATION_MEMBERS: Readonly<Record<string, Check>> = {
  overlapSeconds: (value) =>
    typeof value !== 'number'
      ? [['', 'wrong_type']]
      : Number.isInteger(value) && value >= 0 && value <= LONGEST_OVERLAP_SECONDS
        ? []
        : [['', 'wrong_value']],
}

/** What a key is to be. */
export function readKeyWish(body: Uint8Array, head: BodyHead): Read<KeyWish> {
  const read = readMembers(body, head, KEY_MEMBERS, ['name'])
  if (!('value' in read)) return read
  const { expires, ...rest } = read.value as unknown as KeyWish & { readonly expires?: string }
  if ((rest.origins ?? []).length > 0 && rest.kind !== 'publishable')
    return { errors: [{ pointer: '/origins', code: 'not_of_secret_keys' }] }
  return { value: { ...rest, ...(expires === undefined ? {} : { expiresAt: momentOf(expires)! }) } }
}

/** How a key is to be rotated; nothing is said by an empty body. */
export function readRotationWish(body: Uint8Array, head: BodyHead): Read<RotationWish> {
  const read = readMembers(body.length === 0 ? EMPTY : body, head, ROTATION_MEMBERS, [])
  return 'value' in read ? { value: read.value as RotationWish } : read
}

const EMPTY = new TextEncoder().encode('{}')

function readMembers(
  body: Uint8Array,
  { contentType, contentEncoding }: BodyHead,
  members: Readonly<Record<string, Check>>,
  required: readonly string[],
): Read<Readonly<Record<string, unknown>>> {
  // A form of another site can send every type but this one without asking first (Fetch standard, CORS-safelisted).
  if (!isJson(contentType) || (contentEncoding ?? 'identity').trim().toLowerCase() !== 'identity')
    return { code: 'unsupported_media_type' }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return { code: 'body_malformed' }
  }
  const read = text.startsWith('\ufeff') ? undefined : readJson(text)
  if (read === undefined || 'fault' in read) return { code: 'body_malformed' }
  const { value } = read
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { errors: [{ pointer: '', code: 'wrong_type' }] }
  const given = value as Readonly<Record<string, unknown>>
  const errors: InputError[] = required
    .filter((name) => !Object.hasOwn(given, name))
    .map((name) => ({ pointer: `/${name}`, code: 'missing' }))
  for (const [name, each] of Object.entries(given)) {
    const pointer = `/${escaped(name)}`
    const check = Object.hasOwn(members, name) ? members[name]! : () => [['', 'unknown']] as const
    for (const [below, code] of check(each)) errors.push({ pointer: pointer + below, code })
  }
  return errors.length === 0 ? { value: given } : { errors: errors.slice(0, MOST_ERRORS) }
}

const MOST_ERRORS = 20

// RFC 6901, section 3. The name is the caller's own; a long one is cut.
function escaped(name: string): string {
  return name.slice(0, 64).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')
}

function isJson(contentType: string | undefined): boolean {
  const [media = '', ...parameters] = (contentType ?? '').toLowerCase().split(';')
  return (
    media.trim() === 'application/json' &&
    parameters.every((each) => /^\s*charset\s*=\s*"?utf-8"?\s*$/.test(each))
  )
}

// RFC 3339, section 5.6, in UTC. A day that no month has is none.
function momentOf(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{1,3})?Z$/.exec(text)
  const at = match ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(match![1]!) ? undefined : at
}

type ReadParameters<T> = Exclude<Read<T>, { readonly code: unknown }>

/** The parameters of a list, or what is wrong with them; other paths take none. */
export function readPage(
  target: string,
): ReadParameters<{ readonly limit: number; readonly after?: string }> {
  const found = readParameters(target, ['limit', 'after'])
  if (!('value' in found)) return found
  const [limit, after] = [found.value.get('limit'), found.value.get('after')]
  const errors = [
    ...(limit === undefined || (/^[1-9]\d{0,2}$/.test(limit) && Number(limit) <= LARGEST_PAGE)
      ? []
      : ['limit']),
    ...(after === undefined || /^[\w.-]{1,64}$/.test(after) ? [] : ['after']),
  ]
  if (errors.length > 0) return { errors: errors.map((parameter) => ({ parameter, code: 'wrong_value' })) }
  return {
    value: { limit: limit === undefined ? PAGE : Number(limit), ...(after === undefined ? {} : { after }) },
  }
}

/** What of the parameters is unknown or stands twice. */
export function readParameters(
  target: string,
  known: readonly string[],
): ReadParameters<ReadonlyMap<string, string>> {
  const at = target.indexOf('?')
  const found = new Map<string, string>()
  const errors: InputError[] = []
  if (at >= 0)
    for (const [name, value] of new URLSearchParams(target.slice(at + 1))) {
      if (!known.includes(name)) errors.push({ parameter: name.slice(0, 64).toWellFormed(), code: 'unknown' })
      else if (found.has(name)) errors.push({ parameter: name, code: 'repeated' })
      found.set(name, value)
    }
  return errors.length === 0 ? { value: found } : { errors: errors.slice(0, MOST_ERRORS) }
}
