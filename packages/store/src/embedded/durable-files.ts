// The file system of the embedded database, with the one thing PGlite leaves out: fsync reaches the disk. Without it a
// power cut loses acknowledged commits and often the whole folder.

import { closeSync, fdatasyncSync, fsyncSync, openSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/** What of Emscripten's NODEFS is touched; internal to PGlite, so its version is pinned exactly. */
interface NodeFileSystem {
  readonly stream_ops: {
    fsync?: (stream: { readonly nfd?: number; readonly path?: string; readonly node: unknown }) => number
  }
  realPath(node: unknown): string
  /** Turns errors of Node into errno values that PostgreSQL understands: a failed fsync must reach it (it panics, rightly). */
  tryFSOperation<T>(operation: () => T): T
}

type FirstRun = (module: { readonly NODEFS?: NodeFileSystem }) => void

/** NodeFS whose fsync syncs. */
export class DurableFiles extends NodeFS {
  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args)
    const hook: FirstRun = (module) => {
      if (!module.NODEFS) throw new Error('this version of PGlite has no NODEFS where fsync can be put')
      makeDurable(module.NODEFS)
    }
    const before = emscriptenOpts.preRun
    const preRun = [...(Array.isArray(before) ? before : before ? [before] : []), hook as never]
    return { emscriptenOpts: { ...emscriptenOpts, preRun } }
  }
}

function makeDurable(files: NodeFileSystem): void {
  files.stream_ops.fsync = (stream) =>
    files.tryFSOperation(() => {
      // The log is written into files of a fixed size: fdatasync(2) syncs all of them that matters, as PostgreSQL does on
      // Linux by default, without the file system's own journal for a time of change.
      if (stream.nfd !== undefined)
        (stream.path?.includes('/pg_wal/') ? fdatasyncSync : fsyncSync)(stream.nfd)
      // PostgreSQL syncs folders after a rename; NODEFS holds no descriptor for them.
      else syncPath(files.realPath(stream.node))
      return 0
    })
}

/** Syncs one file or folder. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** How the database is started: PGlite's own settings without `-F` (it switches fsync off), and a small footprint. */
export const START: readonly string[] = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...[
    'fsync=on',
    'synchronous_commit=on',
    // PGlite's fdatasync does nothing, so the log must be synced by fsync.
    'wal_sync_method=fsync',
    'full_page_writes=on',
    'shared_buffers=16MB',
    'max_wal_size=64MB',
    'min_wal_size=32MB',
  ].flatMap((setting) => ['-c', setting]),
]
