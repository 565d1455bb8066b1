// Migrations: numbered SQL files, each applied once in a transaction of its own, never backwards. Several processes may
// start at once; a history that is newer than ours or was edited is refused.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type pg from 'pg'
import { StoreFault } from './fault.ts'

/** One step of the schema. */
export interface Migration {
  readonly number: number
  readonly name: string
  readonly sql: string
  readonly sha256: string
}

// One number for all of Sallyport's migrations: "sallypor" as a 64-bit integer.
const LOCK = '8314045600252325746'
const HISTORY = `create table if not exists sallyport_migrations (
  number int4 primary key,
  name text not null,
  sha256 text not null,
  applied_at timestamptz not null default now()
)`

/**
 * Reads the migrations that come with this package.
 *
 * @throws Error where a number is missing or given twice
 */
export function readMigrations(): readonly Migration[] {
  const folder = new URL('schema/migrations/', import.meta.resolve('@sallyport/store/package.json'))
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file, index) => {
      const sql = readFileSync(new URL(file, folder), 'utf8')
      const migration = migrationOf(file.slice(0, -4), sql)
      if (migration.number !== index + 1)
        throw new Error(
          `migrations are numbered without gaps from 0001: ${file} stands at place ${index + 1}`,
        )
      return migration
    })
}

/** `0001-callers` and its SQL. */
export function migrationOf(label: string, sql: string): Migration {
  const [, number, name] = /^(\d{4})-([a-z0-9-]+)$/.exec(label) ?? []
  if (number === undefined || name === undefined)
    throw new Error(`a migration is named like 0001-callers.sql, not ${label}.sql`)
  return { number: Number(number), name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
}

/**
 * Brings a database to the newest schema.
 *
 * @returns how many migrations were applied by this call
 * @throws StoreFault `refused` where the database's history is not the beginning of ours
 */
export async function migrate(client: pg.ClientBase, migrations: readonly Migration[]): Promise<number> {
  let applied = 0
  for (;;) {
    await client.query('begin')
    try {
      await client.query("set local lock_timeout = '60s'; set local statement_timeout = '60s'")
      await client.query(`select pg_advisory_xact_lock(${LOCK})`)
      await client.query(HISTORY)
      const done = await history(client)
      judgeHistory(done, migrations)
      const next = migrations[done.length]
      if (next) {
        await client.query(next.sql)
        await client.query('insert into sallyport_migrations (number, name, sha256) values ($1, $2, $3)', [
          next.number,
          next.name,
          next.sha256,
        ])
      }
      await client.query('commit')
      if (!next) return applied
      applied += 1
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw error
    }
  }
}

/** What a database says was applied. */
export interface Applied {
  readonly number: number
  readonly name: string
  readonly sha256: string
}

/** Reads the history; empty where there is none. */
export async function history(client: pg.ClientBase | pg.Pool): Promise<readonly Applied[]> {
  try {
    const { rows } = await client.query<Applied>(
      'select number, name, sha256 from sallyport_migrations order by number',
    )
    return rows
  } catch (error) {
    if ((error as { readonly code?: string }).code === '42P01') return []
    throw error
  }
}

/**
 * Compares a history with the migrations of this version.
 *
 * @throws StoreFault `refused`
 */
export function judgeHistory(
  done: readonly Applied[],
  migrations: readonly Migration[],
  wanted: 'complete' | 'beginning' = 'beginning',
): void {
  for (const { number, name, sha256 } of done) {
    const known = migrations[number - 1]
    if (!known)
      throw new StoreFault(
        'refused',
        `the store was migrated by a newer version of Sallyport (to ${number}, ${name}; this version knows ${migrations.length}); run that version`,
      )
    if (known.sha256 !== sha256)
      throw new StoreFault(
        'refused',
        `migration ${number} (${name}) of the store differs from the one of this version; an applied migration is never edited: restore its file`,
      )
  }
  if (done.some(({ number }, index) => number !== index + 1))
    throw new StoreFault('refused', 'the history of the store’s migrations has a gap; restore the store')
  const next = migrations[done.length]
  if (wanted === 'complete' && next)
    throw new StoreFault(
      'refused',
      `the store lacks migration ${next.number} (${next.name}); open it once with the URL of the tables’ owner`,
    )
}
