// A world for rings: a clock that moves only when it is told to, timers in its order, and records that are slow, away or
// silent when a test says so.

import { hash } from 'node:crypto'
import type { KeyRecord } from '../ports/keys.ts'
import { keyFormat } from './format.ts'
import type { Ended, KeyRecords } from './revocation-watch.ts'

/** Time. */
export interface Simulation {
  clock(): number
  after(milliseconds: number, work: () => void): () => void
  /** After what is due by now. */
  afterInput(work: () => void): void
  /** Time passes and nothing is done: a loop that is held up. */
  stall(milliseconds: number): void
  /** Goes on, timer by timer; what waits for a promise is let run after each. */
  advance(milliseconds: number): Promise<void>
}

export function simulation(): Simulation {
  let now = 1_000
  let timers: { readonly at: number; readonly work: () => void }[] = []
  const after = (milliseconds: number, work: () => void) => {
    const timer = { at: now + milliseconds, work }
    timers.push(timer)
    return () => {
      timers = timers.filter((each) => each !== timer)
    }
  }
  const settle = async () => {
    for (let turn = 0; turn < 30; turn++) await undefined
  }
  return {
    clock: () => now,
    after,
    afterInput: (work) => void after(0, work),
    stall(milliseconds) {
      now += milliseconds
    },
    async advance(milliseconds) {
      const end = now + milliseconds
      await settle()
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers = timers.filter((each) => each !== next)
        now = Math.max(now, next.at)
        next.work()
        await settle()
      }
      now = end
    },
  }
}

/** Records in memory. */
export interface SimulatedRecords extends KeyRecords {
  /** Adds a key and gives its text. */
  add(changes?: Partial<KeyRecord>): string
  /** Changes a key, and tells of it in the sequence. */
  end(key: string, changes: Partial<KeyRecord>, ended?: Ended): void
  /** How look-ups, and polls, are answered from now on: after so many milliseconds, or never; `fails` when they are over. */
  delayMs: number | 'never'
  pollDelayMs: number | 'never'
  fails: boolean
  /** The same for revocations alone. */
  pollFails: boolean
  readonly asked: { find: number; revocations: number }
  readonly written: Map<string, number>[]
  seq: number
}

const format = keyFormat('acme')
const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)

export function simulatedRecords(world: Simulation): SimulatedRecords {
  const byDigest = new Map<string, KeyRecord>()
  const sequence: (Ended & { readonly seq: number })[] = []
  const digest = (key: string) => hash('sha256', key, 'binary')
  // What is answered is what stood there when the question came.
  const answer = <T>(value: T, delayMs: number | 'never'): Promise<T> =>
    new Promise((resolve, reject) => {
      if (delayMs === 'never') return
      const end = () => (records.fails ? reject(new Error('away')) : resolve(value))
      if (delayMs === 0) end()
      else world.after(delayMs, end)
    })
  const records: SimulatedRecords = {
    delayMs: 0,
    pollDelayMs: 0,
    fails: false,
    pollFails: false,
    asked: { find: 0, revocations: 0 },
    written: [],
    seq: 0,
    add(changes = {}) {
      const kind = changes.kind ?? 'secret'
      const environment = changes.environment ?? 'live'
      const key = format.make({ kind, environment }, random)
      byDigest.set(digest(key), {
        id: `key-${byDigest.size}`,
        kind,
        environment,
        organisation: 'acme-inc',
        owner: 'acme-inc',
        name: 'Till',
        display: format.display(key),
        plan: 'free',
        scopes: ['orders:read', 'orders:write'],
        origins: [],
        cidrs: [],
        createdAt: 1,
        generation: 1,
        ...changes,
      })
      return key
    },
    end(key, changes, ended) {
      const record = byDigest.get(digest(key))!
      byDigest.set(digest(key), { ...record, ...changes })
      records.seq++
      sequence.push({ seq: records.seq, ...(ended ?? { kind: 'key', id: record.id }) })
    },
    find(wanted) {
      records.asked.find++
      return answer(byDigest.get(wanted), records.delayMs)
    },
    revocations(after) {
      records.asked.revocations++
      if (records.pollFails) return Promise.reject(new Error('away'))
      const ended = after === undefined ? [] : sequence.filter(({ seq }) => seq > after)
      return answer({ seq: records.seq, ended, isCut: false }, records.pollDelayMs)
    },
    async used(uses) {
      if (records.fails) throw new Error('away')
      records.written.push(new Map(uses))
    },
  }
  return records
}
