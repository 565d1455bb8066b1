// A PgBouncer in transaction mode with one connection behind it: whoever asks next gets the connection of whoever asked
// before.

import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PROGRAM = '/usr/sbin/pgbouncer'

/** False, or why it is skipped. */
export const pgbouncerMissing: false | string =
  !existsSync(PROGRAM) && 'pgbouncer is missing: apt-get install -y --no-install-recommends pgbouncer'

/** One that runs. */
export interface Pgbouncer {
  /** The URL of the database through it. */
  readonly url: string
  end(): void
}

/** Starts one before a database: `postgres://role@/database?host=/socket/folder`. */
export async function startPgbouncer(behind: string): Promise<Pgbouncer> {
  const { pathname, searchParams, username } = new URL(behind.replace('@/', '@localhost/'))
  const database = pathname.slice(1)
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bouncer-'))
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
${database} = host=${searchParams.get('host')} dbname=${database} user=${username} pool_size=1
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = ${folder}
auth_type = any
pool_mode = transaction
server_reset_query =
max_client_conn = 50
`,
  )
  const root = process.getuid?.() === 0
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const [uid, gid] = root ? [id('-u'), id('-g')] : [0, 0]
  if (root) for (const path of [folder, file]) chownSync(path, uid, gid)
  const child = spawn(PROGRAM, ['-q', file], { stdio: 'ignore', ...(root ? { uid, gid } : {}) })
  const socket = join(folder, '.s.PGSQL.6432')
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`)
    await new Promise((fulfil) => setTimeout(fulfil, 20))
  }
  return {
    url: `postgres://${username}@/${database}?host=${encodeURIComponent(folder)}&port=6432`,
    end() {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
