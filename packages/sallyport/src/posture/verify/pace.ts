// Sends what was planned, politely: so many at once, so many a second, and fewer when the server says that it is too
// much.

import { setTimeout as sleep } from 'node:timers/promises'
import type { WireResult } from '../wire/send.ts'

/** How fast a run goes. */
export interface Pace {
  /** Connections at once. */
  readonly concurrency: number
  /** Requests a second; `undefined` is as fast as the answers come. */
  readonly perSecond: number | undefined
  readonly signal?: AbortSignal
  /** Waits; milliseconds. */
  readonly wait?: (ms: number) => Promise<unknown>
}

const SLOWEST_MS = 2_000

/** Sends each and hands over what came, in the order of arrival. */
export async function inPace<T>(
  items: readonly T[],
  pace: Pace,
  sendOne: (item: T) => Promise<WireResult>,
  onResult: (item: T, result: WireResult) => void,
): Promise<void> {
  const wait = pace.wait ?? ((ms: number) => sleep(ms))
  let gapMs = pace.perSecond === undefined ? 0 : 1_000 / pace.perSecond
  let next = 0
  let turn: Promise<unknown> = Promise.resolve()

  // One start after another, each a gap after the last.
  function myTurn(): Promise<unknown> {
    const mine = turn
    if (gapMs > 0) turn = mine.then(() => wait(gapMs))
    return mine
  }

  async function worker(): Promise<void> {
    while (next < items.length && !pace.signal?.aborted) {
      const item = items[next++]!
      await myTurn()
      const result = await sendOne(item)
      onResult(item, result)
      // RFC 6585, section 4: the server asks for less.
      if (
        result.kind === 'answer' &&
        (result.status === 429 || result.status === 503) &&
        pace.perSecond !== undefined
      )
        gapMs = Math.min(gapMs * 2, SLOWEST_MS)
    }
  }
  await Promise.all(Array.from({ length: Math.min(pace.concurrency, items.length) }, worker))
}
