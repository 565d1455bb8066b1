// Sends one request after another, politely, and puts each answer on the account: for what follows the plan.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ProbeRequest } from '../../guard/control.ts'
import type { WireResult } from '../wire/send.ts'
import type { WireTarget } from '../wire/target.ts'
import { limitsFor, perSecondOf, type Run } from './replica.ts'

/** Sends, one at a time. */
export interface Asker {
  /** Milliseconds between two requests. */
  readonly gapMs: number
  /** Requests that were sent. */
  readonly sent: number
  wait(ms: number): Promise<unknown>
  ask(request: ProbeRequest, role: string | undefined): Promise<WireResult>
}

/** Makes an asker. */
export function askerOf(run: Run, target: WireTarget): Asker {
  const { account, options, wire } = run
  const perSecond = perSecondOf(target, options)
  const gapMs = perSecond === undefined ? 0 : 1_000 / perSecond
  const wait = options.wait ?? ((ms: number) => sleep(ms))
  let sent = 0
  return {
    gapMs,
    wait,
    get sent() {
      return sent
    },
    async ask(request, role) {
      if (gapMs > 0) await wait(gapMs)
      const result = await wire(target, request, limitsFor(target, options))
      sent++
      run.requests++
      const exchanged = { planned: { request, meant: undefined, claims: [], role }, target, result }
      account.take(exchanged)
      options.onExchange?.(exchanged)
      return result
    },
  }
}
