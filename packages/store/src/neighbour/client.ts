// A store that another process of this machine has open, asked through its socket.

import { connect } from 'node:net'
import type { Database, Queries } from '../database.ts'
import { isFaultCode, StoreFault } from '../fault.ts'
import { openStore, type StoreSettings } from '../open.ts'
import type { ParametersOf, RowOf, Statement } from '../statement.ts'
import { neighbourSocket } from './server.ts'
import { type Answer, lineReader, type Question, read, write } from './wire.ts'

/** A store that can be asked and closed. */
export interface ReachedStore extends Database {
  /** True where another process has it open. */
  readonly isNeighbours: boolean
  close(): Promise<void>
}

const DEADLINE_MS = 10_000
const COPY_MS = 600_000

/**
 * Opens a store, or asks the process that has it open.
 *
 * @throws StoreFault where neither can be
 */
export async function reachStore(settings: StoreSettings): Promise<ReachedStore> {
  try {
    const store = await openStore(settings)
    return { ...store, isNeighbours: false, close: () => store.close() }
  } catch (error) {
    if (!('directory' in settings) || !(error instanceof StoreFault) || error.code !== 'held') throw error
    return await neighbour(settings.directory).catch(() => {
      throw error
    })
  }
}

/**
 * Asks the process that has a store open for a copy of it, as of one moment.
 *
 * @returns the copy's folder, which is the caller's to remove
 */
export async function neighbourCopy(directory: string): Promise<string> {
  const { ask, close } = await conversation(directory)
  try {
    const { rows } = await ask({ kind: 'copy' }, COPY_MS)
    return (rows[0] as { readonly place: string }).place
  } finally {
    await close()
  }
}

type Ask = Question extends infer Each ? (Each extends Question ? Omit<Each, 'id'> : never) : never

interface Conversation {
  ask(question: Ask, deadlineMs?: number): Promise<{ readonly id: number; readonly rows: readonly unknown[] }>
  close(): Promise<void>
}

async function conversation(directory: string): Promise<Conversation> {
  const socket = connect(neighbourSocket(directory))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const waiting = new Map<number, (answer: Answer | undefined) => void>()
  let next = 0
  const lost = () => {
    for (const answer of waiting.values()) answer(undefined)
    waiting.clear()
  }
  socket.on('error', lost)
  socket.on('close', lost)
  socket.on(
    'data',
    lineReader(
      (line) => {
        const answer = read(line) as Answer
        waiting.get(answer.id)?.(answer)
        waiting.delete(answer.id)
      },
      () => socket.destroy(),
    ),
  )

  function ask(
    question: Ask,
    deadlineMs = DEADLINE_MS,
  ): Promise<{ readonly id: number; readonly rows: readonly unknown[] }> {
    const id = next++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(), deadlineMs)
      waiting.set(id, (answer) => {
        clearTimeout(timer)
        if (answer === undefined)
          reject(
            new StoreFault('unavailable', 'the process that has the store open does not answer any more'),
          )
        else if ('fault' in answer) reject(errorOf(answer.fault))
        else resolve(answer)
      })
      socket.write(`${write({ ...question, id } as Question)}\n`)
    })
  }

  return {
    ask,
    async close() {
      socket.end()
      await new Promise<void>((resolve) => {
        if (socket.destroyed) resolve()
        else socket.once('close', () => resolve())
      })
    },
  }
}

async function neighbour(directory: string): Promise<ReachedStore> {
  const { ask, close } = await conversation(directory)
  const asking = async <S extends Statement>(
    wanted: S,
    parameters: ParametersOf<S>,
    more: { readonly tenant?: string; readonly within?: number } = {},
  ): Promise<readonly RowOf<S>[]> => {
    const given = {
      kind: 'query',
      statement: wanted.name,
      parameters: parameters as readonly unknown[],
      ...more,
    } as const
    return (await ask(given)).rows as readonly RowOf<S>[]
  }

  return {
    isNeighbours: true,
    ready: true,
    query: (wanted, parameters) => asking(wanted, parameters),
    queryAs: (tenant, wanted, parameters) => asking(wanted, parameters, { tenant }),
    async transaction(options, work) {
      const { id: within } = await ask({ kind: 'begin', ...options })
      const queries: Queries = { query: (wanted, parameters) => asking(wanted, parameters, { within }) }
      try {
        const result = await work(queries)
        await ask({ kind: 'end', within, commit: true })
        return result
      } catch (error) {
        await ask({ kind: 'end', within, commit: false }).catch(() => {})
        throw error
      }
    },
    close,
  }
}

// A fault is one here as it was there: commands say it as a sentence.
function errorOf({ code, message }: { readonly code: string; readonly message: string }): Error {
  return isFaultCode(code) ? new StoreFault(code, message) : Object.assign(new Error(message), { code })
}
