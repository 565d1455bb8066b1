// Asks as one caller whose bucket is used up: politely, counted, and every answer judged like any other.

import type { Finding, ProbeRequest } from '../../guard/control.ts'
import { curlLine } from '../wire/request.ts'
import type { WireResult } from '../wire/send.ts'
import type { WireTarget } from '../wire/target.ts'
import { askerOf } from './ask.ts'
import { type Credential, standIns } from './credential.ts'
import type { About } from './judge.ts'
import type { Oracle } from './oracle.ts'
import type { Sample } from './plan.ts'
import type { Subject } from './provoke-plan.ts'
import type { Run } from './replica.ts'
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
  const { account } = run
  const who = role ?? 'an address'
  const startedAt = run.clock()
  const asker = askerOf(run, target)

  function aboutOf({ cell, request }: Elsewhere): About {
    return { class: '429', cell, curl: curlLine(target, request, standIns(credentials)(role)) }
  }

  return {
    subject,
    who,
    gapMs: asker.gapMs,
    wait: asker.wait,
    count: countUse(plans, cost, role !== undefined),
    get sent() {
      return asker.sent
    },
    elapsedMs: () => run.clock() - startedAt,
    ask: (request) => asker.ask(request, role),
    conclude: (what, control, found, elsewhere = { cell: subject.cell.id, request: subject.request }) =>
      account.conclude(`limits ${what} ${who}`, control, aboutOf(elsewhere), found, role),
    skip: (because, probe = `limits of ${who}`) => account.skip({ probe, because }),
  }
}
