// Breaks one thing after the other and asks a verification: what is found, what is missed and why.

import { controls } from '../../src/posture/register.ts'
import { GENERAL } from '../../src/posture/verify/judge-general.ts'
import type { VerifyFinding } from '../../src/posture/verify/result.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { sendHttp2 } from '../../src/posture/wire/http2.ts'
import { bytesOf } from '../../src/posture/wire/request.ts'
import type { Wire } from '../../src/posture/wire/send.ts'
import type { Mutation } from './mutation.ts'
import { type Breaker, breakAnswer, startProxy } from './proxy.ts'
import { type Subject, subjects, targetOf } from './subjects.ts'

/** What came of one mutation. */
export interface Outcome {
  readonly mutation: Mutation
  readonly verdict: 'found' | 'other control' | 'not seen' | 'never asked'
  readonly findings: readonly VerifyFinding[]
}

const registerId = new Map(controls.map(({ name, id }) => [name as string, id]))

// Over HTTP/2 the answers of the server behind are broken as they come in.
function overHttp2({ behind }: Subject, mutation: Mutation, count: () => void): Wire {
  return async (target, request, options) => {
    const result = await sendHttp2({ ...target, addressPort: behind.port }, request, options)
    if (result.kind !== 'answer') return result
    const lines = result.headers
    const broken = breakAnswer(mutation, bytesOf(target, request), 'http2', { status: result.status, lines })
    if (broken === undefined) return result
    count()
    return {
      ...result,
      status: broken.status ?? result.status,
      headers: broken.lines ?? lines,
      body: broken.body ?? result.body,
    }
  }
}

/** Runs mutations of one subject, one after the other. */
async function runOn(
  subject: Subject,
  list: readonly Mutation[],
  told: (outcome: Outcome) => void,
): Promise<void> {
  const plain = await startProxy({
    behind: subject.behind,
    ...(subject.tls ? { tls: await subject.tls() } : {}),
  })
  try {
    for (const mutation of list) told(await runOne(subject, plain, mutation))
  } finally {
    await plain.close()
  }
}

async function runOne(subject: Subject, shared: Breaker, mutation: Mutation): Promise<Outcome> {
  const { listener, loses } = mutation
  const routes = { ...subject.policy.routes }
  if (loses) delete routes[loses.route]
  const other = loses ? await subject.under!({ ...subject.policy, routes }) : undefined
  const own =
    listener || loses
      ? await startProxy({
          behind: subject.behind,
          ...(listener && subject.tls ? { tls: await subject.tls(listener) } : {}),
          ...(loses && other ? { detour: { at: loses.at, port: other.port } } : {}),
        })
      : undefined
  const proxy = own ?? shared
  proxy.use(mutation)
  let http2 = 0
  try {
    const host = listener === 'certificate-of-another-host' ? 'another.localhost' : undefined
    const target = targetOf(subject, proxy.port, host)
    const ca = listener && (await subject.authorityOf?.(listener))
    const { findings } = await verify(
      subject.policy,
      { ...target, ...(ca ? { ca } : {}) },
      { ...subject.options, wireHttp2: overHttp2(subject, mutation, () => http2++) },
    )
    // Cookies are of no control yet, and judged beside the policy.
    const wanted = mutation.controls.map((name) => registerId.get(name) ?? GENERAL.name)
    const broken = listener !== undefined || proxy.broken() + http2 > 0
    return {
      mutation,
      findings,
      verdict: findings.some(({ control }) => wanted.includes(control))
        ? 'found'
        : !broken
          ? 'never asked'
          : findings.length > 0
            ? 'other control'
            : 'not seen',
    }
  } finally {
    await own?.close()
    await other?.close()
  }
}

/** Runs mutations; the outcomes in the order of the list. */
export async function runMutations(list: readonly Mutation[]): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>()
  for (const [name, of] of Map.groupBy(list, ({ subject }) => subject)) {
    const subject = await subjects[name]()
    try {
      await runOn(subject, of, (outcome) => outcomes.set(outcome.mutation.id, outcome))
    } finally {
      await subject.close()
    }
  }
  return list.map(({ id }) => outcomes.get(id)!)
}

/** Verifies a server in which nothing is broken, through the same proxy. */
export async function runUnbroken(
  subject: Subject,
  harmless?: Mutation['answer'],
): Promise<{ readonly findings: readonly VerifyFinding[]; readonly of: number }> {
  const proxy = await startProxy({
    behind: subject.behind,
    ...(subject.tls ? { tls: await subject.tls() } : {}),
  })
  try {
    proxy.use(harmless ? { answer: harmless } : {})
    const { findings, of } = await verify(subject.policy, targetOf(subject, proxy.port), {
      ...subject.options,
      wireHttp2: overHttp2(subject, { id: '', subject: 'app', controls: [], from: '' }, () => {}),
    })
    return { findings, of }
  } finally {
    await proxy.close()
  }
}
