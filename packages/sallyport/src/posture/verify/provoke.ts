// Uses up buckets on purpose, with consent: the smallest of each caller, one request after another, and judges the count
// and the refusals. Comes last, so that no other probe is refused.

import { toldBy } from '../../controls/limits/refusal.ts'
import type { Finding } from '../../guard/control.ts'
import type { WireAnswer } from '../wire/send.ts'
import { blockedBy } from './block-page.ts'
import { judgeAfter } from './provoke-after.ts'
import { type Asking, askingAs, type Provoking } from './provoke-asking.ts'
import { planProvoking } from './provoke-plan.ts'
import { reasonOf } from './reasons.ts'
import type { Binding } from './use-count.ts'

/** Requests beside those that use a bucket up. */
const AFTER = 5
/** The part of a window in which a bucket must be used up: what takes longer is refilled meanwhile. */
const MOST_OF_WINDOW = 0.9

/** Uses up a bucket of each caller. */
export async function provokeLimits(given: Provoking): Promise<void> {
  const { run, oracle, samples, credentials } = given
  const { account, options } = run
  const { subjects, closed, origin } = planProvoking(oracle, samples, credentials, account.openedBy)
  for (const role of closed)
    account.skip({
      probe: `limits of ${role}`,
      because: 'no limited route with GET has let it in; name one with --path 200=/v1/…',
    })
  if (subjects.length === 0)
    account.skip({ probe: 'class 429', because: 'the policy limits no route with GET for anybody who asked' })
  let left = given.budget
  for (const subject of subjects) {
    if (options.signal?.aborted) return
    const asking = askingAs(subject, given)
    const { count, who } = asking
    const refusal = await useUp(asking, given, left)
    const { unknownLimit } = count
    if (unknownLimit !== undefined)
      run.notes.push(
        `${who} is told a limit of ${unknownLimit.limit} for ${unknownLimit.bucket}, which no plan of the policy has: a number of its organisation's own, or a drift`,
      )
    const usedUpBy = asking.sent
    if (refusal !== undefined) await judgeAfter(asking, refusal, origin, given)
    if (refusal !== undefined && count.through > 0)
      run.notes.push(
        `limits: ${times(usedUpBy)} to ${subject.cell.id} used up the bucket ${toldBy(refusal)?.bucket ?? count.binding().bucket.name} of ${who}, ${count.through} let through; ${times(asking.sent - usedUpBy)} more followed`,
      )
    left -= asking.sent
  }
}

/** Asks until it is refused; the refusal, or `undefined` where there was none that could be judged. */
async function useUp(asking: Asking, { run }: Provoking, left: number): Promise<WireAnswer | undefined> {
  const { count, subject } = asking
  const stop = (because: string | undefined): undefined => {
    if (because !== undefined) asking.skip(because)
  }
  const concludeCount = (more: readonly Finding[] = []): undefined => {
    asking.conclude('count', 'limits', [...count.findings, ...more])
  }
  let usual: number | undefined
  let tooMuch = whyTooMuch(asking, subject.smallest, left, run.requests)
  while (tooMuch === undefined) {
    if (run.options.signal?.aborted) return undefined
    const result = await asking.ask(subject.request)
    const elapsedMs = asking.elapsedMs()
    const usedUp = count.through > 0 && count.isUsedUp(elapsedMs)
    if (result.kind === 'failure')
      return usedUp ? concludeCount([instead('no answer', reasonOf(result))]) : stop(reasonOf(result))
    const vendor = blockedBy(result)
    if (vendor !== undefined) return stop(`a block page of ${vendor} came before the limit`)
    if (result.status === 429) return firstRefusal(asking, result) ? result : undefined
    usual ??= result.status
    if (usedUp && result.status !== usual && result.status >= 400)
      return concludeCount([instead(String(result.status), `${usual} before`)])
    if (result.status === 503 && usual !== 503)
      return stop('the server answered 503 before the bucket was used up')
    count.letThrough(result, elapsedMs)
    if (count.isOver(elapsedMs)) return concludeCount()
    const { bucket, passes } = count.binding(elapsedMs)
    if (bucket.algorithm !== 'smooth' && elapsedMs > MOST_OF_WINDOW * bucket.windowMs)
      return stop(
        `the bucket ${bucket.name} of ${asking.who} refilled before it was used up; the answers were too slow`,
      )
    if (asking.sent >= left)
      return stop('as many requests as --max-requests leaves did not use the bucket up')
    // The first answer may have told that the caller's plan is a larger one.
    tooMuch = whyTooMuch(asking, count.binding(), left, run.requests)
    run.options.onProgress?.(count.through, Math.max(count.through, passes + 1))
  }
  return stop(tooMuch)
}

/** Takes the first refusal into the count; false where it is of another bucket. */
function firstRefusal(asking: Asking, result: WireAnswer): boolean {
  const { count, subject, who } = asking
  const told = toldBy(result)
  const isOwn = told === undefined || subject.plans.flat().some(({ name }) => name === told.bucket)
  if (!isOwn && subject.role !== undefined) {
    asking.skip(`the bucket ${told.bucket} refused first`)
    return false
  }
  if (count.through === 0)
    asking.skip('its bucket was used up before the first request', `the count of ${who}`)
  else {
    count.refused(result)
    asking.conclude('count', 'limits', count.findings)
  }
  return true
}

/** Why using a bucket up would be too much, as a sentence; `undefined` where it is not. */
function whyTooMuch(
  { subject, who, gapMs, sent }: Asking,
  { bucket, passes }: Binding,
  left: number,
  requests: number,
): string | undefined {
  const { name, algorithm, limit, windowMs } = bucket
  const needed = passes + 1 + AFTER
  if (needed > left)
    return `using up the bucket ${name} of ${who} takes ${times(passes + 1)}, and ${Math.max(left, 0)} of --max-requests are left; raise it to ${requests - sent + needed}`
  // A smooth bucket is refilled by each pause, the others by a whole window.
  const isSmooth = algorithm === 'smooth'
  const part = isSmooth ? (gapMs * limit) / (windowMs * subject.cost) : (gapMs * passes) / windowMs
  if (part < MOST_OF_WINDOW) return undefined
  return `at ${Math.round(1_000 / gapMs)} requests a second the bucket ${name} of ${who} refills before it is used up; give --rate ${Math.ceil((part * 2_000) / gapMs)}`
}

function instead(what: string, usual: string): Finding {
  return {
    id: 'drift.ratelimit',
    detail: `a caller over its limit gets ${what} instead of 429 (${usual})`,
    mend: 'refuse it with 429 and Retry-After',
  }
}

function times(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`
}
