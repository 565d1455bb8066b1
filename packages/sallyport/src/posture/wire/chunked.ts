// Takes the chunked transfer coding off a body (RFC 9112, section 7.1), piece by piece; total: whatever comes, it says
// what it understood and never throws.

const MAX_LINE = 8_192
const CR = 13
const LF = 10

/** Takes chunk framing off. */
export interface ChunkedDecoder {
  /** Takes bytes and gives the body's bytes among them. */
  push(bytes: Buffer): readonly Buffer[]
  readonly state: 'open' | 'done' | 'broken'
  /** The lines after the last chunk. */
  readonly trailers: readonly string[]
}

/** Makes a decoder for one body. */
export function createChunkedDecoder(): ChunkedDecoder {
  let state: 'open' | 'done' | 'broken' = 'open'
  let expects: 'size' | 'bytes' | 'end-of-chunk' | 'trailer' = 'size'
  let left = 0
  let line = ''
  const trailers: string[] = []

  function takeLine(text: string): void {
    if (expects === 'trailer') {
      if (text === '') state = 'done'
      else if (trailers.length < 100) trailers.push(text)
      return
    }
    if (expects === 'end-of-chunk') {
      if (text === '') expects = 'size'
      else state = 'broken'
      return
    }
    // Extensions follow a semicolon and mean nothing to us.
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i.exec(text)
    if (!size) {
      state = 'broken'
      return
    }
    left = Number.parseInt(size[1]!, 16)
    expects = left === 0 ? 'trailer' : 'bytes'
  }

  return {
    get state() {
      return state
    },
    trailers,
    push(bytes) {
      const body: Buffer[] = []
      let at = 0
      while (at < bytes.length && state === 'open') {
        if (expects === 'bytes') {
          const part = bytes.subarray(at, at + left)
          body.push(part)
          at += part.length
          left -= part.length
          if (left === 0) expects = 'end-of-chunk'
          continue
        }
        const end = bytes.indexOf(LF, at)
        line += bytes.toString('latin1', at, end < 0 ? bytes.length : end)
        if (line.length > MAX_LINE) state = 'broken'
        if (end < 0 || state === 'broken') break
        at = end + 1
        const text = line.charCodeAt(line.length - 1) === CR ? line.slice(0, -1) : line
        line = ''
        takeLine(text)
      }
      return body
    },
  }
}
