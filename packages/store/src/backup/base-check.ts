// Whether a base backup is of this server, recent, and whole.

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ServerCheckSettings, ServerFinding, ServerState } from './server-check.ts'

const VERIFY = 'pg_verifybackup'

/** What is wrong with it. */
export async function baseFindings(
  state: ServerState,
  { baseBackup, maxBaseSeconds, now }: ServerCheckSettings,
): Promise<readonly ServerFinding[]> {
  if (baseBackup === undefined)
    return [
      {
        id: 'backup.base-unseen',
        detail: 'no base backup was looked at: an archive is of no use without one',
        mend: 'name the newest one with --base-backup',
      },
    ]
  const at = madeAt(baseBackup)
  if (at === undefined)
    return [
      {
        id: 'backup.base-damaged',
        detail: 'the folder holds no base backup with a manifest',
        mend: 'make one: pg_basebackup -D FOLDER --checkpoint=fast',
      },
    ]
  const age = (now() - at) / 1_000
  return [
    ...(systemOf(baseBackup) === state.system
      ? []
      : [
          {
            id: 'backup.base-foreign',
            detail: 'the base backup is of another server',
            mend: 'name one of this server, or make one with pg_basebackup',
          },
        ]),
    ...(age <= maxBaseSeconds
      ? []
      : [
          {
            id: 'backup.base-old',
            detail: `the base backup is ${(age / 86_400).toFixed(1)} days old: bringing the server back replays all of the log since`,
            mend: 'make one each week: pg_basebackup -D FOLDER --checkpoint=fast',
          },
        ]),
    ...(await wholeness(baseBackup)),
  ]
}

// The moment in the manifest, since copying changes that of the file.
function madeAt(folder: string): number | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'backup_manifest'), 'utf8')) as {
      readonly Files?: readonly { readonly Path?: string; readonly 'Last-Modified'?: string }[]
    }
    const label = manifest.Files?.find(({ Path }) => Path === 'backup_label')
    const at = Date.parse(label?.['Last-Modified'] ?? '')
    return Number.isNaN(at) ? undefined : at
  } catch {
    return undefined
  }
}

// The first field of pg_control, in the byte order of the machines that we know.
function systemOf(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, 'global/pg_control')).readBigUInt64LE(0).toString()
  } catch {
    return undefined
  }
}

async function wholeness(folder: string): Promise<readonly ServerFinding[]> {
  const major = readMajor(folder)
  const installed = `/usr/lib/postgresql/${major}/bin/${VERIFY}`
  try {
    // The log is in the archive, which was looked at for itself.
    await promisify(execFile)(existsSync(installed) ? installed : VERIFY, [
      '--no-parse-wal',
      '--quiet',
      folder,
    ])
    return []
  } catch (error) {
    const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string }
    if (code === 'ENOENT')
      return [
        {
          id: 'backup.base-unseen',
          detail: `${VERIFY} is not installed here, so that the files of the base backup were not checked`,
          mend: 'install the programs of the PostgreSQL server, or run it where they are',
        },
      ]
    const [first = 'it does not say why'] = (stderr ?? '').trim().split('\n')
    return [
      {
        id: 'backup.base-damaged',
        detail: `${VERIFY}: ${first.replace(/^pg_verifybackup: error: /, '').slice(0, 200)}`,
        mend: 'make a new base backup now, and keep this one for looking into',
      },
    ]
  }
}

function readMajor(folder: string): string {
  try {
    return /^\d{1,3}/.exec(readFileSync(join(folder, 'PG_VERSION'), 'utf8'))?.[0] ?? ''
  } catch {
    return ''
  }
}
