// One process of a fleet: a gateway that listens on a socket of its parent's, and does what the parent says. Started by
// fork; it never outlives the parent by more than its open requests.

import type { Behind, CloseOptions, Gateway } from '../contract.ts'
import { startGateway } from '../gateway.ts'
import type { Documents } from '../operation.ts'
import type { FromWorker, Question, SentOptions, ToWorker } from './messages.ts'

const ORPHAN_GRACE_MS = 10_000

let gateway: Gateway | undefined
let documents: Documents<Behind>
let isEnding = false

function tell(message: FromWorker, done: () => void = () => {}): void {
  // A parent that is gone hears nothing; `disconnect` tells of it.
  if (process.connected) process.send!(message, undefined, {}, () => done())
  else done()
}

// Signals of a terminal reach the whole group of processes; the parent decides what they mean.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {})

async function start({ credentialKey, sourceName, ...options }: SentOptions): Promise<void> {
  documents = { policy: options.policy }
  try {
    gateway = await startGateway({
      ...options,
      credentialKey: Buffer.from(credentialKey, 'hex'),
      // The parent reads the files, so that a process which starts anew never meets a half-written one.
      source: { name: sourceName, files: [], load: async () => documents },
      log: (event) => tell({ kind: 'event', event }),
    })
  } catch (error) {
    const { message, name, code } = error as NodeJS.ErrnoException
    tell({ kind: 'failed', message, name, ...(code === undefined ? {} : { code }) }, () => process.exit(1))
    return
  }
  tell({ kind: 'ready', url: gateway.url, address: gateway.address })
}

async function ask(question: Question, given: Documents<Behind> | undefined): Promise<unknown> {
  if (gateway === undefined) return undefined
  if (question === 'reopenLog') return gateway.reopenLog()
  if (question !== 'reload') return gateway.plane[question]()
  if (given !== undefined) documents = given
  return gateway.reload()
}

async function drain(how: CloseOptions): Promise<void> {
  isEnding = true
  const { brokenOff } = (await gateway?.close(how)) ?? { brokenOff: 0 }
  const families = (await gateway?.plane.metrics()) ?? []
  tell({ kind: 'drained', brokenOff, families }, () => process.exit(0))
}

process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start':
      void start(message.options)
      break
    case 'ask':
      void ask(message.question, message.documents).then(
        (answer) => tell({ kind: 'answer', id: message.id, answer }),
        () => tell({ kind: 'answer', id: message.id, answer: undefined }),
      )
      break
    case 'drain':
      void drain(message.how)
  }
})
process.on('disconnect', () => {
  if (!isEnding) void drain({ graceMs: ORPHAN_GRACE_MS })
})
