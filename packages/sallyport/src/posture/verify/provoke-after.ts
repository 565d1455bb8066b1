// What must hold once a bucket is used up: each refusal tells the truth, other routes go on, and waiting as long as
// Retry-After says is enough.

import { headerValues } from '../../controls/faces.ts'
import { judgeRefusal, judgeRefusalCode, toldBy } from '../../controls/limits/refusal.ts'
import type { Mode, ProbeRequest } from '../../guard/control.ts'
import type { WireAnswer } from '../wire/send.ts'
import type { Asking, Provoking } from './provoke-asking.ts'
import { sparedRoute } from './provoke-plan.ts'
import { reasonOf } from './reasons.ts'

/** The longest that is waited for one bucket to be free again. */
const MOST_WAIT_SECONDS = 90

/** Judges the refusal, and what follows it. @param origin one that the policy lists */
export async function judgeAfter(
  asking: Asking,
  refusal: WireAnswer,
  origin: string | undefined,
  given: Provoking,
): Promise<void> {
  const { request } = asking.subject
  judge(asking, refusal, true)
  let last = refusal
  const again: (readonly [request: ProbeRequest, hasBody: boolean])[] = [
    // A page must be able to read why it was refused. A secret key with an Origin would be told of as exposed.
    ...(origin === undefined || asking.subject.role !== undefined
      ? []
      : [[{ ...request, headers: [...request.headers, ['Origin', origin]] as const }, true] as const]),
    [{ ...request, method: 'HEAD' }, false],
  ]
  for (const [each, hasBody] of again) {
    const result = await asking.ask(each)
    if (result.kind !== 'answer' || result.status !== 429) continue
    judge(asking, result, hasBody)
    last = result
  }
  await judgeSpared(asking, refusal, given)
  if (given.run.profile === 'full') await judgeWait(asking, last)
}

function judge(asking: Asking, answer: WireAnswer, hasBody: boolean): void {
  const { setting, cell, plans } = asking.subject
  asking.conclude('refusal', 'limits', judgeRefusal(setting, plans.flat(), answer))
  if (hasBody)
    asking.conclude(
      'code',
      'errors',
      judgeRefusalCode(cell.settings['errors'] as { readonly mode?: Mode }, answer),
    )
}

async function judgeSpared(
  asking: Asking,
  refusal: WireAnswer,
  { oracle, samples, run }: Provoking,
): Promise<void> {
  const bucket = toldBy(refusal)?.bucket ?? asking.count.binding().bucket.name
  const spared = sparedRoute(asking.subject, bucket, oracle, samples, run.account.openedBy)
  if (spared === undefined) return
  const { cell, request } = spared
  const result = await asking.ask(request)
  if (result.kind !== 'answer') return
  const told = toldBy(result)?.bucket
  const isHit = result.status === 429 && (told === undefined || told === bucket)
  const found = {
    id: 'drift.ratelimit',
    detail: `the bucket ${bucket} refuses on ${cell.id} too, where the policy lets requests pass`,
    mend: `let requests to ${cell.id} pass while ${bucket} is used up`,
  }
  asking.conclude('spared', 'limits', isHit ? [found] : [], { cell: cell.id, request })
}

async function judgeWait(asking: Asking, refusal: WireAnswer): Promise<void> {
  const [retry = ''] = headerValues(refusal, 'retry-after')
  const skip = (because: string) => asking.skip(because, `waiting for Retry-After as ${asking.who}`)
  if (!/^\d{1,9}$/.test(retry)) return skip('the refusal tells no whole seconds')
  if (asking.count.isShared) return skip('somebody else takes from the same bucket')
  if (Number(retry) > MOST_WAIT_SECONDS)
    return skip(`Retry-After is ${retry} s, and no more than ${MOST_WAIT_SECONDS} s are waited`)
  await asking.wait(Number(retry) * 1_000)
  const result = await asking.ask(asking.subject.request)
  if (result.kind !== 'answer') return skip(reasonOf(result))
  const found = {
    id: 'ratelimit.inconsistent',
    detail: `still refused after the ${retry} s that Retry-After told`,
    mend: 'Retry-After: the seconds after which the same request passes',
  }
  asking.conclude('wait', 'limits', result.status === 429 ? [found] : [])
}
