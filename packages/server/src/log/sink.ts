// Where log lines go: gathered, written in pieces by one write at a time, and bounded. A disk that is slow or full costs
// lines, which are counted, and never a request. A file that was moved away is opened anew under its name.

import { closeSync, fstatSync, openSync, stat, statSync, write } from 'node:fs'

/** Takes lines. */
export interface LogSink {
  /** Takes one line or more, each with its end. Never throws and never waits. */
  write(text: string): void
  /** Lines that were lost since the start. */
  readonly dropped: number
  /** Opens the file anew, for log rotation. When it is done, nothing more comes to the old one. */
  reopen(): Promise<void>
  /** Writes what is left, as far as it can be written. */
  close(): Promise<void>
}

/** Bytes as characters; a line is nearly always ASCII. */
const PIECE = 65_536
const MAX_WAITING = 8_388_608
const FLUSH_MS = 200
const CHECK_MS = 1_000
const CLOSE_MS = 2_000

/** Writes one piece somewhere at a time; calls back once, with an error or without. */
interface Target {
  write(text: string, done: (error: Error | null) => void): void
  /** Looks whether the file is still the one under its name. */
  check?(): void
  /** From its call on pieces go to the new file. */
  reopen?(): Promise<void>
  /** Called when no write is under way. */
  close?(): void
}

/**
 * A log on the standard output, or in a file of mode 0640 that is only appended to.
 *
 * @throws the system's error where the file can't be opened
 */
export function openSink(where: 'stdout' | { readonly file: string }, stream = process.stdout): LogSink {
  return createSink(where === 'stdout' ? streamTarget(stream) : fileTarget(where.file))
}

function createSink(target: Target): LogSink {
  let waiting = ''
  let isWriting = false
  let inFlight = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let checkedAt = 0
  let closing: (() => void) | undefined

  function flush(): void {
    timer = undefined
    if (isWriting || waiting === '') return
    if (Date.now() - checkedAt > CHECK_MS) {
      checkedAt = Date.now()
      target.check?.()
    }
    writePiece()
  }

  function writePiece(): void {
    const piece = waiting
    waiting = ''
    isWriting = true
    inFlight = piece.length
    target.write(piece, (error) => {
      isWriting = false
      inFlight = 0
      if (error !== null) dropped += lineCount(piece)
      if (closing !== undefined) closing()
      else if (waiting.length >= PIECE) flush()
      else schedule()
    })
  }

  function schedule(): void {
    if (timer !== undefined || waiting === '') return
    timer = setTimeout(flush, FLUSH_MS)
    timer.unref()
  }

  return {
    get dropped() {
      return dropped
    },
    write(text) {
      if (closing !== undefined) return
      if (waiting.length + inFlight + text.length > MAX_WAITING) {
        dropped += lineCount(text)
        return
      }
      waiting += text
      if (waiting.length >= PIECE && !isWriting) {
        clearTimeout(timer)
        flush()
      } else schedule()
    },
    reopen: async () => target.reopen?.(),
    close() {
      clearTimeout(timer)
      return new Promise((resolve) => {
        // A disk that hangs, or a reader of ours that takes nothing, must not keep the process.
        const giveUp = setTimeout(resolve, CLOSE_MS)
        closing = () => {
          if (waiting !== '') return writePiece()
          clearTimeout(giveUp)
          target.close?.()
          resolve()
        }
        if (!isWriting) closing()
      })
    },
  }
}

function lineCount(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

function streamTarget(stream: NodeJS.WritableStream): Target {
  stream.on('error', () => {})
  return { write: (text, done) => void stream.write(text, (error) => done(error ?? null)) }
}

// Owner and group may read: a log tells who called.
const MODE = 0o640

function fileTarget(file: string): Target {
  let descriptor = openSync(file, 'a', MODE)
  // Ends with the write that is under way.
  let writing: Promise<void> | undefined

  // Opened at once, and not in the background: who asks for it moves the old file on right after.
  async function reopen(): Promise<void> {
    let opened: number
    try {
      // A pipe is not rotated, and to open one without a reader would wait for it.
      if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) return
      opened = openSync(file, 'a', MODE)
    } catch {
      // A file that can't be opened now may be later; until then the lines go on into the old one.
      return
    }
    const old = descriptor
    descriptor = opened
    await writing
    closeSync(old)
  }

  // One piece at a time, so one place for all; memory that is new each time costs more than the rest of a line.
  const place = Buffer.allocUnsafeSlow(4 * PIECE)
  const asBytes = (text: string): Buffer =>
    text.length * 3 <= place.length ? place.subarray(0, place.write(text, 0)) : Buffer.from(text)

  return {
    write(text, done) {
      // Whole lines in one call, and all of them to one file: several processes may append to it.
      const bytes = asBytes(text)
      const to = descriptor
      const { promise, resolve } = Promise.withResolvers<void>()
      writing = promise
      const end = (error: Error | null) => {
        resolve()
        writing = undefined
        done(error)
      }
      const writeFrom = (from: number) =>
        write(to, bytes, from, bytes.length - from, null, (error, written) => {
          if (error) end(error)
          else if (from + written < bytes.length) writeFrom(from + written)
          else end(null)
        })
      writeFrom(0)
    },
    check() {
      stat(file, (error, found) => {
        if (error ? error.code === 'ENOENT' : isOther(descriptor, found.ino)) void reopen()
      })
    },
    reopen,
    close: () => closeSync(descriptor),
  }
}

function isOther(descriptor: number, inode: number): boolean {
  try {
    return fstatSync(descriptor).ino !== inode
  } catch {
    return true
  }
}
