// Reads one answer from bytes as they come: interim answers, the head, then a body by its framing (RFC 9112, section
// 6.3). Bounded: a head or a body that goes on is cut and said to be.

import { type ChunkedDecoder, createChunkedDecoder } from './chunked.ts'
import { type AnswerHead, joinedLine, parseHead } from './head.ts'

const MAX_HEAD = 262_144
const MAX_INTERIM = 20

/** How much of the body is there. */
export type BodyState = 'none' | 'whole' | 'cut' | 'too-long' | 'stream' | 'broken'

/** What has been read so far. */
export interface AnswerReader {
  push(bytes: Buffer): void
  /** The other side has ended its half of the connection. */
  end(): void
  /** True once nothing more is to come. */
  readonly isDone: boolean
  readonly head: AnswerHead | undefined
  /** The statuses of interim answers. */
  readonly interim: readonly number[]
  /** What came where it is no HTTP; its beginning. */
  readonly strange: string | undefined
  readonly bodyState: BodyState
  readonly trailers: readonly string[]
  body(): Buffer
}

/**
 * Makes a reader for the answer to a request.
 *
 * @param method of the request: an answer to HEAD has no body whatever its head says (RFC 9110, section 9.3.2)
 * @param maxBodyBytes what is kept of a body
 */
export function createReader(method: string, maxBodyBytes: number): AnswerReader {
  let pending: Buffer = Buffer.alloc(0)
  let head: AnswerHead | undefined
  let strange: string | undefined
  let bodyState: BodyState = 'none'
  let isDone = false
  let left = Number.POSITIVE_INFINITY
  let decoder: ChunkedDecoder | undefined
  const interim: number[] = []
  const parts: Buffer[] = []
  let kept = 0

  function finish(state: BodyState): void {
    bodyState = state
    isDone = true
  }

  function takeHead(): void {
    while (head === undefined && !isDone) {
      const end = endOfHead(pending)
      if (end === undefined) {
        // "HTTP/" is five bytes; what begins otherwise is never going to be a head.
        const begins = pending.toString('latin1', 0, 5)
        if (!'HTTP/'.startsWith(begins) || pending.length > MAX_HEAD) giveUp()
        return
      }
      const found = parseHead(pending.toString('latin1', 0, end.from))
      if (found === undefined) {
        giveUp()
        return
      }
      pending = pending.subarray(end.to)
      if (found.status >= 100 && found.status < 200 && found.status !== 101) {
        interim.push(found.status)
        if (interim.length > MAX_INTERIM) giveUp()
        continue
      }
      head = found
      frameBody(found)
    }
  }

  function giveUp(): void {
    strange = pending.toString('latin1', 0, 200)
    finish('none')
  }

  function frameBody({ status, headers }: AnswerHead): void {
    const isTunnel = status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)
    if (method === 'HEAD' || status === 204 || status === 304 || isTunnel) {
      finish('none')
      return
    }
    const coding = joinedLine(headers, 'transfer-encoding')
    const length = joinedLine(headers, 'content-length')
    bodyState = 'cut'
    if (coding !== undefined) {
      if (/(?:^|,)[ \t]*chunked$/i.test(coding)) decoder = createChunkedDecoder()
      return
    }
    if (length === undefined) return
    const values = new Set(length.split(',').map((each) => each.trim()))
    const [value = ''] = values
    if (values.size !== 1 || !/^\d{1,15}$/.test(value)) {
      finish('broken')
      return
    }
    left = Number(value)
    if (left === 0) finish('whole')
  }

  function keep(bytes: Buffer): void {
    if (kept + bytes.length > maxBodyBytes) {
      parts.push(bytes.subarray(0, maxBodyBytes - kept))
      kept = maxBodyBytes
      finish('too-long')
      return
    }
    kept += bytes.length
    // A copy: a part of a connection's buffer would hold the whole of it.
    parts.push(Buffer.from(bytes))
  }

  function takeBody(bytes: Buffer): void {
    if (decoder) {
      for (const part of decoder.push(bytes)) if (!isDone) keep(part)
      if (isDone) return
      if (decoder.state === 'done') finish('whole')
      if (decoder.state === 'broken') finish('broken')
      return
    }
    const part = bytes.subarray(0, left)
    left -= part.length
    keep(part)
    if (!isDone && left === 0) finish('whole')
  }

  return {
    push(bytes) {
      if (isDone) return
      if (head === undefined) {
        pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
        takeHead()
        if (head === undefined || isDone) return
        const rest = pending
        pending = Buffer.alloc(0)
        if (rest.length > 0) takeBody(rest)
      } else takeBody(bytes)
      // The first event is enough to know that a stream streams.
      if (!isDone && isEventStream(head!) && /\r?\n\r?\n/.test(Buffer.concat(parts).toString('latin1')))
        finish('stream')
    },
    end() {
      if (isDone) return
      if (head === undefined) {
        if (pending.length > 0) giveUp()
        isDone = true
        return
      }
      // Without a length the end of the connection is the end of the body (RFC 9112, section 6.3, rule 8).
      finish(decoder === undefined && left === Number.POSITIVE_INFINITY ? 'whole' : 'cut')
    },
    get isDone() {
      return isDone
    },
    get head() {
      return head
    },
    interim,
    get strange() {
      return strange
    },
    get bodyState() {
      return bodyState
    },
    get trailers() {
      return decoder?.trailers ?? []
    },
    body: () => Buffer.concat(parts),
  }
}

function isEventStream(head: AnswerHead): boolean {
  return /^text\/event-stream(?:$|[ ;])/i.test(joinedLine(head.headers, 'content-type') ?? '')
}

function endOfHead(bytes: Buffer): { readonly from: number; readonly to: number } | undefined {
  const crlf = bytes.indexOf('\r\n\r\n')
  const lf = bytes.indexOf('\n\n')
  if (crlf < 0 && lf < 0) return undefined
  if (lf >= 0 && (crlf < 0 || lf < crlf)) return { from: lf, to: lf + 2 }
  return { from: crlf, to: crlf + 4 }
}
