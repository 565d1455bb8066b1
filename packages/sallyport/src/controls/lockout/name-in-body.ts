// The name in the body of a sign-in, where every program reads the same one. Programs differ in what they make of a field
// that stands twice, in another case, or in the query as well: read there, a guess would count for a name of its sender's
// choice while the application verified another. Such a body is refused.

import { readJson } from '../../policy/json.ts'

/** What can be known of a body beside its bytes. */
export interface BodyFacts {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** The target's query, without its question mark. */
  readonly query: string
}

/** The name, or the code by which the request is refused. */
export type NameInBody =
  | { readonly name: string }
  | { readonly code: 'malformed_request' | 'unsupported_media_type' }

const UNREADABLE = { code: 'malformed_request' } as const
const UNSUPPORTED = { code: 'unsupported_media_type' } as const
const MEDIA = {
  json: /^application\/(?:[a-z0-9.!#$&^_-]+\+)?json$/,
  form: /^application\/x-www-form-urlencoded$/,
} as const

/** Reads the name; total, linear. */
export function nameInBody(
  body: Uint8Array,
  where: { readonly from: 'json' | 'form'; readonly field: string },
  facts: BodyFacts,
): NameInBody {
  const [media = '', ...parameters] = (facts.contentType ?? '').toLowerCase().split(';')
  const encoding = (facts.contentEncoding ?? 'identity').trim().toLowerCase()
  if (!MEDIA[where.from].test(media.trim()) || encoding !== 'identity') return UNSUPPORTED
  const isOtherCharset = (text: string) => /^\s*charset\s*=/.test(text) && !/=\s*"?utf-8"?\s*$/.test(text)
  if (parameters.some(isOtherCharset)) return UNSUPPORTED
  const inQuery = fieldsOf(facts.query)
  if (inQuery === undefined || inQuery.some(([key]) => isTakenFor(key, where.field))) return UNREADABLE
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return UNREADABLE
  }
  const fields = where.from === 'json' ? membersOf(text) : fieldsOf(text)
  const [only, ...others] = (fields ?? []).filter(([key]) => isTakenFor(key, where.field))
  if (only === undefined || others.length > 0 || only[0] !== where.field) return UNREADABLE
  const [, name] = only
  return typeof name === 'string' && name.trim() !== '' ? { name } : UNREADABLE
}

function membersOf(text: string): readonly (readonly [string, unknown])[] | undefined {
  if (text.startsWith('\ufeff')) return undefined
  const read = readJson(text)
  if ('fault' in read || typeof read.value !== 'object' || read.value === null || Array.isArray(read.value))
    return undefined
  return Object.entries(read.value)
}

// URL standard, section 5.1, but for what browsers never write: bytes that are no UTF-8, a broken escape, and ";", which
// some programs take for "&".
function fieldsOf(text: string): readonly (readonly [string, string])[] | undefined {
  if (text === '') return []
  if (text.includes(';')) return undefined
  try {
    return text.split('&').map((pair) => {
      const at = pair.indexOf('=')
      const [key, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
      return [decoded(key), decoded(value)] as const
    })
  } catch {
    return undefined
  }
}

const decoded = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

/** Whether some program takes one field for the other: by case, by what stands in brackets behind it, by PHP's own rules. */
function isTakenFor(key: string, field: string): boolean {
  const [found, wanted] = [plain(key), plain(field)]
  return found === wanted || found.startsWith(`${wanted}[`)
}

function plain(key: string): string {
  const end = key.indexOf('\0')
  return (end < 0 ? key : key.slice(0, end)).trim().replace(/[ .]/g, '_').toUpperCase().toLowerCase()
}
