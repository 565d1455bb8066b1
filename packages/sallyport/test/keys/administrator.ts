// Keys in memory, for tests of what stands before them: one organisation, no log.

import { keyFormat } from '../../src/keys/format.ts'
import type { KeyAdministrator, ManagedKey } from '../../src/ports/key-administrator.ts'

/** An administrator, and what it has done. */
export interface MemoryAdministrator extends KeyAdministrator {
  readonly keys: Map<string, ManagedKey>
  readonly done: string[]
  /** Set: every call rejects. */
  isAway: boolean
}

const format = keyFormat('acme')

export function memoryAdministrator(clock: () => number): MemoryAdministrator {
  const keys = new Map<string, ManagedKey>()
  const text = (kind: ManagedKey['kind']) =>
    format.make({ kind, environment: 'live' }, (bytes) =>
      crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    )
  const here = () => {
    if (made.isAway) throw new Error('postgres://api:hunter2@records is away')
  }
  const made: MemoryAdministrator = {
    keys,
    done: [],
    isAway: false,
    async list(_home, limit, after) {
      here()
      const all = [...keys.values()].reverse()
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1
      return all.slice(from, from + limit)
    },
    async find({ organisation }, id) {
      here()
      return organisation === 'acme-inc' ? keys.get(id) : undefined
    },
    async create(_home, { networks, ...wanted }, { actor }) {
      here()
      const id = `key-${keys.size}`
      const record: ManagedKey = {
        ...wanted,
        id,
        networks,
        display: `sk_acme_live_…${id}`,
        createdBy: actor.credential.id,
        createdAt: clock(),
        generation: 1,
      }
      keys.set(id, record)
      made.done.push(`create ${wanted.name}`)
      return { key: text(wanted.kind), record }
    },
    async rotate(_home, id) {
      here()
      const before = keys.get(id)
      if (before === undefined) return 'unknown'
      const record = { ...before, generation: before.generation + 1 }
      keys.set(id, record)
      made.done.push(`rotate ${id}`)
      return { key: text(record.kind), record, beforeEndsAt: clock() }
    },
    async revoke(_home, id) {
      here()
      const before = keys.get(id)
      if (before === undefined) return 'unknown'
      const record = { ...before, revokedAt: clock() }
      keys.set(id, record)
      made.done.push(`revoke ${id}`)
      return record
    },
  }
  return made
}
