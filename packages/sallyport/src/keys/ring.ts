// The ring: answers for presented keys from memory, and asks the records for those that it does not know. What was
// revoked is refused by every node within two seconds, whatever fails in between:
//
// - revocations have numbers without gaps; the ring asks twice a second for those after the last that it saw
// - what was looked up before a revocation was seen is not believed after it
// - an answer is given only while the last successful question began at most two seconds ago
//
// A push only makes the next question come sooner.

import type { KeyAnswer, KeyRecord, KeyRing } from '../ports/keys.ts'
import { digestOf, type KeyDigest } from './digest.ts'
import { holdsChecksum } from './format.ts'
import { type CachedKey, keyCache } from './key-cache.ts'
import { type LastUses, lastUses } from './last-uses.ts'
import { type KeyRecords, watchRevocations } from './revocation-watch.ts'

/** How a ring works; all may be left out. Times in milliseconds. */
export interface KeyRingOptions {
  /** Milliseconds that never step back; `performance.now()`. */
  readonly clock?: () => number
  /** Does something later, and gives what takes that back; a timer that keeps no process alive. */
  readonly after?: (milliseconds: number, work: () => void) => () => void
  /** Does something once what has arrived by now was read; `setImmediate` where there is one. */
  readonly afterInput?: (work: () => void) => void
  /** How many records are kept; 1 000 000. */
  readonly mostKeys?: number
}

/** A ring, and what moves it. */
export interface RunningKeyRing extends KeyRing {
  known(key: string): KeyAnswer | undefined
  wasFound(key: string): boolean
  exposed(key: string, source: string): Promise<void>
  /** Asks for revocations now: somebody says that there are some. */
  poke(): void
  /** Asks, and settles when whatever has ended by now is refused here: after two seconds at most. */
  settled(): Promise<void>
  /** What pokes is gone, or back: until then records are believed for one second instead of five. */
  pushLost(isLost: boolean): void
  /** Settles when the ring first knows the state of the records. */
  readonly ready: Promise<void>
  /** For operators. */
  state(): {
    readonly cached: number
    readonly lookUps: number
    readonly isFresh: boolean
    readonly pushLost: boolean
  }
  /** Writes the last uses and stops asking. */
  close(): Promise<void>
}

// How long a record is believed; the same while nothing pushes; how long a key is taken to be unknown.
const TTL_MS = 5_000
const TTL_PUSH_LOST_MS = 1_000
const UNKNOWN_TTL_MS = 2_000
// How long it is remembered that there is such a key, so that bad keys of its address do not keep it from a look-up.
const FOUND_MS = 3_600_000
// How long a request waits for a look-up.
const DEADLINE_MS = 50
const MOST_UNKNOWN = 10_000
const MOST_LOOK_UPS = 1_000
// A look-up without an answer for so long is given up, and the next caller asks again.
const ABANDONED_MS = 5_000
// A busy key is looked up again before its record is too old, so that nobody waits for it.
const REFRESH_AT = 0.8

interface LookUp {
  readonly since: number
  readonly answer: Promise<KeyAnswer>
}

/**
 * Makes a ring and begins to ask for revocations.
 *
 * @example
 * ```ts
 * const ring = createKeyRing(keyRecords(store, peppers))
 * const guarded = createGuard(policy, 'node', { services: { keys: ring } })
 * ```
 */
export function createKeyRing(records: KeyRecords, options: KeyRingOptions = {}): RunningKeyRing {
  const clock = options.clock ?? (() => performance.now())
  const after = options.after ?? later
  const afterInput = options.afterInput ?? afterTurn
  const cache = keyCache(options.mostKeys ?? 1_000_000)
  const unknown = new Map<KeyDigest, number>()
  const lookUps = new Map<KeyDigest, LookUp>()
  let ttl = TTL_MS
  const watch = watchRevocations(records, { clock, after, forgetAll: () => cache.clear(), onPoll: tidy })
  const uses: LastUses = lastUses(records, after)

  function tidy(now: number): void {
    cache.sweep(now - FOUND_MS)
    for (const [digest, until] of unknown) {
      if (until > now) break
      unknown.delete(digest)
    }
    for (const [digest, { since }] of lookUps) if (now - since > ABANDONED_MS) lookUps.delete(digest)
  }

  const isBelieved = ({ record, since }: CachedKey, now: number) =>
    now - since < ttl && !watch.endedSince(record, since)

  /** What is known of a digest now. */
  function knownOf(digest: KeyDigest): KeyAnswer | undefined {
    if (!watch.isFresh()) return watch.mayFollow() ? undefined : 'unavailable'
    const now = clock()
    const until = unknown.size === 0 ? undefined : unknown.get(digest)
    if (until !== undefined && until > now) return 'unknown'
    const cached = cache.get(digest)
    if (cached === undefined || !isBelieved(cached, now)) return undefined
    if (now - cached.since > ttl * REFRESH_AT) void lookUp(digest)
    return cached
  }

  /** One look-up for all who ask meanwhile; never rejects. */
  function lookUp(digest: KeyDigest): Promise<KeyAnswer> {
    const now = clock()
    const running = lookUps.get(digest)
    if (running !== undefined && now - running.since <= ABANDONED_MS) return running.answer
    if (running === undefined && lookUps.size >= MOST_LOOK_UPS) return Promise.resolve('unavailable')
    // A record that can't be kept is one that can't be known.
    const answer = ask(digest, true).catch((): KeyAnswer => 'unavailable')
    const entry: LookUp = { since: now, answer }
    lookUps.set(digest, entry)
    void entry.answer.then(() => {
      if (lookUps.get(digest) === entry) lookUps.delete(digest)
    })
    return entry.answer
  }

  async function ask(digest: KeyDigest, mayAskAgain: boolean): Promise<KeyAnswer> {
    const since = clock()
    let record: KeyRecord | undefined
    try {
      record = await records.find(digest)
    } catch {
      return 'unavailable'
    }
    if (!watch.isFresh()) return 'unavailable'
    if (record === undefined) {
      noteUnknown(digest)
      return 'unknown'
    }
    // The question began before an end of this key was seen: it may have been answered before that end, too.
    if (watch.endedSince(record, since)) return mayAskAgain ? ask(digest, false) : 'unavailable'
    unknown.delete(digest)
    cache.put(digest, record, since)
    return { record }
  }

  function noteUnknown(digest: KeyDigest): void {
    unknown.delete(digest)
    if (unknown.size >= MOST_UNKNOWN)
      for (const oldest of unknown.keys()) {
        unknown.delete(oldest)
        break
      }
    unknown.set(digest, clock() + UNKNOWN_TTL_MS)
  }

  // The look-up goes on: the next caller finds its answer. A loop that was held up has not read what came in time, so it
  // reads first; and what it sends only then has its own time, once.
  const inTime = (answer: Promise<KeyAnswer>): Promise<KeyAnswer> =>
    new Promise((resolve) => {
      const began = clock()
      let isOver = false
      let cancel = after(DEADLINE_MS, () =>
        afterInput(() => {
          if (isOver) return
          if (clock() - began < 2 * DEADLINE_MS) resolve('unavailable')
          else cancel = after(DEADLINE_MS, () => afterInput(() => resolve('unavailable')))
        }),
      )
      void answer.then((found) => {
        isOver = true
        cancel()
        resolve(found)
      })
    })

  /** Waits until it is known what was revoked, where it is not; then as ever. */
  async function askLater(digest: KeyDigest): Promise<KeyAnswer> {
    await watch.next()
    return knownOf(digest) ?? lookUp(digest)
  }

  const findDigest = (digest: KeyDigest): KeyAnswer | Promise<KeyAnswer> =>
    knownOf(digest) ?? inTime(watch.isFresh() ? lookUp(digest) : askLater(digest))

  return {
    known(key) {
      if (!holdsChecksum(key)) return 'unknown'
      const digest = digestOf(key)
      return typeof digest === 'string' ? knownOf(digest) : undefined
    },
    wasFound(key) {
      if (!holdsChecksum(key)) return false
      const digest = digestOf(key)
      const found = typeof digest === 'string' ? cache.get(digest) : undefined
      return found !== undefined && !watch.endedSince(found.record, found.since)
    },
    find(key) {
      if (!holdsChecksum(key)) return 'unknown'
      const digest = digestOf(key)
      return typeof digest === 'string' ? findDigest(digest) : digest.then(findDigest)
    },
    used: uses.note,
    async exposed(key, source) {
      if (!holdsChecksum(key)) return
      try {
        await records.exposed?.(await digestOf(key), source)
        watch.poke()
      } catch {
        // Whoever reports is told nothing; the records' own place tells of its failures.
      }
    },
    poke: watch.poke,
    settled: watch.settled,
    pushLost(isLost) {
      ttl = isLost ? TTL_PUSH_LOST_MS : TTL_MS
      watch.poke()
    },
    ready: watch.ready,
    state: () => ({
      cached: cache.size,
      lookUps: lookUps.size,
      isFresh: watch.isFresh(),
      pushLost: ttl === TTL_PUSH_LOST_MS,
    }),
    async close() {
      watch.stop()
      await uses.close()
    },
  }
}

function later(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds) as unknown as { unref?(): void }
  timer.unref?.()
  return () => clearTimeout(timer as never)
}

// Where there is no loop with phases, the next timer comes after what has arrived.
function afterTurn(work: () => void): void {
  const { setImmediate: immediate = setTimeout } = globalThis as {
    readonly setImmediate?: (work: () => void) => unknown
  }
  immediate(work)
}
