// Watches the sequence of revocations: what was ended, as of when it is known, and whether that is known at all.

import type { KeyRecord } from '../ports/keys.ts'
import type { KeyDigest } from './digest.ts'

/** Something that ended or changed: whatever is known of it is to be looked up again. */
export interface Ended {
  readonly kind: 'key' | 'organisation' | 'principal' | 'session'
  readonly id: string
}

/** A part of the sequence. */
export interface Revocations {
  /** The number of the last one in `ended`; where it is empty, of the last there is. */
  readonly seq: number
  readonly ended: readonly Ended[]
  /** True where there are more after it. */
  readonly isCut: boolean
}

/** Where the records of keys are. Every call may reject; the ring then knows nothing. */
export interface KeyRecords {
  /** The record of the key with this digest. */
  find(digest: KeyDigest): Promise<KeyRecord | undefined>
  /** What ended after a number; with `undefined`, the last number alone. */
  revocations(after: number | undefined): Promise<Revocations>
  /** Writes when keys were last used, milliseconds since the epoch by key id; a time never goes backwards. */
  used(uses: ReadonlyMap<string, number>): Promise<void>
  /** Somebody else has seen a key; the deployment decides what becomes of it. */
  exposed?(digest: KeyDigest, source: string): Promise<void>
}

/** What is known of revocations. */
export interface RevocationWatch {
  /** Whether everything that ended up to two seconds ago is known. */
  isFresh(): boolean
  /** Whether that was so until a moment ago, or is to be for the first time: an answer may come at any time. */
  mayFollow(): boolean
  /** Settles with the next answer. */
  next(): Promise<void>
  readonly ready: Promise<void>
  /** Whether the key, its organisation or its owner was seen to end since a moment of the clock. */
  endedSince(record: KeyRecord, since: number): boolean
  poke(): void
  /** Settles when everything that has ended by now is known, or nothing is believed any more. */
  settled(): Promise<void>
  stop(): void
}

// Often enough that one question may be lost, or answered late, and nothing is refused for it.
const EVERY_MS = 500
const FRESH_MS = 2_000
// A question without an answer for so long is asked again; its answer still counts when it comes.
const POLL_DEADLINE_MS = 700
// After one failure the next question comes at once, after more of them so much later.
const RETRY_MS = 200
// A loop that was held up reads its answers a little after its requests.
const LATE_MS = 1_000
// Longer than any record is believed: older marks say nothing of one that is.
const MARK_MS = 10_000
// Beyond so many at once, all is forgotten instead: cheaper than to remember each.
const MOST_MARKS = 10_000

interface Around {
  readonly clock: () => number
  readonly after: (milliseconds: number, work: () => void) => () => void
  readonly forgetAll: () => void
  readonly onPoll: (now: number) => void
}

/** Begins to watch. */
export function watchRevocations(records: KeyRecords, around: Around): RevocationWatch {
  const { clock, after } = around
  const marks = {
    key: new Map<string, number>(),
    organisation: new Map<string, number>(),
    principal: new Map<string, number>(),
  }
  const { promise: ready, resolve: begin } = Promise.withResolvers<void>()
  let answer = Promise.withResolvers<void>()
  let seen: number | undefined
  /** When the last question that was answered began. */
  let asOf = Number.NEGATIVE_INFINITY
  /** What was looked up before is not believed. */
  let forgottenAt = Number.NEGATIVE_INFINITY
  let polling = 0
  /** The newest question that was answered. */
  let heard = 0
  let failures = 0
  let isPolling = false
  let again = false
  let stopped = false
  let cancelNext = () => {}

  function forget(): void {
    for (const map of Object.values(marks)) map.clear()
    forgottenAt = clock()
    around.forgetAll()
  }

  function mark(ended: readonly Ended[]): void {
    const now = clock()
    const count = marks.key.size + marks.organisation.size + marks.principal.size + ended.length
    if (count > MOST_MARKS) {
      forget()
      return
    }
    for (const { kind, id } of ended) {
      if (kind === 'session') continue
      // Set anew, so that the maps stay in the order of time.
      marks[kind].delete(id)
      marks[kind].set(id, now)
    }
  }

  function forgetMarks(now: number): void {
    for (const map of Object.values(marks))
      for (const [id, at] of map) {
        if (now - at < MARK_MS) break
        map.delete(id)
      }
  }

  async function ask(number: number): Promise<void> {
    for (;;) {
      const began = clock()
      const from = seen
      const { seq, ended, isCut } = await records.revocations(from)
      // A later question was answered meanwhile, and knows more.
      if (stopped || number < heard) return
      // A store that was restored counts from where it was: what it revokes from now on would be taken for old.
      const isRestored = from !== undefined && seq < from
      if (isRestored) forget()
      mark(ended)
      seen = isRestored || seen === undefined ? seq : Math.max(seen, seq)
      if (isCut) continue
      heard = number
      failures = 0
      asOf = Math.max(asOf, began)
      begin()
      answer.resolve()
      answer = Promise.withResolvers()
      return
    }
  }

  function poll(): void {
    if (stopped) return
    cancelNext()
    isPolling = true
    again = false
    const number = ++polling
    const began = clock()
    const done = (isAnswered: boolean) => {
      if (number !== polling || stopped) return
      cancelDeadline()
      polling++
      isPolling = false
      if (!isAnswered) failures++
      const now = clock()
      forgetMarks(now)
      around.onPoll(now)
      if (again) poll()
      else
        cancelNext = after(
          isAnswered ? Math.max(0, EVERY_MS - (now - began)) : failures > 1 ? RETRY_MS : 0,
          poll,
        )
    }
    const cancelDeadline = after(POLL_DEADLINE_MS, () => done(false))
    ask(number).then(
      () => done(true),
      () => done(false),
    )
  }

  function poke(): void {
    if (isPolling) again = true
    else poll()
  }

  poll()
  return {
    isFresh: () => clock() - asOf <= FRESH_MS,
    mayFollow: () => seen === undefined || clock() - asOf <= FRESH_MS + LATE_MS,
    next: () => answer.promise,
    ready,
    endedSince({ id, organisation, owner }, since) {
      if (since <= forgottenAt) return true
      const ended = (map: ReadonlyMap<string, number>, subject: string) => {
        const at = map.size === 0 ? undefined : map.get(subject)
        return at !== undefined && at >= since
      }
      return ended(marks.key, id) || ended(marks.organisation, organisation) || ended(marks.principal, owner)
    },
    poke,
    async settled() {
      // A question that is under way was asked before, and may be answered as of then.
      const before = polling
      poke()
      let isOver = false
      const { promise: over, resolve } = Promise.withResolvers<void>()
      // By then no answer counts that is older than the end.
      const cancel = after(FRESH_MS + 1, () => {
        isOver = true
        resolve()
      })
      while (heard <= before && !isOver && !stopped) await Promise.race([answer.promise, over])
      cancel()
    },
    stop() {
      stopped = true
      polling++
      cancelNext()
    },
  }
}
