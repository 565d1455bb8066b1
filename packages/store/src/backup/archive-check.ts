// Whether a server's write-ahead log reaches its archive, and whether the archive has gaps.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerCheckSettings, ServerFinding, ServerState } from './server-check.ts'

// A burst of writes is some segments; more than that and the archiver does not keep up.
const BEHIND = 8
const SEGMENT = /^[0-9A-F]{24}$/

/** What is wrong with the archive. */
export function archiveFindings(state: ServerState, settings: ServerCheckSettings): readonly ServerFinding[] {
  if (state.recovering)
    return [
      {
        id: 'backup.replica',
        detail: 'this is a replica: whether the log is archived is known to its primary',
        mend: 'check the primary',
      },
    ]
  const off = whyOff(state)
  if (off !== undefined)
    return [
      {
        id: 'backup.archive-off',
        detail: `${off}: what was written since the last base backup can’t be brought back`,
        mend: 'set wal_level = replica, archive_mode = on and an archive_command, and restart the server',
      },
    ]
  return [...working(state), ...slow(state), ...gaps(state, settings)]
}

function whyOff(state: ServerState): string | undefined {
  if (state.wal_level === 'minimal') return 'wal_level is minimal'
  if (state.archive_mode === 'off') return 'archive_mode is off'
  // The server says so where a command is set and archiving is off: here it would only wait.
  if (['', '(disabled)'].includes(state.archive_command) && state.archive_library === '')
    return 'there is no archive_command'
  return undefined
}

function working(state: ServerState): readonly ServerFinding[] {
  const { last_archived, last_archived_wal, last_failed, last_failed_wal, segment } = state
  if (last_failed !== null && (last_archived === null || last_failed >= last_archived))
    return [
      {
        id: 'backup.archive-failing',
        detail: `archiving fails since ${last_failed.toISOString()} at ${last_failed_wal}; the log is kept on the server until its disk is full`,
        mend: 'look into the log of the server for what the archive_command said, and mend it',
      },
    ]
  if (last_archived === null)
    return [
      {
        id: 'backup.archive-failing',
        detail: 'nothing was archived yet',
        mend: 'select pg_switch_wal(); and look whether pg_stat_archiver counts it',
      },
    ]
  const behind = between(last_archived_wal, segment, state)
  return behind === undefined || behind <= BEHIND
    ? []
    : [
        {
          id: 'backup.archive-behind',
          detail: `${behind} segments of the log are not archived yet; the last one was at ${last_archived.toISOString()}`,
          mend: 'make the archive_command faster, or the archive nearer',
        },
      ]
}

// A server with few writes fills a segment in days.
function slow({ archive_timeout }: ServerState): readonly ServerFinding[] {
  const seconds = Number(archive_timeout)
  return seconds > 0 && seconds <= 3_600
    ? []
    : [
        {
          id: 'backup.archive-slow',
          detail: `archive_timeout is ${seconds === 0 ? 'off' : `${seconds} s`}: a quiet server keeps hours of changes for itself, and they go with its disk`,
          mend: "alter system set archive_timeout = '60s'; select pg_reload_conf();",
        },
      ]
}

function gaps(state: ServerState, { archive }: ServerCheckSettings): readonly ServerFinding[] {
  if (archive === undefined) return []
  let names: readonly string[]
  try {
    names = readdirSync(archive)
  } catch (error) {
    return [
      {
        id: 'backup.archive-gap',
        detail: `the archive can’t be read (${(error as NodeJS.ErrnoException).code})`,
        mend: 'name the folder that the archive_command writes to',
      },
    ]
  }
  // Compressed ones have an ending more.
  const there = new Set(names.map((name) => name.slice(0, 24)).filter((name) => SEGMENT.test(name)))
  const newest = state.last_archived_wal?.slice(0, 24) ?? ''
  if (there.size === 0 || !SEGMENT.test(newest)) return [gap('the archive holds no segment of the log')]
  const forks = forksOf(newest.slice(0, 8), archive, state)
  const first = Math.min(...[...there].map((name) => numberOf(name, state)))
  for (let at = first; at <= numberOf(newest, state); at += 1) {
    const timeline = forks.find(({ before }) => at < before)?.timeline ?? newest.slice(0, 8)
    const name = nameOf(timeline, at, state)
    if (!there.has(name)) return [gap(`${name} is not in the archive`)]
  }
  return []
}

interface Fork {
  readonly timeline: string
  /** The first segment that is not of this timeline any more. */
  readonly before: number
}

// A server that was brought back goes on along a new timeline, and its history says where it left the ones before.
function forksOf(timeline: string, archive: string, state: ServerState): readonly Fork[] {
  let text: string
  try {
    text = readFileSync(join(archive, `${timeline}.history`), 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [, parent, high, low] = /^\s*(\d{1,9})\s+([0-9A-F]{1,8})\/([0-9A-F]{1,8})\s/.exec(line) ?? []
    if (parent === undefined) return []
    const segment = Math.floor(Number.parseInt(low!, 16) / Number(state.segment_bytes))
    return [
      {
        timeline: hex(Number(parent)),
        before: Number.parseInt(high!, 16) * perHigh(state) + segment,
      },
    ]
  })
}

function gap(detail: string): ServerFinding {
  return {
    id: 'backup.archive-gap',
    detail: `${detail}: nothing after it can be brought back from what is before it`,
    mend: 'make a new base backup now, and find out what deletes from the archive',
  }
}

function between(from: string | null, to: string | null, state: ServerState): number | undefined {
  if (from === null || to === null || !SEGMENT.test(from.slice(0, 24)) || !SEGMENT.test(to)) return undefined
  return numberOf(to, state) - numberOf(from, state) - 1
}

// The name of a segment: timeline, then two halves of which the second counts the segments of 4 GB.
function numberOf(name: string, state: ServerState): number {
  return Number.parseInt(name.slice(8, 16), 16) * perHigh(state) + Number.parseInt(name.slice(16, 24), 16)
}

function nameOf(timeline: string, number: number, state: ServerState): string {
  return timeline + hex(Math.floor(number / perHigh(state))) + hex(number % perHigh(state))
}

function perHigh({ segment_bytes }: ServerState): number {
  return 2 ** 32 / Number(segment_bytes)
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(8, '0')
}
