// Status events, kept for those who come back: a client that lost the connection names the last event that it saw
// (Last-Event-ID) and is sent what it missed.

import type { ServerResponse } from 'node:http'

/** What happened. */
export interface StatusEvent {
  readonly id: number
  readonly component: string
  readonly state: 'operational' | 'degraded'
}

/** The events of one running API, and who listens to them. */
export interface StatusFeed {
  publish(component: string, state: StatusEvent['state']): void
  /** Sends what the client has not seen yet, then everything that happens. */
  connect(response: ServerResponse, lastEventId: string | undefined): void
  current(): Readonly<Record<string, StatusEvent['state']>>
  /** Ends every stream. */
  close(): void
}

const KEPT = 100

export function createStatusFeed(): StatusFeed {
  const events: StatusEvent[] = []
  const listeners = new Set<ServerResponse>()
  let lastId = 0
  return {
    publish(component, state) {
      lastId += 1
      const event = { id: lastId, component, state }
      events.push(event)
      if (events.length > KEPT) events.shift()
      for (const response of listeners) response.write(frame(event))
    },
    connect(response, lastEventId) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
      // An id that is no number of ours starts from the beginning of what is kept.
      const seen = /^\d{1,15}$/.test(lastEventId ?? '') ? Number(lastEventId) : 0
      response.write(
        `retry: 2000\n\n${events
          .filter(({ id }) => id > seen)
          .map(frame)
          .join('')}`,
      )
      listeners.add(response)
      response.on('close', () => listeners.delete(response))
    },
    current: () => Object.fromEntries(events.map(({ component, state }) => [component, state])),
    close() {
      for (const response of listeners) response.end()
    },
  }
}

function frame(event: StatusEvent): string {
  return `id: ${event.id}\nevent: status\ndata: ${JSON.stringify(event)}\n\n`
}
