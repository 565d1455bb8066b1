// Grades a server without its policy: what each kind of answer should carry, which of it is missing, and the line that
// mends it. Beside our own score stands the one of the Observatory's algorithm.

import { findingKind, type Severity } from '../findings.ts'
import { observatoryScore, type Score } from '../observatory.ts'
import { blockedBy } from '../verify/block-page.ts'
import { certificateFindings } from '../verify/tls-checks.ts'
import { noAnswer } from '../wire/no-answer.ts'
import { curlLine } from '../wire/request.ts'
import { send, type Wire, type WireAnswer, type WireFailure } from '../wire/send.ts'
import { originOf, type WireTarget } from '../wire/target.ts'
import type { TlsFacts } from '../wire/tls-facts.ts'
import { type Context, contextOf, type Weighed } from './context.ts'
import { judgeAnswer } from './judge-answer.ts'
import { noncesOf } from './judge-csp.ts'
import { tlsFindings } from './judge-tls.ts'
import { gradeRequests } from './requests.ts'
import { type Grade, ownScore } from './score.ts'

/** One finding of a grade, with every kind of answer that showed it. */
interface GradeFinding {
  readonly id: string
  readonly severity: Severity
  readonly meaning: string
  readonly detail: string
  readonly mend: string
  readonly standards: readonly string[]
  /** The kinds of answers that showed it, and the requests that brought them. */
  readonly seenOn: readonly { readonly context: Context; readonly request: string }[]
  /** Sends the first of these requests; credentials are left out. */
  readonly curl: string
}

/** The whole grade. */
export interface GradeReport {
  readonly format: 'sallyport-grade/1'
  readonly target: string
  /** RFC 3339. */
  readonly at: string
  readonly score: number
  readonly grade: Grade
  /** Absent where the certificate is not trusted: then nothing else was looked at. */
  readonly observatory?: Pick<Score, 'score' | 'grade' | 'tests'>
  readonly findings: readonly GradeFinding[]
  readonly contexts: readonly { readonly context: Context; readonly answers: number }[]
  readonly tls?: { readonly version: string; readonly group?: string; readonly cipher: string }
  /** Requests that got no answer, with the reason. */
  readonly notAnswered: readonly { readonly request: string; readonly because: string }[]
  /** Whose block page stood in the way; then what was graded is that page. */
  readonly blockedBy?: string
}

/** How a grade is made; everything has a default. */
export interface GradeOptions {
  /** `/` where nothing is said. */
  readonly paths?: readonly string[]
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly wire?: Wire
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
  /** Milliseconds between requests; 100, none on loopback. */
  readonly pauseMs?: number
  readonly wait?: (ms: number) => Promise<unknown>
}

/** No answer came at all. */
export class NothingAnswered extends Error {}

/** Grades a server. @throws NothingAnswered where not a single request got an answer */
export async function grade(target: WireTarget, options: GradeOptions = {}): Promise<GradeReport> {
  const { wire = send, clock = Date.now, headers = [], paths = ['/'] } = options
  const { pauseMs = 100, wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)) } = options
  const findings = new Map<string, GradeFinding>()
  const contexts = new Map<Context, number>()
  const notAnswered: { request: string; because: string }[] = []
  const nonces = new Set<string>()
  let main: WireAnswer | undefined
  let failure: WireFailure | undefined
  let untrusted: TlsFacts | undefined
  let blocked: string | undefined
  const secrets = Object.fromEntries(headers.map(([name]) => [name.toLowerCase(), '…']))

  const keep = (found: readonly Weighed[], context: Context, asked: string, curl: string): void => {
    for (const { id, severity, detail, mend } of found) {
      const kind = findingKind(id)
      const key = `${id} ${mend}`
      const known = findings.get(key)
      const seen = { context, request: asked }
      if (known === undefined)
        findings.set(key, {
          id,
          severity: severity ?? kind.severity,
          meaning: kind.meaning,
          detail: detail.slice(0, 300),
          mend,
          standards: kind.standards,
          seenOn: [seen],
          curl,
        })
      else
        findings.set(key, {
          ...known,
          severity: worse(known.severity, severity ?? kind.severity),
          seenOn: [...known.seenOn, seen],
        })
    }
  }

  for (const asked of gradeRequests(target.host, paths, headers)) {
    if (pauseMs > 0 && main !== undefined) await wait(pauseMs)
    const answer = await wire(target, asked.request)
    if (answer.kind === 'failure') {
      failure ??= answer
      // Who answers there is not known, so nothing else is asked of it.
      if (main === undefined && answer.phase === 'tls' && answer.tls !== undefined) {
        untrusted = answer.tls
        break
      }
      notAnswered.push({ request: asked.name, because: `${answer.phase}: ${answer.code}` })
      continue
    }
    main ??= answer
    blocked ??= blockedBy(answer)
    const context = asked.context ?? contextOf(answer)
    contexts.set(context, (contexts.get(context) ?? 0) + 1)
    const curl = curlLine(target, asked.request, secrets)
    keep(judgeAnswer(asked, answer, context, target.host, clock()), context, asked.name, curl)
    for (const nonce of noncesOf(answer)) {
      if (nonces.has(nonce))
        keep(
          [
            {
              id: 'csp.static-nonce',
              detail: `'nonce-${nonce}' came twice`,
              mend: 'make a nonce for each answer',
            },
          ],
          context,
          asked.name,
          curl,
        )
      nonces.add(nonce)
    }
  }
  const connecting = `openssl s_client -connect ${target.host}:${target.port}`
  if (untrusted !== undefined) {
    keep(certificateFindings(untrusted.certificate, untrusted, clock()), 'json', 'TLS', connecting)
    return {
      format: 'sallyport-grade/1',
      target: originOf(target),
      at: new Date(clock()).toISOString(),
      score: 0,
      grade: 'F',
      findings: [...findings.values()],
      contexts: [],
      notAnswered: [
        {
          request: 'everything else',
          because:
            'the certificate is not trusted; name its authority with --ca FILE, or look all the same with --insecure',
        },
      ],
    }
  }
  if (main === undefined)
    throw new NothingAnswered(
      failure ? noAnswer(originOf(target), failure) : `${originOf(target)}: nothing was asked; name a path`,
    )
  keep(
    certificateFindings(main.tls?.certificate, main.tls ?? { authorized: true }, clock()),
    'json',
    'TLS',
    connecting,
  )
  keep(
    await tlsFindings(target, wire),
    'json',
    'TLS',
    `openssl s_client -tls1_1 -connect ${target.host}:${target.port}`,
  )
  const list = [...findings.values()].sort((a, b) => ORDER[b.severity] - ORDER[a.severity])
  const reflected = list.some(({ id }) => id === 'cors.reflect-credentials')
  return {
    format: 'sallyport-grade/1',
    target: originOf(target),
    at: new Date(clock()).toISOString(),
    ...ownScore(list),
    observatory: observatoryScore({
      headers: reflected
        ? [
            ...main.headers,
            ['Access-Control-Allow-Origin', 'https://sallyport-probe.invalid'],
            ['Access-Control-Allow-Credentials', 'true'],
          ]
        : main.headers,
      encrypted: main.encrypted,
      ...(reflected ? { askedOrigin: 'https://sallyport-probe.invalid' } : {}),
    }),
    findings: list,
    contexts: Array.from(contexts, ([context, answers]) => ({ context, answers })),
    ...(main.tls
      ? {
          tls: {
            version: main.tls.version,
            cipher: main.tls.cipher,
            ...(main.tls.group ? { group: main.tls.group } : {}),
          },
        }
      : {}),
    notAnswered,
    ...(blocked === undefined ? {} : { blockedBy: blocked }),
  }
}

const ORDER: Readonly<Record<Severity, number>> = { info: 0, low: 1, medium: 2, high: 3, critical: 4 }

function worse(a: Severity, b: Severity): Severity {
  return ORDER[a] >= ORDER[b] ? a : b
}
