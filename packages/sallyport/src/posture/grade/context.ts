// What an answer is, since the same header matters in one place and means nothing in another: a policy for scripts on a
// page, caching on private data, the type of anything with a body.

import { headerValues } from '../../controls/faces.ts'
import type { Finding } from '../../guard/control.ts'
import type { Severity } from '../findings.ts'
import type { WireAnswer } from '../wire/send.ts'

/** The kinds of answers that are judged apart. */
const CONTEXTS = ['json', 'document', 'asset', 'stream', 'error', 'redirect', 'preflight', 'refusal'] as const
export type Context = (typeof CONTEXTS)[number]

/** An answer with what was asked. */
export interface Graded {
  readonly answer: WireAnswer
  readonly context: Context
  /** True where the request carried a credential. */
  readonly authenticated: boolean
  readonly method: string
  readonly path: string
}

/** A finding whose weight here is not the usual one. */
export interface Weighed extends Finding {
  readonly severity?: Severity
}

/** One value, or several joined, as a browser reads them; `undefined` where there is none. */
export function line(answer: WireAnswer, name: string): string | undefined {
  const values = headerValues(answer, name)
  return values.length === 0 ? undefined : values.join(', ')
}

/** The media type without its parameters, in small letters. */
export function mediaType(answer: WireAnswer): string | undefined {
  const [type] = (line(answer, 'content-type') ?? '').split(';', 1)
  return type?.trim().toLowerCase() || undefined
}

/** What an answer is, by its status and type. */
export function contextOf(answer: WireAnswer): Context {
  const { status } = answer
  if (status >= 300 && status < 400 && status !== 304) return 'redirect'
  if (status >= 400) return mediaType(answer) === 'text/html' ? 'document' : 'error'
  const type = mediaType(answer)
  if (type === 'text/html' || type === 'application/xhtml+xml' || type === 'image/svg+xml') return 'document'
  if (type === 'text/event-stream') return 'stream'
  if (
    type !== undefined &&
    /^(?:text\/(?:css|javascript)|application\/(?:javascript|wasm)|image\/|font\/|video\/|audio\/)/.test(type)
  )
    return 'asset'
  return 'json'
}
