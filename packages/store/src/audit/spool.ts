// Where events wait while the database is away: a file of JSON lines, bounded, on the disk before anybody relies on it.

import { closeSync, fsyncSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs'
import type { Waiting } from './batch.ts'

/** Keeps events over an outage and a restart. */
export interface Spool {
  /** Keeps as many as there is room for; they are on the disk when this returns. How many. */
  add(events: readonly Waiting[]): number
  read(): readonly Waiting[]
  clear(): void
}

const MAX_BYTES = 64 * 1_048_576

/** A spool in a file. */
export function fileSpool(file: string, maxBytes: number = MAX_BYTES): Spool {
  const size = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  return {
    add(events) {
      if (events.length === 0) return 0
      const lines: string[] = []
      let bytes = size()
      for (const { uid, at, event, risk } of events) {
        const line = `${JSON.stringify({ uid, at, event, ...(risk ? { risk } : {}) })}\n`
        bytes += Buffer.byteLength(line)
        if (bytes > maxBytes) break
        lines.push(line)
      }
      try {
        const handle = openSync(file, 'a', 0o600)
        try {
          writeSync(handle, lines.join(''))
          fsyncSync(handle)
        } finally {
          closeSync(handle)
        }
        return lines.length
      } catch {
        // A disk that takes nothing keeps nothing: the log counts what it loses.
        return 0
      }
    },
    read() {
      if (size() === 0) return []
      return readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line) => {
          try {
            return line === '' ? [] : [JSON.parse(line) as Waiting]
          } catch {
            // The last line, where the machine stopped while it was written.
            return []
          }
        })
    },
    clear() {
      if (size() > 0) truncateSync(file, 0)
    },
  }
}
