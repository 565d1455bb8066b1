// Asks as one caller whose bucket is used up: politely, counted, and every answer judged like any other.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Finding, ProbeRequest } from '../../guard/control.ts'
import { curlLine } from '../wire/request.ts'
import type { WireResult } from '../wire/send.ts'
import type { WireTarget } from '../wire/target.ts'
import { type Credential, standIns } from './credential.ts'
import type { About } from './judge.ts'
import type { Oracle } from './oracle.ts'
import type { Sample } from './plan.ts'
import type { Subject } from './provoke-plan.ts'
import { limitsFor, perSecondOf, type Run } from './replica.ts'
import { countUse, type UseCount } from './use-count.ts'

/** What using up buckets needs to know of the run. */
export interface Provoking {
  readonly run: Run
  readonly target: WireTarget
  readonly oracle: Oracle
  readonly samples: readonly Sample[]
  readonly credentials: readonly Credential[]
  /** Requests that may be sent. */
  readonly budget: number
}

/** One caller's run. */
export interface Asking {
  readonly subject: Subject
  readonly count: UseCount
  /** As sentences name the caller. */
  readonly who: string
  /** Milliseconds between two requests. */
  readonly gapMs: number
  /** Requests that were sent. */
  readonly sent: number
  /** Milliseconds since it began. */
  elapsedMs(): number
  ask(request: ProbeRequest): Promise<WireResult>
  wait(ms: number): Promise<unknown>
  /** Puts one probe on the account; `cell` where it is not the subject's. */
  conclude(what: string, control: string, found: readonly Finding[], elsewhere?: Elsewhere): void
  /** Says why something is not put to the test; the whole run where no probe is named. */
  skip(because: string, probe?: string): void
}

interface Elsewhere {
  readonly cell: string
  readonly request: ProbeRequest
}

/** Begins as one caller. */
export function askingAs(subject: Subject, { run, target, credentials }: Provoking): Asking {
  const { role, cost, plans } = subject
  const { account, options } = run
  const who = role ?? 'an address'
  const perSecond = perSecondOf(target, options)
  const gapMs = perSecond === undefined ? 0 : 1_000 / perSecond
  const startedAt = run.clock()
  const wait = options.wait ?? ((ms: number) => sleep(ms))
  let sent = 0

  function aboutOf({ cell, request }: Elsewhere): About {
    return { class: '429', cell, curl: curlLine(target, request, standIns(credentials)(role)) }
  }

  return {
    subject,
    who,
    gapMs,
    wait,
    count: countUse(plans, cost, role !== undefined),
    get sent() {
      return sent
    },
    elapsedMs: () => run.clock() - startedAt,
    async ask(request) {
      if (gapMs > 0) await wait(gapMs)
      const result = await run.wire(target, request, limitsFor(target, options))
      sent++
      run.requests++
      const exchanged = { planned: { request, meant: undefined, claims: [], role }, target, result }
      account.take(exchanged)
      options.onExchange?.(exchanged)
      return result
    },
    conclude: (what, control, found, elsewhere = { cell: subject.cell.id, request: subject.request }) =>
      account.conclude(`limits ${what} ${who}`, control, aboutOf(elsewhere), found, role),
    skip: (because, probe = `limits of ${who}`) => account.skip({ probe, because }),
  }
}
