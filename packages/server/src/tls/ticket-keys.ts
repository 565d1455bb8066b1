// The keys of session tickets. Each is good for a day and is known for one more, so that a session begun just before a
// change can be resumed. All come from one secret by a one-way step for each day: whoever has the secret and the time has
// the key, so processes need not talk; and yesterday's secret can't be found from today's, so what was recorded stays
// closed once it is forgotten (RFC 5077, section 5.5; RFC 8446, appendix C.4).

import { hkdfSync } from 'node:crypto'

/** A key: 16 bytes of name and of each key, as OpenSSL's callback takes them. */
interface TicketKey {
  readonly name: Buffer
  readonly hmac: Buffer
  readonly aes: Buffer
}

/** The secret of a day, counted from the epoch. */
export interface DaySecret {
  readonly day: number
  /** 32 bytes. */
  readonly secret: Buffer
}

/** The keys of a point in time. */
export interface TicketKeys {
  /** The key that is used now, then the one before; keys that are gone can't be had again. */
  now(): readonly [TicketKey, TicketKey]
  /** What must be kept so that another process has the same keys: the secret of the day before. */
  kept(): DaySecret
}

const DAY_MS = 86_400_000

/** So far a kept secret may lie back; steps. A file older than that has nothing to resume. */
const MAX_STEPS = 36_500

/** The day of a time in milliseconds since the epoch. */
export const dayOf = (now: number): number => Math.floor(now / DAY_MS)

/**
 * @param start the secret of yesterday, or of a day before
 * @param clock milliseconds since the epoch
 * @param binding what sessions are bound to: who resumes one must still be served by the same rules
 */
export function createTicketKeys(start: DaySecret, clock: () => number, binding: string): TicketKeys {
  let kept = start
  let made: { readonly day: number; readonly keys: readonly [TicketKey, TicketKey] } | undefined

  function step(today: number): void {
    // A clock that is set back leaves the keys as they are.
    if (today - 1 <= kept.day) return
    const steps = Math.min(today - 1 - kept.day, MAX_STEPS)
    let { secret } = kept
    for (let i = 0; i < steps; i++) secret = next(secret)
    kept = { day: today - 1, secret }
  }

  function now(): readonly [TicketKey, TicketKey] {
    const today = dayOf(clock())
    if (made !== undefined && made.day >= today) return made.keys
    step(today)
    made = { day: kept.day + 1, keys: [keyOf(next(kept.secret), binding), keyOf(kept.secret, binding)] }
    return made.keys
  }

  return {
    now,
    kept() {
      step(dayOf(clock()))
      return kept
    },
  }
}

function derive(secret: Buffer, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, bytes))
}

const next = (secret: Buffer): Buffer => derive(secret, 'sallyport tickets: next day', 32)

function keyOf(secret: Buffer, binding: string): TicketKey {
  const bytes = derive(secret, `sallyport tickets: keys ${binding}`, 48)
  return { name: bytes.subarray(0, 16), hmac: bytes.subarray(16, 32), aes: bytes.subarray(32, 48) }
}
