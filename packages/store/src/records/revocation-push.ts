// Listens for revocations on a PostgreSQL server, so that nodes ask for them at once. It needs a connection of its own,
// not through a pooler in transaction mode; while it has none, the ring is told.

import { setTimeout as wait } from 'node:timers/promises'
import { patientClient } from '../server/settings.ts'

/** The part of a ring that is pushed. */
interface Pushed {
  poke(): void
  pushLost(isLost: boolean): void
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000

/**
 * Begins to listen; connects again whenever the connection is lost.
 *
 * @param url as of the store
 * @returns what ends it
 */
export function pushRevocations(url: string, ring: Pushed): () => Promise<void> {
  let stopped = false
  const { promise: stop, resolve: end } = Promise.withResolvers<void>()
  ring.pushLost(true)

  async function listen(): Promise<void> {
    const client = patientClient(url)
    const lost = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
      client.on('end', () => resolve())
    })
    client.on('notification', () => ring.poke())
    try {
      await client.connect()
      await client.query('listen sallyport_revocations')
      // What was told while nobody listened is asked for now.
      ring.pushLost(false)
      await Promise.race([lost, stop])
    } catch {
      // As good as lost: it is tried again.
    } finally {
      await client.end().catch(() => {})
    }
  }

  const running = (async () => {
    for (let pause = FIRST_WAIT_MS; !stopped; pause = Math.min(LONGEST_WAIT_MS, pause * 2)) {
      const began = performance.now()
      await listen()
      if (stopped) return
      ring.pushLost(true)
      if (performance.now() - began > LONGEST_WAIT_MS) pause = FIRST_WAIT_MS
      await Promise.race([wait(pause, undefined, { ref: false }), stop])
    }
  })()
  return async () => {
    stopped = true
    end()
    await running
  }
}
