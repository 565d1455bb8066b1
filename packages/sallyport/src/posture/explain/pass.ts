// One request through a guard and its answer back: the guard's own steps, and the very lines that an adapter writes.

import { emit } from '../../adapters/node/emit.ts'
import { replyFor } from '../../guard/answer.ts'
import type { Answer, Denial, Mode } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { ResolvedPolicy } from '../../guard/resolve.ts'
import { verdictNow } from '../../guard/services.ts'
import { type Ask, incomingOf, type Pair } from './ask.ts'

/** What stands for a value that is another on every answer. */
const FRESH = '{fresh}'

/** What a control in report mode would have done. */
interface Would {
  readonly control: string
  readonly what: string
}

/** A request that went all the way. */
export interface Passage {
  readonly exchange: Exchange
  /** `undefined` where the application is asked. */
  readonly verdict: Denial | Answer | undefined
  /** The register id of the control that decided; absent for the posture page, which is the guard's own. */
  readonly decidedBy: string | undefined
  readonly status: number
  /** The policy's lines, in the order in which they are written. */
  readonly policyLines: readonly Pair[]
  /** The lines of the application, or of the refusal, that stay. */
  readonly otherLines: readonly Pair[]
  /** True where the application's body is replaced by a problem document. */
  readonly bodyReplaced: boolean
  readonly would: readonly Would[]
}

/** A guard that draws the same numbers every time, and what its controls would have done. */
export interface Trial {
  readonly guard: Guard
  pass(ask: Ask): Passage
}

/** Compiles a policy as a gateway or an application does, for the caller who is taken to call. */
export function trial(policy: ResolvedPolicy, place: Ask['place'], principal?: Ask['as']): Trial {
  const would: Would[] = []
  const guard = createGuard(policy, place, {
    random: (bytes) => bytes.fill(0),
    trial: principal ? { principal } : {},
    onWouldDo: ({ control, what }) => would.push({ control, what }),
  })
  return {
    guard,
    pass(ask) {
      would.length = 0
      const exchange = guard.open(incomingOf(ask))
      const verdict = verdictNow(guard.admit(exchange))
      if (verdict !== undefined) exchange.answeredByGuard = true
      const answer = verdict === undefined ? ask.answer : replyFor(verdict, exchange)
      const { status, wire, headers, body } = emit(exchange, answer.status, answer.headers.flat(1), false)
      const known = masks(exchange)
      return {
        exchange,
        verdict,
        decidedBy: exchange.decision?.control,
        status,
        policyLines: wire
          .split('\r\n')
          .filter((line) => line !== '')
          .map((line) => [line.slice(0, line.indexOf(':')), known(line.slice(line.indexOf(':') + 2))]),
        // The tag of the posture page hangs on the moment at which it was made.
        otherLines: pairsOf(headers as readonly unknown[]).map(([name, value]) =>
          name === 'ETag' && verdict?.kind === 'answer' ? [name, FRESH] : [name, value],
        ),
        bodyReplaced: body !== undefined,
        would: [...would],
      }
    },
  }
}

function pairsOf(flat: readonly unknown[]): readonly Pair[] {
  return flat.flatMap((name, index) =>
    index % 2 === 0 ? [[String(name), String(flat[index + 1])] as const] : [],
  )
}

// 128 bits of which every one is 0: an id of our own making, where the numbers that it is made of are fixed.
const OWN_ID = '0'.repeat(32)

function masks(exchange: Exchange): (value: string) => string {
  const { nonce, requestId } = exchange
  return (value) => {
    const text = value.includes(`'nonce-${nonce}'`) ? value.replaceAll(nonce, FRESH) : value
    return requestId === OWN_ID && text === OWN_ID ? FRESH : text
  }
}

/** The mode of a control in the exchange's cell. */
export function modeOf({ cell }: Exchange, control: string): Mode {
  return (cell.settings[control] as { readonly mode?: Mode }).mode ?? 'enforce'
}
