// What controls may be given from outside: places that count, records of keys, a log. A guard is made with them.

import type { RiskBook } from '../audit/risk.ts'
import type { AuditSink } from './audit.ts'
import type { Challenges } from './challenges.ts'
import type { Counters } from './counters.ts'
import type { KeyAdministrator } from './key-administrator.ts'
import type { KeyRing } from './keys.ts'
import type { LockoutStore } from './lockouts.ts'
import type { SessionSource } from './sessions.ts'
import type { TokenSource } from './tokens.ts'

/** Each may be left out; a policy that can't be enforced without one says so when its guard is made. */
export interface Services {
  /** In this process where it is left out. */
  readonly counters?: Counters
  readonly keys?: KeyRing
  /** Who makes, rotates and revokes keys for callers, where the policy lets them. */
  readonly keyAdministrator?: KeyAdministrator
  readonly lockouts?: LockoutStore
  /** What strangers are asked for while failed sign-ins surge; a puzzle where it is left out. */
  readonly challenges?: Challenges
  /** Who is signed in, by the session cookie that the policy names. */
  readonly sessions?: SessionSource
  /** Opaque tokens that the program itself gave out. */
  readonly tokens?: TokenSource
  readonly audit?: AuditSink
  /** What is held against whom: the same book that the log counts in. */
  readonly risk?: RiskBook
  /** How late this process runs, in milliseconds: what is shed under load is decided by it. */
  readonly load?: () => number
  /** For published keys of token issuers and for introspection; the runtime's own where it is left out. */
  readonly fetch?: typeof globalThis.fetch
  /** Secrets that the policy names, such as an introspection client's; the name is the policy's. */
  readonly secret?: (name: string) => string | undefined
  /** 32 random bytes that several processes share, so that they sign identities with the same keys. */
  readonly identitySeed?: Uint8Array
}
