// The worker that holds the embedded database. It executes batches of the PostgreSQL protocol one after the other and,
// because PGlite has no background processes, writes checkpoints itself: the log would otherwise grow for ever.

import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { DurableFiles, START } from './durable-files.ts'
import { makeFolder } from './folder.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'
import { ROOM, roomAt } from './room.ts'

const start = workerData as WorkerStart
const port = parentPort!
const progress = new Int32Array(start.progress)
/** A checkpoint may take this long; the process ends a worker that takes longer. */
const CHECKPOINT_MS = 30_000
const CHECKPOINT_ROOM = 2 ** 20
const LOOK_MS = 1_000
const LINES = 20

const lines: string[] = []
let panicked = false
const heard = (line: string): boolean => {
  if (line.includes(' PANIC: ')) panicked = true
  lines.push(line)
  if (lines.length > LINES) lines.shift()
  return true
}
const say = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer as ArrayBuffer[])

async function openDatabase(): Promise<PGlite> {
  const database = new PGlite({
    fs: new DurableFiles(start.directory),
    startParams: [...START],
    onStdout: heard,
    onStderr: heard,
  })
  await database.waitReady
  return database
}

function fail(error: unknown): void {
  say({ kind: 'failed', lines: [...lines, error instanceof Error ? error.message : String(error)] })
}

// PGlite prints what the database says through the console, which in a worker is the terminal of the operator.
console.log = () => {}
console.error = () => {}
console.warn = () => {}

try {
  if (start.create) await makeFolder(start.directory)
  await serve(await openDatabase())
} catch (error) {
  fail(error)
  port.close()
}

async function serve(database: PGlite): Promise<void> {
  let connection = 0
  let role: string | undefined
  let batches = 0
  let checkpointed = await walPosition(database)
  let checkpointedAt = performance.now()
  let ended = false
  let full = false

  const execute = async (message: Extract<ToWorker, { kind: 'bytes' }>): Promise<void> => {
    if (message.connection !== connection) return
    const chunks: Uint8Array[] = []
    // What comes is a view of the database's memory: it is copied before the next step overwrites it.
    await database.execProtocolRawStream(message.bytes, {
      syncToFs: false,
      onRawData: (data) => chunks.push(data.slice()),
    })
    const bytes = joined(chunks)
    say({ kind: 'bytes', connection, bytes }, [bytes.buffer])
    // PostgreSQL has given up, but without a process to end it would hang at the next call.
    if (panicked) throw new Error('the database has ended itself')
    batches += 1
    if (batches % 256 === 0) await lookAfter(start.checkpointBytes)
  }

  /** What PostgreSQL's background processes would do; never inside a transaction. */
  const lookAfter = async (bytes: number): Promise<void> => {
    if (ended || database.isInTransaction()) return
    const room = roomAt(start.directory)
    if (room < ROOM !== full) {
      full = room < ROOM
      await assume(role)
    }
    // A checkpoint that can't write ends the database, and reads with it.
    if (room >= CHECKPOINT_ROOM) await checkpointWhereDue(bytes)
  }

  /** Writes a checkpoint where the log has grown by more than `bytes` since the last. */
  const checkpointWhereDue = async (bytes: number): Promise<void> => {
    const position = await walPosition(database)
    if (position - checkpointed <= bytes) return
    Atomics.store(progress, 1, CHECKPOINT_MS)
    try {
      await database.exec('reset role')
      await database.exec('checkpoint')
      checkpointed = await walPosition(database)
      checkpointedAt = performance.now()
    } catch {
      // The disk is full: reads go on, writes say so themselves, and the next turn tries again.
    } finally {
      await assume(role)
      Atomics.store(progress, 1, 0)
    }
  }

  // One session serves one connection after the other: nothing of the one before may be left.
  const open = async (message: Extract<ToWorker, { kind: 'open' }>): Promise<void> => {
    connection = message.connection
    if (database.isInTransaction()) await database.exec('rollback')
    await database.exec('discard all')
    role = message.role
    await assume(role)
  }

  const assume = async (name: string | undefined): Promise<void> => {
    await database.exec(`set default_transaction_read_only = ${full ? 'on' : 'off'}`)
    if (name !== undefined) await database.exec(`set role ${quoted(name)}`)
  }

  const close = async (): Promise<void> => {
    ended = true
    if (database.isInTransaction()) await database.exec('rollback')
    await database.exec('reset role')
    await database.exec('checkpoint').catch(() => {})
    await database.close()
    say({ kind: 'closed' })
    port.close()
  }

  let turn: Promise<void> = Promise.resolve()
  let turns = 0
  // Every turn can be seen from outside, so that whatever hangs is ended.
  const take = (work: () => Promise<void>): void => {
    turn = turn
      .then(async () => {
        turns = turns === 2 ** 30 ? 1 : turns + 1
        Atomics.store(progress, 0, turns)
        await work()
        Atomics.store(progress, 0, 0)
      })
      .catch((error: unknown) => {
        fail(error)
        process.exit(1)
      })
  }
  port.on('message', (message: ToWorker) => {
    take(() =>
      message.kind === 'bytes' ? execute(message) : message.kind === 'open' ? open(message) : close(),
    )
  })
  const due = () => performance.now() - checkpointedAt >= start.checkpointMs
  const look = () => take(() => lookAfter(due() ? 0 : start.checkpointBytes))
  setInterval(look, Math.min(LOOK_MS, start.checkpointMs)).unref()
  say({ kind: 'ready' })
}

async function walPosition(database: PGlite): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>(
    `select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text as bytes`,
  )
  return Number(rows[0]!.bytes)
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
