// Lets other processes of the same user ask an embedded store that this one has open: an embedded store belongs to one
// process, and an operator's commands must work while the gateway runs. A socket beside the folder, for its owner only.

import { randomUUID } from 'node:crypto'
import { chmodSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import type { Database, Queries } from '../database.ts'
import { StoreFault } from '../fault.ts'
import type { Store } from '../open.ts'
import type { Statement } from '../statement.ts'
import { statements } from '../statements/all.ts'
import { type Answer, lineReader, type Question, read, write } from './wire.ts'

/** Where the store of a folder is asked. */
export function neighbourSocket(directory: string): string {
  return `${directory}.sock`
}

const byName = new Map<string, Statement>(Object.values(statements).map((one) => [one.name, one]))
const MAX_CONNECTIONS = 16
// A neighbour that stops in the middle of a transaction must not hold the only session.
const TRANSACTION_MS = 2_000
const STALE_MS = 24 * 3_600_000

interface OpenTransaction {
  readonly queries: Queries
  readonly end: (commit: boolean) => void
}

/**
 * Begins to answer.
 *
 * @returns what ends it
 */
export async function answerNeighbours(
  database: Database & Pick<Store, 'copyTo'>,
  directory: string,
): Promise<() => Promise<void>> {
  const path = neighbourSocket(directory)
  // Left by a process that was killed; whoever has the folder's lock is the only one to listen.
  rmSync(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    if (sockets.size >= MAX_CONNECTIONS) return void socket.destroy()
    sockets.add(socket)
    socket.on('error', () => {})
    const end = serve(database, directory, socket)
    socket.on('close', () => {
      sockets.delete(socket)
      end()
    })
  })
  // Nobody may connect between the moment it appears and the moment its mode is set.
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(mask)
  }
  chmodSync(path, 0o600)
  server.unref()
  return async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    rmSync(path, { force: true })
  }
}

function serve(database: Database & Pick<Store, 'copyTo'>, directory: string, socket: Socket): () => void {
  const open = new Map<number, OpenTransaction>()
  const send = (answer: Answer) => socket.write(`${write(answer)}\n`)
  const fault = (id: number, error: unknown) => {
    const { code, message } = error as { code?: unknown; message?: unknown }
    send({ id, fault: { code: String(code ?? 'unknown'), message: String(message ?? error) } })
  }

  async function query(asked: Extract<Question, { kind: 'query' }>): Promise<readonly unknown[]> {
    const wanted = byName.get(asked.statement)
    if (!wanted) throw new Error('this store has no such statement: it is of another version')
    if (asked.within !== undefined) {
      const transaction = open.get(asked.within)
      if (!transaction) throw new Error('the transaction took too long, and was rolled back')
      return transaction.queries.query(wanted, asked.parameters as never)
    }
    return asked.tenant === undefined
      ? database.query(wanted, asked.parameters as never)
      : database.queryAs(asked.tenant, wanted, asked.parameters as never)
  }

  function begin({ id, tenant, serializable }: Extract<Question, { kind: 'begin' }>): void {
    let attempts = 0
    const options = { ...(tenant === undefined ? {} : { tenant }), ...(serializable ? { serializable } : {}) }
    database
      .transaction(options, async (queries) => {
        // What a neighbour did in the first attempt it can't be made to do again.
        if (attempts++ > 0) throw new Error('another transaction was in the way; do it again')
        const isToCommit = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), TRANSACTION_MS)
          open.set(id, {
            queries,
            end(commit) {
              clearTimeout(timer)
              resolve(commit)
            },
          })
          send({ id, rows: [] })
        })
        open.delete(id)
        if (!isToCommit) throw new RolledBack()
      })
      .then(
        () => settled.get(id)?.(undefined),
        (error: unknown) => (attempts === 0 ? fault(id, error) : settled.get(id)?.(error)),
      )
  }
  const settled = new Map<number, (error: unknown) => void>()

  function end({ id, within, commit }: Extract<Question, { kind: 'end' }>): void {
    const transaction = open.get(within)
    if (!transaction) {
      fault(id, new Error('the transaction took too long, and was rolled back'))
      return
    }
    settled.set(within, (error) => {
      settled.delete(within)
      if (error === undefined || (!commit && error instanceof RolledBack)) send({ id, rows: [] })
      else fault(id, error)
    })
    transaction.end(commit)
  }

  // Beside the store and under a name of ours: a neighbour says nothing about where.
  async function copy(): Promise<string> {
    const to = `${directory}.copy-${randomUUID()}`
    if (!database.copyTo) throw new StoreFault('refused', 'this store can’t be copied')
    removeStale(directory)
    await database.copyTo(to)
    if (!socket.destroyed) return to
    rmSync(to, { recursive: true, force: true })
    throw new StoreFault('unavailable', 'who asked for the copy is gone')
  }

  socket.on(
    'data',
    lineReader(
      (line) => {
        let asked: Question
        try {
          asked = read(line) as Question
        } catch {
          return void socket.destroy()
        }
        if (asked.kind === 'query')
          query(asked).then(
            (rows) => send({ id: asked.id, rows }),
            (error: unknown) => fault(asked.id, error),
          )
        else if (asked.kind === 'begin') begin(asked)
        else if (asked.kind === 'end') end(asked)
        else if (asked.kind === 'copy')
          copy().then(
            (place) => send({ id: asked.id, rows: [{ place }] }),
            (error: unknown) => fault(asked.id, error),
          )
        else socket.destroy()
      },
      () => socket.destroy(),
    ),
  )
  return () => {
    for (const transaction of open.values()) transaction.end(false)
  }
}

// What a neighbour that was killed left behind.
function removeStale(directory: string): void {
  const folder = dirname(directory)
  for (const name of readdirSync(folder).filter((each) => each.startsWith(`${basename(directory)}.copy-`)))
    if (Date.now() - statSync(join(folder, name)).mtimeMs > STALE_MS)
      rmSync(join(folder, name), { recursive: true, force: true })
}

class RolledBack extends Error {}
