// What was seen of an API as it is: one list of answers, whether they came over the network, from a HAR file, or from
// the options of middleware.

import { blockedBy } from '../verify/block-page.ts'
import type { Captured } from '../verify/captured.ts'
import type { Exchanged } from '../verify/judge.ts'

/** One answer of the application; what a parser refuses by itself is none. */
export interface Answer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** True where the request carried a credential. */
  readonly withCredential?: boolean
}

/** Limits that middleware keeps: so many requests in so long. */
export interface RateLimit {
  readonly limit: number | undefined
  readonly windowMs: number | undefined
}

/** All that was seen. */
export interface Observed {
  readonly answers: readonly Answer[]
  /** The origins that may read answers, as they were seen or declared; `*` for all. */
  readonly corsOrigins: readonly string[]
  readonly corsCredentials: boolean
  readonly rateLimits: readonly RateLimit[]
  /** What can't be carried over, and why. */
  readonly notes: readonly string[]
}

/** The application's answer of an exchange. */
export function answerOf({ planned, result }: Exchanged): Answer | undefined {
  const { request } = planned
  if (result.kind !== 'answer' || 'raw' in request || planned.role !== undefined) return undefined
  // A CDN's own page says nothing of the application.
  if (blockedBy(result) !== undefined) return undefined
  // Node's parser and the routers of frameworks answer these before any middleware.
  if (planned.meant === 'bad-percent' || result.status === 400) return undefined
  return {
    method: request.method,
    path: request.path,
    status: result.status,
    headers: result.headers,
    ...credentialIn(request.headers),
  }
}

/** The answers of a recording; `origin` is that of the first where nothing is said. */
export function answersOf(
  captured: readonly Captured[],
  origin: string | undefined = captured[0]?.origin,
): readonly Answer[] {
  return captured.flatMap(({ origin: own, request, answer }) =>
    own === origin && !('raw' in request)
      ? [
          {
            method: request.method,
            path: request.path,
            status: answer.status,
            headers: answer.headers,
            ...credentialIn(request.headers),
          },
        ]
      : [],
  )
}

function credentialIn(headers: readonly (readonly [string, string])[]): { readonly withCredential?: true } {
  return headers.some(([name]) => /^(?:authorization|cookie|x-api-key)$/i.test(name))
    ? { withCredential: true }
    : {}
}

/** What the answers themselves tell. */
export function observe(answers: readonly Answer[], more: Partial<Observed> = {}): Observed {
  const values = (name: string) => [
    ...new Set(
      answers.flatMap(({ headers }) =>
        headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value.trim()),
      ),
    ),
  ]
  const limits = answers.flatMap(({ headers }) => rateLimitIn(headers) ?? [])
  return {
    answers,
    corsOrigins: values('access-control-allow-origin'),
    corsCredentials: values('access-control-allow-credentials').includes('true'),
    rateLimits: [...new Map(limits.map((each) => [JSON.stringify(each), each])).values()],
    notes: [],
    ...more,
  }
}

// The ways in which limiters name what they keep: X-RateLimit-Limit, and the drafts of the RateLimit headers as they changed.
function rateLimitIn(headers: Answer['headers']): RateLimit | undefined {
  const value = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1]
  const old = value('ratelimit-limit') ?? value('x-ratelimit-limit')
  const policy = value('ratelimit-policy')
  const limit =
    /^\d{1,9}/.exec(old ?? '')?.[0] ??
    /;\s*q=(\d{1,9})/.exec(policy ?? '')?.[1] ??
    /^(\d{1,9})\s*;/.exec(policy ?? '')?.[1] ??
    /^limit=(\d{1,9})/.exec(value('ratelimit') ?? '')?.[1]
  if (limit === undefined) return undefined
  const window = /;\s*w=(\d{1,9})/.exec(policy ?? old ?? '')?.[1]
  return { limit: Number(limit), windowMs: window === undefined ? undefined : Number(window) * 1_000 }
}

/** The lines of a name in each answer; an empty list where an answer has none. */
export function linesOf(answers: readonly Answer[], name: string): readonly (readonly string[])[] {
  return answers.map(({ headers }) =>
    headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value),
  )
}
