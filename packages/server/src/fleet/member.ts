// One process as its parent sees it: started, asked, told to drain, gone.

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Behind, type CloseOptions, DEFAULT_GRACE_MS, type GatewayEvent } from '../contract.ts'
import type { Family } from '../metrics/families.ts'
import type { Documents } from '../operation.ts'
import type { Answers, FromWorker, Question, SentOptions, ToWorker } from './messages.ts'

/** A process of the fleet. */
export interface Member {
  readonly url: string
  readonly port: number
  /** `undefined` where it does not answer in time. */
  ask<Q extends Question>(question: Q, documents?: Documents<Behind>): Promise<Answers[Q] | undefined>
  drain(how: CloseOptions): Promise<{ readonly brokenOff: number }>
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>
  /** What it counted last. */
  lastFamilies(): readonly Family[]
  kill(): void
}

const ANSWER_MS = 5_000
const START_MS = 30_000
/** Beyond the grace, for a process that hangs. */
const DRAIN_SLACK_MS = 5_000
/** The first that comes after the standard streams and the channel. */
const INHERITED_FD = 4

/**
 * Starts a process and waits until it listens.
 *
 * @param fd a socket that it listens on; without it, it binds for itself
 * @throws what its start threw
 */
export function startMember(
  options: SentOptions,
  fd: number | undefined,
  onEvent: (event: GatewayEvent) => void,
): Promise<Member> {
  const child = fork(fileURLToPath(import.meta.resolve('@sallyport/server/worker')), [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...(fd === undefined ? [] : [fd])],
    serialization: 'advanced',
  })
  // A process that is gone can't be told anything; `exit` tells of it.
  child.on('error', () => {})
  const listen =
    fd === undefined ? { ...options.listen, reusePort: true } : { ...options.listen, fd: INHERITED_FD }
  send(child, { kind: 'start', options: { ...options, listen } })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
    let failure: Error | undefined
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(
        failure ??
          new Error(`a process of the gateway ended before it listened (${signal ?? `exit code ${code}`})`),
      )
    })
    child.on('message', (message: FromWorker) => {
      // It ends by itself, and is waited for: nothing is left of a fleet that did not start.
      if (message.kind === 'failed') {
        const { name, code } = message
        failure = Object.assign(new Error(message.message), { name, ...(code === undefined ? {} : { code }) })
      } else if (message.kind === 'ready') {
        clearTimeout(timer)
        resolve(memberOf(child, message, onEvent))
      }
    })
  })
}

function send(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message, () => {})
}

function memberOf(
  child: ChildProcess,
  { url, address }: Extract<FromWorker, { kind: 'ready' }>,
  onEvent: (event: GatewayEvent) => void,
): Member {
  const waiting = new Map<number, (answer: unknown) => void>()
  const drained = Promise.withResolvers<{ readonly brokenOff: number }>()
  let families: readonly Family[] = []
  let asked = 0
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      for (const answer of waiting.values()) answer(undefined)
      drained.resolve({ brokenOff: 0 })
      resolve()
    })
  })
  child.on('message', (message: FromWorker) => {
    if (message.kind === 'event') onEvent(message.event)
    else if (message.kind === 'answer') waiting.get(message.id)?.(message.answer)
    else if (message.kind === 'drained') {
      families = message.families
      drained.resolve({ brokenOff: message.brokenOff })
    }
  })
  return {
    url,
    port: address.port,
    gone,
    lastFamilies: () => families,
    kill: () => void child.kill('SIGKILL'),
    async ask<Q extends Question>(question: Q, documents?: Documents<Behind>) {
      const id = ++asked
      const { promise, resolve } = Promise.withResolvers<unknown>()
      waiting.set(id, resolve)
      const timer = setTimeout(resolve, ANSWER_MS, undefined)
      send(child, { kind: 'ask', id, question, ...(documents === undefined ? {} : { documents }) })
      if (!child.connected) resolve(undefined)
      const answer = (await promise) as Answers[Q] | undefined
      clearTimeout(timer)
      waiting.delete(id)
      if (question === 'metrics' && answer !== undefined) families = answer as readonly Family[]
      return answer
    },
    async drain(how) {
      send(child, { kind: 'drain', how })
      const { graceMs = DEFAULT_GRACE_MS, waitMs = 0 } = how
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs + waitMs + DRAIN_SLACK_MS)
      const result = await drained.promise
      await gone
      clearTimeout(timer)
      return result
    },
  }
}
