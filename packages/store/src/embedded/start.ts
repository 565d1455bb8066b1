// The worker of the embedded database, started, and what it says first.

import { Worker } from 'node:worker_threads'
import { refusalOf } from './folder.ts'
import type { FromWorker, WorkerStart } from './messages.ts'

/** Milliseconds; what was left in the log is replayed meanwhile. */
const OPENING_MS = 120_000

/** How often the database is written out; milliseconds and bytes. */
interface Checkpoints {
  readonly checkpointMs?: number
  readonly checkpointBytes?: number
}

/** The memory that tells what a worker is at. */
export const progressOf = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(8))

/** Starts a worker on a folder. */
export function startWorker(
  settings: Checkpoints,
  directory: string,
  create: boolean,
  progress: Int32Array<SharedArrayBuffer>,
): Worker {
  const workerData: WorkerStart = {
    directory,
    create,
    checkpointMs: settings.checkpointMs ?? 60_000,
    checkpointBytes: settings.checkpointBytes ?? 32 * 2 ** 20,
    progress: progress.buffer,
  }
  return new Worker(new URL(import.meta.resolve('@sallyport/store/embedded-worker')), {
    workerData,
    stdout: true,
    stderr: true,
  })
}

/**
 * Waits for what a worker says first.
 *
 * @throws StoreFault where its database does not start
 */
export function firstWord(worker: Worker): Promise<void> {
  return new Promise((fulfil, reject) => {
    const late = setTimeout(() => end(refusalOf(['it did not answer'])), OPENING_MS)
    const end = (error?: Error) => {
      clearTimeout(late)
      worker.off('message', hear)
      worker.off('error', end)
      worker.off('exit', gone)
      if (error) reject(error)
      else fulfil()
    }
    const hear = (message: FromWorker) =>
      end(message.kind === 'failed' ? refusalOf(message.lines) : undefined)
    const gone = () => end(refusalOf(['its worker ended']))
    worker.on('message', hear)
    worker.on('error', end)
    worker.on('exit', gone)
  })
}
