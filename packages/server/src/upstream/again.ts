// Whether a request that failed may be sent once more: only where nobody can have acted on it, or where acting on it
// twice is as acting on it once.

import { isBroken } from './failure.ts'

// RFC 9110, section 9.2.2, with QUERY, which is safe.
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY'])

/** How a request failed. */
export interface Failed {
  readonly method: string
  /** An error code. */
  readonly reason: string
  /** False where no connection came about, so that not a byte was sent. */
  readonly isSent: boolean
  /** Whether its connection had carried a request before, and may have been closed before this one arrived. */
  readonly wasKept: boolean
  /** Whether any byte of an answer came. */
  readonly isAnswered: boolean
  /** Whether its body can be sent again. */
  readonly isWhole: boolean
  /** Whether there is another address. */
  readonly hasOthers: boolean
}

/** True where it may be sent again. */
export function maySendAgain(failed: Failed): boolean {
  if (!failed.isWhole || failed.isAnswered) return false
  if (!failed.isSent) return failed.hasOthers
  return failed.wasKept && IDEMPOTENT.has(failed.method) && isBroken(failed.reason)
}
