// The audit log: takes events without making anybody wait, writes them in batches, signs how far it has come. What can't
// be written waits in a spool on disk; what must not be lost is appended and awaited.

import { randomUUID } from 'node:crypto'
import type { AuditEvent, AuditSink } from 'sallyport'
import { type RiskBook, rootOf, type Signer, signCheckpoint } from 'sallyport/audit'
import type { Database } from '../database.ts'
import { auditCheckpointPut, auditKnown } from '../statements/audit.ts'
import { type Anchor, contradiction } from './anchor.ts'
import { LastOfTenant, type LogState, stateOf, type Waiting, writeBatch } from './batch.ts'
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

const MAX_BATCH = 256
const GATHER_MS = 10
const RETRY_MS = 1_000
const CHECKPOINT_MS = 1_000
const MAX_WAITING = 10_000

interface Queued extends Waiting {
  readonly done?: (error?: unknown) => void
}

function timer(run: () => void, ms: number): () => void {
  const handle = setTimeout(run, ms)
  handle.unref()
  return () => clearTimeout(handle)
}

/** Opens the log; says in its state what is wrong with it, and goes on keeping events. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { database, origin, signer, anchor, spool, risk, onCheckpoint, onEvent } = options
  const clock = options.clock ?? Date.now
  const random = options.random ?? ((bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>))
  const later = options.later ?? timer
  const last = new LastOfTenant()
  let queue: Queued[] = []
  let log: LogState | undefined
  let lost = 0
  let fault: string | undefined
  let checkpoint: string | undefined
  let checkpointSize = 0
  let cancel: (() => void) | undefined
  let cancelCheckpoint: (() => void) | undefined
  let writing: Promise<void> | undefined
  // A turn that has not begun takes along everything that comes until then.
  let nextTurn: Promise<void> | undefined
  let isClosed = false

  let problem: string | undefined
  if (signer) {
    const note = anchor?.read()
    problem = await contradiction(database, note, signer)
    if (problem === undefined) checkpoint = note
  } else problem = 'there is no key to sign checkpoints with'

  function enqueue(event: AuditEvent, done?: Queued['done']): void {
    const now = clock()
    const worst = risk?.note(event, now)
    const waiting: Queued = {
      uid: randomUUID(),
      at: event.at ?? now,
      event,
      ...(worst ? { risk: worst } : {}),
      ...(done ? { done } : {}),
    }
    onEvent?.(waiting)
    if (queue.length >= MAX_WAITING && done === undefined) {
      lost++
      return
    }
    queue.push(waiting)
    // Whoever waits is written at once, together with all that come while the batch before is under way.
    if (done !== undefined || queue.length >= MAX_BATCH) void flush()
    else cancel ??= later(() => void flush(), GATHER_MS)
  }

  async function writeOne(batch: readonly Queued[]): Promise<void> {
    for (;;) {
      log ??= await stateOf(database)
      const next = await writeBatch(database, log, batch, last, random)
      if (next !== undefined) {
        log = next
        return
      }
      // Another process was first: its entries are before ours.
      log = undefined
      last.forget()
    }
  }

  // A batch whose answer was lost may be in the log, or not.
  async function withoutKnown(batch: readonly Queued[]): Promise<Queued[]> {
    const known = new Set(
      (await database.query(auditKnown, [batch.map(({ uid }) => uid)])).map(({ uid }) => uid),
    )
    for (const { uid, done } of batch) if (known.has(uid)) done?.()
    return batch.filter(({ uid }) => !known.has(uid))
  }

  let inDoubt: Queued[] = []

  async function drain(): Promise<void> {
    if (inDoubt.length > 0) {
      const rest = await withoutKnown(inDoubt)
      inDoubt = []
      queue = [...rest, ...queue]
    }
    const spooled = spool?.read() ?? []
    if (spooled.length > 0) {
      for (let i = 0; i < spooled.length; i += MAX_BATCH) {
        const fresh = await withoutKnown(spooled.slice(i, i + MAX_BATCH))
        if (fresh.length > 0) await writeOne(fresh)
      }
      spool!.clear()
    }
    while (queue.length > 0) {
      const batch = queue.slice(0, MAX_BATCH)
      queue = queue.slice(MAX_BATCH)
      try {
        await writeOne(batch)
      } catch (error) {
        log = undefined
        last.forget()
        inDoubt = batch.filter(({ done }) => done === undefined)
        for (const { done } of batch) done?.(error)
        throw error
      }
      for (const { done } of batch) done?.()
    }
  }

  // What waits when the database is away goes to disk; what is awaited is told so at once.
  function giveUp(error: unknown): void {
    fault = (error as { code?: string }).code ?? (error instanceof Error ? error.name : 'unknown')
    for (const { done } of queue) done?.(error)
    const waiting = [...inDoubt, ...queue.filter(({ done }) => done === undefined)]
    queue = []
    inDoubt = []
    const kept = spool?.add(waiting) ?? 0
    if (spool === undefined) queue = waiting.slice(0, MAX_WAITING)
    lost += waiting.length - (spool === undefined ? queue.length : kept)
    if (!isClosed) cancel ??= later(() => void flush(), RETRY_MS)
  }

  async function flushNow(): Promise<void> {
    cancel?.()
    cancel = undefined
    try {
      await drain()
      fault = undefined
      cancelCheckpoint ??= isClosed ? undefined : later(() => void sign(), CHECKPOINT_MS)
    } catch (error) {
      giveUp(error)
    }
  }

  function flush(): Promise<void> {
    if (nextTurn === undefined) {
      nextTurn = (writing ?? Promise.resolve()).then(() => {
        nextTurn = undefined
        return flushNow()
      })
      writing = nextTurn
    }
    return nextTurn
  }

  async function sign(): Promise<void> {
    cancelCheckpoint?.()
    cancelCheckpoint = undefined
    const current = log
    if (!signer || problem !== undefined || current === undefined || current.frontier.size === checkpointSize)
      return
    const { size } = current.frontier
    const note = signCheckpoint({ origin, size, root: rootOf(current.frontier) }, signer)
    try {
      // Outside first: the database must never know more than what contradicts it.
      anchor?.write(note)
      checkpoint = note
      checkpointSize = size
      await database.query(auditCheckpointPut, [size, note])
      onCheckpoint?.(note)
    } catch (error) {
      fault = (error as { code?: string }).code ?? 'checkpoint'
    }
  }

  return {
    record(event) {
      if (!isClosed) enqueue(event)
    },
    append: (event) =>
      new Promise((resolve, reject) => {
        if (isClosed) reject(new Error('the audit log is closed'))
        else enqueue(event, (error) => (error === undefined ? resolve() : reject(error)))
      }),
    get state() {
      return {
        size: log?.frontier.size ?? 0,
        waiting: queue.length + inDoubt.length,
        lost,
        problem,
        fault,
        checkpoint,
      }
    },
    flush,
    async close() {
      await flush()
      isClosed = true
      cancel?.()
      await flush()
      await sign()
    },
  }
}
