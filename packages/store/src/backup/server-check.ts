// Whether a PostgreSQL server could be brought back to any moment: is its log archived without gaps, is the base backup
// recent and whole, would damage be noticed, and does the connection hide what passes.

import type pg from 'pg'
import { patientClient } from '../server/settings.ts'
import { archiveFindings } from './archive-check.ts'
import { baseFindings } from './base-check.ts'

/** One thing that is wrong. */
export interface ServerFinding {
  /** Of the common vocabulary: `backup.archive-off`. */
  readonly id: string
  readonly detail: string
  readonly mend: string
}

/** What to look at. */
export interface ServerCheckSettings {
  /** A base backup as `pg_basebackup` writes it, in plain form. */
  readonly baseBackup?: string
  /** The folder that the log is archived to, where it can be seen from here. */
  readonly archive?: string
  /** How old a base backup may be. */
  readonly maxBaseSeconds: number
  readonly now: () => number
}

/** What the server says of itself. */
export interface ServerState {
  readonly version: string
  readonly recovering: boolean
  readonly archive_mode: string
  readonly archive_command: string
  readonly archive_library: string
  readonly archive_timeout: string
  readonly wal_level: string
  readonly fsync: string
  readonly full_page_writes: string
  readonly data_checksums: string
  readonly ssl_setting: string
  readonly ssl: boolean | null
  readonly socket: boolean
  readonly system: string
  readonly segment: string | null
  readonly segment_bytes: string
  readonly last_archived_wal: string | null
  readonly last_archived: Date | null
  readonly last_failed_wal: string | null
  readonly last_failed: Date | null
}

const STATE = `
  select current_setting('server_version') as version, pg_is_in_recovery() as recovering,
    current_setting('archive_mode') as archive_mode,
    coalesce(current_setting('archive_command', true), '') as archive_command,
    coalesce(current_setting('archive_library', true), '') as archive_library,
    (select setting from pg_settings where name = 'archive_timeout') as archive_timeout,
    current_setting('wal_level') as wal_level, current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes, current_setting('data_checksums') as data_checksums,
    current_setting('ssl') as ssl_setting, inet_server_addr() is null as socket,
    (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as ssl,
    (select system_identifier::text from pg_control_system()) as system,
    case when pg_is_in_recovery() then null else pg_walfile_name(pg_current_wal_lsn()) end as segment,
    (select setting from pg_settings where name = 'wal_segment_size') as segment_bytes,
    a.last_archived_wal, a.last_archived_time as last_archived, a.last_failed_wal, a.last_failed_time as last_failed
  from pg_stat_archiver a`

/**
 * Looks at a server; any role may.
 *
 * @throws the driver's error where it can't be reached
 */
export async function checkServer(
  url: string,
  settings: ServerCheckSettings,
): Promise<readonly ServerFinding[]> {
  const state = await ask(url)
  return [
    ...durability(state),
    ...transit(state),
    ...archiveFindings(state, settings),
    ...(await baseFindings(state, settings)),
  ]
}

async function ask(url: string): Promise<ServerState> {
  const client: pg.Client = patientClient(url)
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<ServerState>(STATE)
    return rows[0]!
  } finally {
    await client.end().catch(() => {})
  }
}

function durability(state: ServerState): readonly ServerFinding[] {
  const off = (['fsync', 'full_page_writes'] as const).filter((name) => state[name] !== 'on')
  return [
    ...off.map((name) => ({
      id: 'backup.not-durable',
      detail: `${name} is off: a power cut can leave a database that does not open`,
      mend: `alter system set ${name} = on; select pg_reload_conf();`,
    })),
    ...(state.data_checksums === 'on'
      ? []
      : [
          {
            id: 'backup.checksums-off',
            detail: 'data checksums are off: a damaged page is copied into every backup unseen',
            mend: 'stop the server, and run pg_checksums --enable -D its data folder',
          },
        ]),
  ]
}

function transit({ ssl, ssl_setting, socket }: ServerState): readonly ServerFinding[] {
  if (socket || ssl) return []
  return [
    {
      id: 'backup.transit',
      detail:
        ssl_setting === 'on'
          ? 'this connection is not encrypted, though the server offers TLS'
          : 'the server offers no TLS: records and passwords pass in clear',
      mend:
        ssl_setting === 'on'
          ? 'add ?sslmode=verify-full to the URL, and make the lines of pg_hba.conf hostssl'
          : 'set ssl = on with a certificate, and make the lines of pg_hba.conf hostssl',
    },
  ]
}
