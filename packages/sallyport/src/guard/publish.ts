// Where the posture page is hung in. It is made of every control's faces, which a guard does not carry: whoever
// publishes the page imports `sallyport/posture`, and that registers the way to make it.

import { PolicyError } from '../policy/problem.ts'
import { problem } from '../policy/schema.ts'
import type { Judgement, Place } from './control.ts'
import type { Exchange } from './exchange.ts'
import type { ResolvedPolicy } from './resolve.ts'

/** Answers requests for the page; `undefined` for every other. */
export type Pages = (exchange: Exchange) => Judgement
/** Makes the pages of a policy. */
export type Publisher = (
  policy: ResolvedPolicy,
  place: Place,
  clock: () => number,
  /** Set where the policy is only tried: the answer must come at once. */
  isTrial: boolean,
) => Pages

// Two copies of this module in one process, as bundlers make them, must meet.
const KEY = Symbol.for('sallyport.posture')
const shared = globalThis as { [KEY]?: Publisher }

/** Takes the way to make the pages; the last one counts. */
export function registerPublisher(publisher: Publisher): void {
  shared[KEY] = publisher
}

/** The pages of a policy that publishes them. @throws PolicyError where nothing can make them */
export function pagesFor(
  policy: ResolvedPolicy,
  place: Place,
  clock: () => number,
  isTrial: boolean,
): Pages | undefined {
  const setting = policy.cells.at(-2)!.settings['disclosure'] as {
    readonly mode?: string
    readonly posture?: unknown
  }
  if (!setting.posture || setting.mode === 'off') return undefined
  const publisher = shared[KEY]
  if (publisher === undefined)
    throw new PolicyError([
      problem(
        'disclosure.posture',
        'missing',
        'the policy publishes its posture page, and nothing here can make it',
        setting.posture,
        "add import 'sallyport/posture' before the guard is made, or leave the setting out",
      ),
    ])
  return publisher(policy, place, clock, isTrial)
}
