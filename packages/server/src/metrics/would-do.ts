// What controls in report mode would have done: for each route, control and effect how often, and for which origins and
// credentials. This is what an operator reads before a control is enforced.

import { hash, randomBytes } from 'node:crypto'
import { catalogue, type WouldDo } from 'sallyport'
import type { Exchange } from 'sallyport/node'
import { createLabelledCounter, type Family } from './families.ts'
import { createTop, type Top, type TopEntry } from './top.ts'

/** What a control would do: refuse a request, send it elsewhere, or change a header or a body. */
type Effect = 'deny' | 'redirect' | 'change'

/** One line of the report. */
export interface WouldDoRow {
  readonly route: string
  /** A register id. */
  readonly control: string
  readonly effect: Effect
  /** The code of the refusal, the status of the redirect, the header that would differ, `body:` and a code. */
  readonly what: string
  readonly count: number
  /** The most frequent; `-` where the request named none. */
  readonly origins: readonly TopEntry[]
  readonly credentials: readonly TopEntry[]
}

/** Counts of report mode. */
export interface WouldDoCounts {
  add(would: WouldDo): void
  rows(): readonly WouldDoRow[]
  families(): readonly Family[]
  /** Begins anew, for a new policy; what Prometheus sees goes on. */
  reset(): void
}

interface Row {
  count: number
  readonly origins: Top
  readonly credentials: Top
}

const TOP = 20
// Routes × controls × effects come from the policy, but a policy can have 10,000 routes.
const MAX_ROWS = 5_000
/** Labels that callers choose: so many are told apart in the life of the process. */
const MAX_CALLER_LABELS = 50

export function createWouldDoCounts(key: Buffer = randomBytes(32)): WouldDoCounts {
  const rows = new Map<string, Row>()
  const total = createLabelledCounter(
    'sallyport_would_do_total',
    'What controls in report mode would have done.',
    ['http_route', 'control', 'effect', 'what'],
  )
  const byOrigin = createLabelledCounter(
    'sallyport_would_do_by_origin_total',
    'The same by the Origin of the request; "-" where it has none, "other" beyond the first 50.',
    ['origin', 'effect'],
    MAX_CALLER_LABELS * 3,
  )
  const byCredential = createLabelledCounter(
    'sallyport_would_do_by_credential_total',
    'The same by the credential of the request, as an id that is not the credential; "other" beyond the first 50.',
    ['credential', 'effect'],
    MAX_CALLER_LABELS * 3,
  )
  const origins = firstNames()
  const credentials = firstNames()

  return {
    add({ control, what, cell, exchange }) {
      const effect = effectOf(what)
      const origin = originOf(exchange)
      const credential = credentialOf(exchange, key)
      total.add([cell, control, effect, what])
      byOrigin.add([origins(origin), effect])
      byCredential.add([credentials(credential), effect])
      const name = `${cell}\u0000${control}\u0000${what}`
      let row = rows.get(name)
      if (row === undefined) {
        if (rows.size >= MAX_ROWS) return
        row = { count: 0, origins: createTop(TOP), credentials: createTop(TOP) }
        rows.set(name, row)
      }
      row.count++
      row.origins.add(origin)
      row.credentials.add(credential)
    },
    rows: () =>
      [...rows]
        .map(([name, row]) => {
          const [route = '', control = '', what = ''] = name.split('\u0000')
          return {
            route,
            control,
            effect: effectOf(what),
            what,
            count: row.count,
            origins: row.origins.list(),
            credentials: row.credentials.list(),
          }
        })
        .sort((a, b) => b.count - a.count),
    families: () => [total.family(), byOrigin.family(), byCredential.family()],
    reset: () => rows.clear(),
  }
}

function effectOf(what: string): Effect {
  if (Object.hasOwn(catalogue, what)) return 'deny'
  return /^3\d\d$/.test(what) ? 'redirect' : 'change'
}

const MAX_ORIGIN = 120

function originOf(exchange: Exchange | undefined): string {
  const origin = exchange?.header('origin')
  return origin === undefined ? '-' : origin.slice(0, MAX_ORIGIN)
}

/**
 * An id for the credential of a request, by which two requests of one caller are known as such and from which nobody
 * learns the credential: its kind, and 48 bits of a digest under a key that the process makes at random.
 */
function credentialOf(exchange: Exchange | undefined, key: Buffer): string {
  const authorization = exchange?.header('authorization')
  if (authorization !== undefined) {
    const scheme = /^[A-Za-z]{1,16}(?= )/.exec(authorization)?.[0].toLowerCase() ?? 'other'
    const digest = hash('sha256', Buffer.concat([key, Buffer.from(authorization)]), 'hex')
    return `${scheme}:${digest.slice(0, 12)}`
  }
  return exchange?.header('cookie') === undefined ? '-' : 'cookie'
}

// The first names keep their own; a later one is "other".
function firstNames(): (name: string) => string {
  const known = new Set<string>()
  return (name) => {
    if (known.has(name)) return name
    if (known.size >= MAX_CALLER_LABELS) return 'other'
    known.add(name)
    return name
  }
}

/** The rows of several processes as those of one. */
export function mergeRows(all: readonly (readonly WouldDoRow[])[]): readonly WouldDoRow[] {
  const merged = new Map<string, WouldDoRow>()
  for (const row of all.flat()) {
    const key = `${row.route}\u0000${row.control}\u0000${row.what}`
    const known = merged.get(key)
    merged.set(
      key,
      known === undefined
        ? row
        : {
            ...row,
            count: known.count + row.count,
            origins: mergeTop(known.origins, row.origins),
            credentials: mergeTop(known.credentials, row.credentials),
          },
    )
  }
  return [...merged.values()].sort((a, b) => b.count - a.count)
}

function mergeTop(one: readonly TopEntry[], two: readonly TopEntry[]): readonly TopEntry[] {
  const merged = new Map(one.map((entry) => [entry.name, entry]))
  for (const entry of two) {
    const { count = 0, error = 0 } = merged.get(entry.name) ?? {}
    merged.set(entry.name, { name: entry.name, count: count + entry.count, error: error + entry.error })
  }
  return [...merged.values()].sort((a, b) => b.count - a.count).slice(0, TOP)
}
