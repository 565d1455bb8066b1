// Where log lines go: gathered, written in pieces by one write at a time, and bounded. A disk that is slow or full costs
// lines, which are counted, and never a request. A file that was moved away is opened anew under its name.

import { closeSync, fstatSync, open, openSync, stat, write, writeSync } from 'node:fs'

/** Takes lines. */
export interface LogSink {
  /** Takes one line or more, each with its end. Never throws and never waits. */
  write(text: string): void
  /** Lines that were lost since the start. */
  readonly dropped: number
  /** Opens the file anew, for log rotation. */
  reopen(): void
  /** Writes what is left, as far as it can be written. */
  close(): void
}

/** Bytes as characters; a line is nearly always ASCII. */
const PIECE = 65_536
const MAX_WAITING = 8_388_608
const FLUSH_MS = 200
const CHECK_MS = 1_000

/** Writes one piece somewhere; calls back once, with an error or without. */
interface Target {
  write(text: string, done: (error: Error | null) => void): void
  /** Looks whether the file is still the one under its name. */
  check?(): void
  reopen?(): void
  close(rest: string): void
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

  function flush(): void {
    timer = undefined
    if (isWriting || waiting === '') return
    if (Date.now() - checkedAt > CHECK_MS) {
      checkedAt = Date.now()
      target.check?.()
    }
    const piece = waiting
    waiting = ''
    isWriting = true
    inFlight = piece.length
    target.write(piece, (error) => {
      isWriting = false
      inFlight = 0
      if (error !== null) dropped += lineCount(piece)
      if (waiting.length >= PIECE) flush()
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
    reopen: () => target.reopen?.(),
    close() {
      clearTimeout(timer)
      target.close(waiting)
      waiting = ''
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
  return {
    write: (text, done) => void stream.write(text, (error) => done(error ?? null)),
    close: (rest) => void (rest === '' || stream.write(rest, () => {})),
  }
}

// Owner and group may read: a log tells who called.
const MODE = 0o640

function fileTarget(file: string): Target {
  let descriptor = openSync(file, 'a', MODE)
  let isOpening = false

  function reopen(): void {
    if (isOpening) return
    isOpening = true
    open(file, 'a', MODE, (error, opened) => {
      isOpening = false
      // A file that can't be opened now may be later; until then the lines go on into the old one.
      if (error) return
      const old = descriptor
      descriptor = opened
      // A write to the old one that is under way holds it open by itself only if it has begun.
      setTimeout(() => closeSync(old), CHECK_MS).unref()
    })
  }

  return {
    write(text, done) {
      // Whole lines in one call: several processes may append to one file.
      const bytes = Buffer.from(text)
      const writeFrom = (from: number) =>
        write(descriptor, bytes, from, bytes.length - from, null, (error, written) => {
          if (error) done(error)
          else if (from + written < bytes.length) writeFrom(from + written)
          else done(null)
        })
      writeFrom(0)
    },
    check() {
      stat(file, (error, found) => {
        if (error ? error.code === 'ENOENT' : isOther(descriptor, found.ino)) reopen()
      })
    },
    reopen,
    close(rest) {
      try {
        if (rest !== '') writeSync(descriptor, rest)
        closeSync(descriptor)
      } catch {
        // The process ends, and nobody is left to tell.
      }
    },
  }
}

function isOther(descriptor: number, inode: number): boolean {
  try {
    return fstatSync(descriptor).ino !== inode
  } catch {
    return true
  }
}
