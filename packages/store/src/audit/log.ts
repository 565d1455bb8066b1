// The audit log: takes events without making anybody wait, writes them in batches, signs how far it has come. What can't
// be written waits in a spool on disk; what must not be lost is appended and awaited.

import { randomUUID } from 'node:crypto'
import type { AuditEvent } from 'sallyport'
import { auditKnown } from '../statements/audit.ts'
import { LastOfTenant, type LogState, stateOf, type Waiting, writeBatch } from './batch.ts'
import type { AuditLog, AuditLogOptions } from './contract.ts'
import { openSigning } from './signing.ts'
import { frontierOf } from './tree.ts'

const MAX_BATCH = 256
const GATHER_MS = 10
const RETRY_MS = 1_000
const CHECKPOINT_MS = 1_000
const LOOK_MS = 10_000
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
  /** How many events wait in the spool. */
  let spooled = spool?.read().length ?? 0
  let fault: string | undefined
  let cancel: (() => void) | undefined
  let cancelCheckpoint: (() => void) | undefined
  let cancelLook: (() => void) | undefined
  // Whether every entry since the last checkpoint is of this process.
  let isOurs = false
  let writing: Promise<void> | undefined
  // A turn that has not begun takes along everything that comes until then.
  let nextTurn: Promise<void> | undefined
  let isClosed = false
  const closing: (() => void)[] = []

  const signing = await openSigning({ database, origin, signer, anchor, onCheckpoint })

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
      if (log === undefined) {
        log = await stateOf(database)
        isOurs = false
      }
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
    const left = spool?.read() ?? []
    if (left.length > 0) {
      for (let i = 0; i < left.length; i += MAX_BATCH) {
        const fresh = await withoutKnown(left.slice(i, i + MAX_BATCH))
        if (fresh.length > 0) await writeOne(fresh)
      }
      spool!.clear()
      spooled = 0
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
    spooled += kept
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
    if (log === undefined) return
    const was = log
    try {
      await signing.sign(was.frontier, isOurs)
      if (log === was) isOurs = true
      if (queue.length + inDoubt.length + spooled === 0) fault = undefined
    } catch (error) {
      fault = (error as { code?: string }).code ?? 'checkpoint'
      cancelCheckpoint ??= isClosed ? undefined : later(() => void sign(), RETRY_MS)
    }
  }

  // What other processes wrote is signed for too, where this one writes nothing.
  async function look(): Promise<void> {
    if ((await frontierOf(database)).size === log?.frontier.size) return
    log = await stateOf(database)
    isOurs = false
    last.forget()
    await sign()
  }

  function lookLater(): void {
    if (isClosed || signing.problem !== undefined) return
    cancelLook = later(() => {
      writing = (writing ?? Promise.resolve()).then(look).catch(() => {})
      void writing.then(lookLater)
    }, LOOK_MS)
  }
  lookLater()
  // What a process before this one left there need not wait for an event.
  if (spooled > 0) cancel = later(() => void flush(), GATHER_MS)

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
        waiting: queue.length + inDoubt.length + spooled,
        lost,
        problem: signing.problem,
        fault,
        checkpoint: signing.checkpoint,
      }
    },
    beforeClose: (tell) => void closing.push(tell),
    flush,
    async close() {
      for (const tell of closing.splice(0)) tell()
      await flush()
      isClosed = true
      cancel?.()
      cancelLook?.()
      await flush()
      await sign()
    },
  }
}
