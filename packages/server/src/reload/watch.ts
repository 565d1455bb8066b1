// Tells when files change, however they are changed: written in place, renamed over, or by a symbolic link somewhere on
// their path that points elsewhere (Kubernetes swaps a whole folder so). Folders are watched rather than files, since a
// watch on a file ends with the file; a slow look at the files catches what no event tells of.

import { type FSWatcher, watch } from 'node:fs'
import { readlink, realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** A watch over files. */
export interface FileWatch {
  close(): void
}

/** Milliseconds. */
export interface WatchTimes {
  /** So long after the last change, since an editor writes in several steps. */
  readonly settleMs: number
  /** How often the files are looked at without an event: network disks have none. */
  readonly lookMs: number
}

const TIMES: WatchTimes = { settleMs: 100, lookMs: 5_000 }

/** Calls back after a file's content may have changed. Files that are missing are waited for. */
export async function watchFiles(
  files: readonly string[],
  onChange: () => void,
  times: WatchTimes = TIMES,
): Promise<FileWatch> {
  const watchers = new Map<string, FSWatcher>()
  let isClosed = false
  let settling: NodeJS.Timeout | undefined
  let known = await prints()

  async function prints(): Promise<string> {
    return (await Promise.all(files.map(fingerprint))).join('\n')
  }

  function stir(): void {
    clearTimeout(settling)
    settling = setTimeout(() => void look(), times.settleMs)
    settling.unref()
  }

  async function look(): Promise<void> {
    const now = await prints()
    await watchFolders()
    if (isClosed || now === known) return
    known = now
    onChange()
  }

  async function watchFolders(): Promise<void> {
    const folders = new Set((await Promise.all(files.map(foldersOf))).flat())
    if (isClosed) return
    for (const [folder, watcher] of watchers)
      if (!folders.has(folder)) {
        watcher.close()
        watchers.delete(folder)
      }
    for (const folder of folders) {
      if (watchers.has(folder)) continue
      try {
        const watcher = watch(folder, { persistent: false }, stir)
        watcher.on('error', () => watchers.delete(folder))
        watchers.set(folder, watcher)
      } catch {
        // No watch can be had (a limit of the system, a folder that is gone): the slow look remains.
      }
    }
  }

  await watchFolders()
  const looking = setInterval(() => void look(), times.lookMs)
  looking.unref()
  return {
    close() {
      isClosed = true
      clearInterval(looking)
      clearTimeout(settling)
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}

// Changes with the content, also where a link on the way leads to another file of the same size and time.
async function fingerprint(file: string): Promise<string> {
  try {
    const [real, found] = await Promise.all([realpath(file), stat(file, { bigint: true })])
    return `${real} ${found.ino} ${found.size} ${found.mtimeNs}`
  } catch {
    return 'missing'
  }
}

const MAX_LINKS = 16

// The folders in which a change can make the path mean another file: its own, and those of every link on the way.
async function foldersOf(file: string): Promise<readonly string[]> {
  const folders = new Set<string>([dirname(file)])
  let at = file
  for (let links = 0; links < MAX_LINKS; links++) {
    const link = await firstLink(at)
    if (link === undefined) break
    folders.add(dirname(link.path))
    at = resolve(dirname(link.path), link.target) + at.slice(link.path.length)
    folders.add(dirname(at))
  }
  return [...folders]
}

async function firstLink(path: string): Promise<{ path: string; target: string } | undefined> {
  const parts = path.split('/')
  for (let length = 2; length <= parts.length; length++) {
    const part = parts.slice(0, length).join('/')
    try {
      return { path: part, target: await readlink(part) }
    } catch {
      // No link, or nothing there.
    }
  }
  return undefined
}
