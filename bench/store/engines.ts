// The engines that bench/store compares, each behind the same few calls: PGlite as it comes, ours (PGlite made durable, in a
// worker), and a PostgreSQL 15 on a socket, which is left to sync.

import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openStore, organisationById, organisationInsert, type Store, settingPut } from '@sallyport/store'

/** What is measured. */
export interface Engine {
  readonly name: string
  /** Ours, where it is behind. */
  readonly store?: Store
  /** One row by its primary key. */
  read(id: string): Promise<void>
  /** One durable row. */
  insert(id: string): Promise<void>
  /** A transaction of a tenant: two rows written. */
  transaction(number: number): Promise<void>
  close(): Promise<void>
}

const TENANT = 'bench'
const BIN = '/usr/lib/postgresql/15/bin'

function ofStore(name: string, store: Store, close: () => Promise<void>): Engine {
  return {
    name,
    store,
    read: async (id) => void (await store.query(organisationById, [id])),
    insert: async (id) => void (await store.query(organisationInsert, [id, 'Acme', 'free', null])),
    transaction: (number) =>
      store.transaction({ tenant: TENANT }, async ({ query }) => {
        await query(settingPut, [TENANT, `a${number % 100}`, number])
        await query(settingPut, [TENANT, `b${number % 100}`, number])
      }),
    close,
  }
}

/** Ours, embedded. */
export async function embedded(): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const store = await openStore({ directory: join(folder, 'store'), waitMs: 60_000 })
  await store.query(organisationInsert, [TENANT, 'Acme', 'free', null])
  return ofStore('sallyport, embedded', store, async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
}

/** PGlite as its documentation opens it: in this thread, and nothing is synced. */
export async function plainPglite(): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const fromStore = createRequire(new URL('../../packages/store/package.json', import.meta.url))
  const { PGlite } = (await import(
    pathToFileURL(fromStore.resolve('@electric-sql/pglite')).href
  )) as typeof import('@electric-sql/pglite')
  const database = new PGlite(join(folder, 'plain'))
  await database.exec(
    `create table organisations (id text primary key, name text not null, plan text not null, plan_overrides jsonb,
       created_at timestamptz not null default now(), disabled_at timestamptz);
     create table settings (tenant_id text not null references organisations, name text not null, value jsonb not null,
       updated_at timestamptz not null default now(), primary key (tenant_id, name));
     insert into organisations (id, name, plan) values ('${TENANT}', 'Acme', 'free')`,
  )
  return {
    name: 'PGlite as it comes (not durable)',
    read: async (id) => void (await database.query(organisationById.text, [id])),
    insert: async (id) => void (await database.query(organisationInsert.text, [id, 'Acme', 'free', null])),
    transaction: (number) =>
      database.transaction(async (transaction) => {
        await transaction.query(settingPut.text, [TENANT, `a${number % 100}`, number])
        await transaction.query(settingPut.text, [TENANT, `b${number % 100}`, number])
      }),
    async close() {
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Ours on a PostgreSQL server; undefined where Debian's PostgreSQL 15 is not installed. */
export async function server(): Promise<Engine | undefined> {
  if (!existsSync(`${BIN}/postgres`)) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  chmodSync(folder, 0o700)
  // It refuses to run as root.
  let prefix: readonly string[] = []
  if (process.getuid?.() === 0) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })),
    )
    chownSync(folder, uid!, gid!)
    prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  }
  const run = (command: string, ...args: readonly string[]): void => {
    const [first, ...rest] = [...prefix, `${BIN}/${command}`, ...args]
    execFileSync(first!, rest, { cwd: folder, stdio: 'ignore' })
  }
  const cluster = join(folder, 'cluster')
  run('initdb', '-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8')
  const options = `-c listen_addresses= -c unix_socket_directories=${folder}`
  run('pg_ctl', '-D', cluster, '-w', '-l', join(folder, 'log'), '-o', options, 'start')
  run('psql', '-h', folder, '-U', 'postgres', '-qc', 'create role owner login createrole')
  run('psql', '-h', folder, '-U', 'postgres', '-qc', 'create database bench owner owner')
  const roles = 'create role sallyport_app nologin; create role api login; grant sallyport_app to api'
  run('psql', '-h', folder, '-U', 'postgres', '-qc', roles)
  run('psql', '-h', folder, '-U', 'postgres', '-d', 'bench', '-qc', 'grant all on schema public to owner')
  const url = (role: string) => `postgres://${role}@/bench?host=${encodeURIComponent(folder)}`
  const store = await openStore({ url: url('api'), ownerUrl: url('owner'), connections: 1 })
  await store.query(organisationInsert, [TENANT, 'Acme', 'free', null])
  return ofStore('sallyport, PostgreSQL 15', store, async () => {
    await store.close()
    run('pg_ctl', '-D', cluster, '-m', 'fast', '-w', 'stop')
    rmSync(folder, { recursive: true, force: true })
  })
}
