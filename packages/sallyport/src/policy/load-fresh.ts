// Reads a policy file anew in a thread of its own. A module that was imported once stays as it was for the life of the
// process, and so does all that it imports; a thread starts without any, and what it loaded goes with it.

import { Worker } from 'node:worker_threads'
import { type FileKind, PolicyFileError } from './load.ts'

const DEADLINE_MS = 10_000

// By our own name, since sources and the published form lie at different depths.
const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads')
const { file, name, kind, settings } = workerData
import(settings)
  .then(({ loadPlainFile }) => loadPlainFile(file, name, kind))
  .then((value) => parentPort.postMessage({ value }))
  .catch((error) => parentPort.postMessage({ fault: { message: String(error?.message ?? error), file: error?.file } }))
`

type Message = { readonly value: unknown } | { readonly fault: { message: string; file?: string } }

/**
 * What `loadPlainFile` reads, but never from an earlier reading.
 *
 * @throws PolicyFileError, also where the file takes longer than ten seconds
 */
export function loadFresh(file: string, name: string, kind: FileKind): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(SOURCE, {
      eval: true,
      workerData: { file, name, kind, settings: import.meta.resolve('sallyport/settings') },
    })
    const timer = setTimeout(
      () => settle(() => reject(fault(`can't be loaded: it took longer than ${DEADLINE_MS / 1000} s`))),
      DEADLINE_MS,
    )
    const fault = (message: string, cause?: unknown) =>
      new PolicyFileError(name, `${name}: ${message}`, { cause })
    let isSettled = false
    function settle(how: () => void): void {
      if (isSettled) return
      isSettled = true
      clearTimeout(timer)
      void worker.terminate()
      how()
    }
    worker.once('message', (message: Message) =>
      settle(() => {
        if ('value' in message) resolve(message.value)
        else reject(new PolicyFileError(message.fault.file, message.fault.message))
      }),
    )
    worker.once('error', (error: Error) =>
      settle(() => reject(fault(`can't be loaded: ${error.message.split('\n', 1)[0]}`, error))),
    )
    worker.once('exit', () =>
      settle(() => reject(fault("can't be loaded: it ended the thread that read it"))),
    )
  })
}
