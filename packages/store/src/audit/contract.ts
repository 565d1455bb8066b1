// What a log is opened with, and what it does then.

import type { AuditEvent, AuditSink } from 'sallyport'
import type { RiskBook, Signer } from 'sallyport/audit'
import type { Database } from '../database.ts'
import type { Anchor } from './anchor.ts'
import type { Waiting } from './batch.ts'
import type { Spool } from './spool.ts'

/** What a log is opened with. */
export interface AuditLogOptions {
  readonly database: Database
  /** The log's name: a URL without a scheme, such as `audit.example.com/log`. */
  readonly origin: string
  /** Without one, events are kept and no checkpoint is signed. */
  readonly signer?: Signer
  readonly anchor?: Anchor
  /** Where events wait while the database is away; without one they wait in memory. */
  readonly spool?: Spool
  readonly risk?: RiskBook
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
  readonly random?: (bytes: Uint8Array) => Uint8Array
  /** Runs something later; returns what cancels it. Milliseconds. */
  readonly later?: (run: () => void, ms: number) => () => void
  /** Hears of every checkpoint: for copies outside. */
  readonly onCheckpoint?: (note: string) => void
  /** Hears of each event with its risk, before it is written. */
  readonly onEvent?: (waiting: Waiting) => void
}

/** How a log does. */
export interface AuditLogState {
  /** Entries written. */
  readonly size: number
  /** Events that wait for their batch. */
  readonly waiting: number
  /** Events lost since the start because nothing could take them. */
  readonly lost: number
  /** Why no checkpoint is signed, where none is. */
  readonly problem: string | undefined
  /** Why the last batch could not be written, where it could not. */
  readonly fault: string | undefined
  readonly checkpoint: string | undefined
}

/** A log that is open. */
export interface AuditLog extends AuditSink {
  /** Resolves when the event is in the log and on the disk. @throws where it can't be written */
  append(event: AuditEvent): Promise<void>
  readonly state: AuditLogState
  /** Writes what waits. */
  flush(): Promise<void>
  close(): Promise<void>
}
