// The embedded database as the process sees it: a worker that is started, watched, ended when a query runs too long, and
// started again. The worker may die at any time without harm: what was acknowledged is on the disk.

import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { StoreFault } from '../fault.ts'
import { judgeFolder } from './folder.ts'
import { type FolderLock, lockFolder } from './lock.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { firstWord, progressOf, startWorker } from './start.ts'
import { WorkerStream } from './stream.ts'

/** How the embedded database is run; times in milliseconds. */
export interface EmbeddedSettings {
  readonly directory: string
  /** How long one query may run before the worker is ended. */
  readonly queryMs?: number
  readonly checkpointMs?: number
  /** How much of the log may be written before a checkpoint, in bytes. */
  readonly checkpointBytes?: number
  readonly onEvent?: (event: EngineEvent) => void
}

/** Something that happened to the engine. */
export type EngineEvent = 'query-ended' | 'worker-died' | 'reopened' | 'failing'

/** A running embedded database. */
export interface EmbeddedEngine {
  /** A connection as a stream of bytes; the database has one session, so the newest replaces the one before. */
  connect(role: string | undefined): WorkerStream
  /** Why it can't be relied on, in a sentence: it is not open, or ended too often in the last minute. */
  readonly problem: string | undefined
  /** Lets queries run longer while `work` runs: migrations, exports. */
  patiently<T>(milliseconds: number, work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

const WATCH_MS = 100
const DEATHS = 3
const DEATHS_MS = 60_000
const CLOSING_MS = 30_000
const PAUSE_MS = 250
const LONGEST_PAUSE_MS = 15_000

/**
 * Opens the store of a folder, and makes it where there is none.
 *
 * @throws StoreFault `held` where another process has it, `refused` where a person must look first
 */
export async function openEmbedded(settings: EmbeddedSettings): Promise<EmbeddedEngine> {
  const directory = resolve(settings.directory)
  const lock = takeLock(directory)
  try {
    return await running(settings, directory, lock, judgeFolder(directory) === 'absent')
  } catch (error) {
    lock.release()
    throw error
  }
}

function takeLock(directory: string): FolderLock {
  try {
    return lockFolder(directory)
  } catch (error) {
    if (error instanceof StoreFault) throw error
    // SQLite can't make its file: the folder around is what judgeFolder names.
    judgeFolder(directory)
    throw error
  }
}

async function running(
  settings: EmbeddedSettings,
  directory: string,
  lock: FolderLock,
  absent: boolean,
): Promise<EmbeddedEngine> {
  const usual = settings.queryMs ?? 2_000
  let patience = usual
  let progress = progressOf()
  let worker: Worker | undefined
  let stream: WorkerStream | undefined
  let connection = 0
  const ending = new AbortController()
  let reopening: Promise<void> = Promise.resolve()
  let broken = false
  const deaths: number[] = []
  const event = settings.onEvent ?? (() => {})

  const start = async (create: boolean): Promise<void> => {
    progress = progressOf()
    const started = startWorker(settings, directory, create, progress)
    try {
      await firstWord(started)
    } catch (error) {
      await started.terminate()
      throw error
    }
    started.on('message', hear)
    started.on('error', () => {})
    started.on('exit', () => {
      if (worker === started) died('worker-died')
    })
    worker = started
  }

  const hear = (message: FromWorker): void => {
    if (message.kind === 'bytes' && message.connection === connection) stream?.receive(message.bytes)
    if (message.kind === 'failed') died('worker-died')
  }

  const died = (why: EngineEvent): void => {
    if (ending.signal.aborted) return
    const dead = worker
    worker = undefined
    event(why)
    stream?.destroy(
      why === 'query-ended'
        ? new StoreFault('slow', `a query ran longer than ${patience} ms and was ended with its connection`)
        : new StoreFault('unavailable', 'the embedded database ended and is opened again'),
    )
    stream = undefined
    const now = performance.now()
    deaths.push(now)
    while (deaths[0]! < now - DEATHS_MS) deaths.shift()
    if (deaths.length > DEATHS) event('failing')
    reopening = reopen(dead)
  }

  const reopen = async (dead: Worker | undefined): Promise<void> => {
    // Two databases must never have the folder at once, so the old worker is gone before the next starts.
    await dead?.terminate()
    for (let pause = PAUSE_MS; !ending.signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        // PGlite would make a new database where the folder is gone.
        if (judgeFolder(directory) === 'absent') throw new StoreFault('refused', 'the store’s folder is gone')
        await start(false)
        broken = false
        event('reopened')
        return
      } catch {
        if (!broken) event('failing')
        broken = true
      }
      // Whoever frees the disk or brings the volume back need not restart us.
      await wait(pause, undefined, { ref: false, signal: ending.signal }).catch(() => {})
    }
  }

  // Not a timer per query: what the worker is at is seen in shared memory, so a busy event loop here can't be taken for
  // a slow query there.
  let seen = 0
  let since = 0
  const watch = setInterval(() => {
    const turn = Atomics.load(progress, 0)
    const allowed = Math.max(patience, Atomics.load(progress, 1))
    const now = performance.now()
    if (turn === 0 || turn !== seen) {
      seen = turn
      since = now
    } else if (worker && now - since >= allowed) {
      seen = 0
      died('query-ended')
    }
  }, WATCH_MS)
  watch.unref()

  const post = (message: ToWorker): void => worker?.postMessage(message)
  try {
    await start(absent)
  } catch (error) {
    clearInterval(watch)
    throw error
  }

  return {
    connect(role) {
      const own = ++connection
      stream?.destroy()
      const opened = new WorkerStream((bytes) => {
        if (own !== connection || !worker) return false
        post({ kind: 'bytes', connection: own, bytes })
        return true
      })
      stream = opened
      if (worker) post({ kind: 'open', connection: own, role })
      else opened.destroy(new StoreFault('unavailable', 'the embedded database is being opened again'))
      return opened
    },
    get problem() {
      if (broken) return 'the embedded database can’t be opened again; it is tried until it can'
      if (worker === undefined) return 'the embedded database has ended and is being opened again'
      const since = performance.now() - DEATHS_MS
      const { length } = deaths.filter((at) => at >= since)
      return length > DEATHS
        ? `the embedded database ended ${length} times within a minute; look at the disk and the memory of this machine`
        : undefined
    },
    async patiently(milliseconds, work) {
      patience = Math.max(usual, milliseconds)
      try {
        return await work()
      } finally {
        patience = usual
      }
    },
    async close() {
      if (ending.signal.aborted) return
      ending.abort()
      stream?.destroy()
      await reopening
      clearInterval(watch)
      const last = worker
      worker = undefined
      if (last) {
        const gone = new Promise((fulfil) => last.once('exit', fulfil))
        const late = setTimeout(() => void last.terminate(), CLOSING_MS)
        last.postMessage({ kind: 'close' } satisfies ToWorker)
        await gone
        clearTimeout(late)
      }
      lock.release()
    },
  }
}
