// Answers that were recorded instead of asked for: a file of our own (`--capture`), or the HAR of a browser.

import type { Place, ProbeRequest } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../../guard/resolve.ts'
import { digest } from '../../policy/digest.ts'
import type { WireAnswer } from '../wire/send.ts'
import { authorityOf, originOf, parseTarget, type WireTarget } from '../wire/target.ts'
import { claimsOf, keyOf } from './captured-claims.ts'
import { CLASSES, type ClassId } from './classes.ts'
import { type Exchanged, openAccount } from './judge.ts'
import { createOracle } from './oracle.ts'
import { ASK_PLACE, notJudgedWithout, placeIn } from './place.ts'
import type { Claim } from './plan.ts'
import { judgePublished, PUBLISHED } from './published.ts'
import { CouldNotVerify, type Verification } from './result.ts'

/** A request and the answer that it got. */
export interface Captured {
  readonly origin: string
  readonly request: ProbeRequest
  readonly meant?: ClassId
  readonly answer: Pick<WireAnswer, 'status' | 'headers' | 'body' | 'encrypted'>
}

/** The file that `--capture` writes. */
export interface CaptureFile {
  readonly format: 'sallyport-capture/1'
  readonly exchanges: readonly Captured[]
}

/** What is kept of an exchange; credentials are left out, and with them the answers that they opened. */
export function captureOf({ planned, target, result }: Exchanged): Captured | undefined {
  if (result.kind !== 'answer' || planned.role !== undefined) return undefined
  const { status, headers, body, encrypted } = result
  return {
    origin: originOf(target),
    request: planned.request,
    ...(planned.meant === undefined ? {} : { meant: planned.meant }),
    answer: { status, headers, body, encrypted },
  }
}

const MAKE_CAPTURE = 'make one with sallyport verify URL --capture FILE'
const MAKE_HAR = 'save one from the network panel of a browser’s tools'

/** Reads a capture file. @throws CouldNotVerify where it is none */
export function readCapture(text: string): readonly Captured[] {
  const file = json(text, MAKE_CAPTURE) as Partial<CaptureFile> | null
  if (typeof file !== 'object' || file?.format !== 'sallyport-capture/1' || !Array.isArray(file.exchanges))
    throw new CouldNotVerify(`is no capture; ${MAKE_CAPTURE}`)
  return file.exchanges.filter(isCaptured)
}

function isCaptured(value: unknown): value is Captured {
  const { origin, request, answer, meant } = (value ?? {}) as Partial<Captured>
  return (
    typeof origin === 'string' &&
    typeof request === 'object' &&
    ('raw' in request ? typeof request.raw === 'string' : isParts(request)) &&
    typeof answer === 'object' &&
    Number.isInteger(answer.status) &&
    arePairs(answer.headers) &&
    typeof answer.body === 'string' &&
    (meant === undefined || Object.hasOwn(CLASSES, meant))
  )
}

function isParts(request: object): boolean {
  const { method, path, headers } = request as Record<string, unknown>
  return typeof method === 'string' && typeof path === 'string' && arePairs(headers)
}

function arePairs(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (pair) => Array.isArray(pair) && pair.length === 2 && pair.every((each) => typeof each === 'string'),
    )
  )
}

/** Reads a HAR 1.2 file. @throws CouldNotVerify where it is none */
export function readHar(text: string): readonly Captured[] {
  const file = json(text, MAKE_HAR) as { log?: { entries?: unknown } } | null
  const entries = file?.log?.entries
  if (!Array.isArray(entries)) throw new CouldNotVerify(`is no HAR file: it has no log.entries; ${MAKE_HAR}`)
  return entries.flatMap((entry) => harEntry(entry) ?? [])
}

function harEntry(entry: unknown): Captured | undefined {
  const { request, response } = (entry ?? {}) as {
    request?: Record<string, unknown>
    response?: Record<string, unknown>
  }
  const url = URL.parse(String(request?.['url'] ?? ''))
  const status = Number(response?.['status'])
  // A browser writes 0 where no answer came, or where its cache gave it.
  if (url === null || !/^https?:$/.test(url.protocol) || !(status >= 200 && status <= 599)) return undefined
  // HTTP/2 has pseudo-fields, which browsers list among the headers.
  const headers = harPairs(request?.['headers']).filter(([name]) => !/^:|^(?:host|connection)$/i.test(name))
  const content = response?.['content'] as { text?: unknown } | undefined
  return {
    origin: url.origin,
    request: { method: String(request?.['method'] ?? 'GET'), path: url.pathname + url.search, headers },
    answer: {
      status,
      headers: harPairs(response?.['headers']).filter(([name]) => !name.startsWith(':')),
      body: typeof content?.text === 'string' ? content.text : '',
      encrypted: url.protocol === 'https:',
    },
  }
}

function harPairs(list: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((each: unknown) => {
    const { name, value } = (each ?? {}) as Record<string, unknown>
    if (typeof name !== 'string' || typeof value !== 'string') return []
    // Chromium joins repeated lines by a line feed.
    return value.split('\n').map((line) => [name, line] as const)
  })
}

function json(text: string, mend: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CouldNotVerify(`is not JSON; ${mend}`)
  }
}

/** How recorded answers are verified. */
export interface CapturedOptions {
  /** Only exchanges with this origin; else that of the first. */
  readonly origin?: string
  readonly place?: Place
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
}

/**
 * Verifies recorded answers. A probe counts where the very request that it would send is among them.
 *
 * @throws PolicyError where the policy is wrong, CouldNotVerify where no exchange is of the origin
 */
export async function verifyCaptured(
  policy: PolicyDocument | ResolvedPolicy,
  captured: readonly Captured[],
  source: 'har' | 'captured',
  options: CapturedOptions = {},
): Promise<Verification> {
  const clock = options.clock ?? Date.now
  const began = clock()
  const resolved = 'cells' in policy ? policy : resolvePolicy(policy)
  const origin = options.origin ?? captured[0]?.origin
  const own = captured.filter((each) => each.origin === origin)
  if (origin === undefined || own.length === 0)
    throw new CouldNotVerify(`there is no answer${origin === undefined ? '' : ` of ${origin}`} in the file`)
  const { target } = parseTarget(origin)
  const posture = own.find(({ request }) => keyOf(request) === keyOf(ASK_PLACE))
  const place = options.place ?? (posture && placeIn(posture.answer))
  const oracle = createOracle(resolved, authorityOf(target), place)
  const account = openAccount(
    oracle,
    (text) => text,
    () => CREDENTIALS,
  )
  const claims = claimsOf(resolved, oracle)
  const byRequest = new Map<string, Claim[]>()
  for (const { claim, keys } of claims)
    for (const key of keys) byRequest.set(key, [...(byRequest.get(key) ?? []), claim])
  const policyDigest = await digest(resolved.document)
  for (const each of own) {
    const exchanged = exchangedOf(each, target, byRequest.get(keyOf(each.request)) ?? [])
    account.take(exchanged)
    const published = judgePublished(each.request, exchanged.result, policyDigest)
    if (published !== undefined) account.note('published', 'disclosure', PUBLISHED, published)
  }
  const taken = new Set(own.map(({ request }) => keyOf(request)))
  for (const { claim, keys } of claims)
    if (!keys.some((key) => taken.has(key)))
      account.skip({ probe: claim.probe.id, because: 'its request is not in the file' })
  const report = account.report()
  return {
    format: 'sallyport-verification/1',
    at: new Date(began).toISOString(),
    target: originOf(target),
    policyDigest,
    profile: 'quick',
    source,
    durationMs: clock() - began,
    requests: own.length,
    ...report,
    classes: report.classes.map((each) =>
      each.answers === 0 && OF_CONNECTIONS.has(each.id) ? { ...each, notSeen: NO_CONNECTION } : each,
    ),
    notJudged: notJudgedWithout(place, resolved),
    notes: [],
    replicas: [],
  }
}

// What is seen of a connection stands in no answer.
const OF_CONNECTIONS: ReadonlySet<string> = new Set(['plain-http', 'tls-versions', 'http2'])
const NO_CONNECTION = 'a file of answers holds no connection; verify the deployment itself'

// A browser's file holds what the browser sent.
const CREDENTIALS = {
  authorization: '$CREDENTIAL',
  cookie: '$COOKIE',
  'proxy-authorization': '$CREDENTIAL',
  'x-api-key': '$CREDENTIAL',
}

function exchangedOf(
  { request, answer, meant }: Captured,
  target: WireTarget,
  claims: readonly Claim[],
): Exchanged {
  return {
    planned: { request, meant, claims, role: undefined },
    target,
    result: {
      kind: 'answer',
      ...answer,
      reason: '',
      httpVersion: '1.1',
      interim: [],
      trailers: [],
      // A file may hold no body, which says nothing about the answer's.
      bodyState: answer.body === '' ? 'none' : 'whole',
      faults: [],
      timing: { totalMs: 0 },
      ended: 'kept',
    },
  }
}
