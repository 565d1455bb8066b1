// An answer on its way to the client: its head, which is held until the body begins, and the body as it comes.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Exchange, isBodyReplaced } from 'sallyport/node'
import type { ResponseHead } from './response-head.ts'

// An error's body that nobody will see is read this far to save the connection; bytes.
const DISCARD_LIMIT = 65_536
// Pieces up to here are written as text; bytes.
const SMALL_CHUNK = 4_096

/** What became of a piece: the client takes more, takes no more for now, or the rest is not worth reading. */
export type Taken = 'more' | 'full' | 'enough'

export class Delivery {
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  private readonly length: number | undefined
  private readonly isStream: boolean
  private heldHead: string[] | undefined
  private readonly status: number
  private discarded = 0
  private isPaused = false
  private lastProgress: number
  // RFC 9112, section 6.3, rule 1.
  private readonly hasNoBody: boolean
  /** True where the client has its whole answer, and what still comes is for nobody. */
  isDiscarding = false

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    status: number,
    head: ResponseHead,
    now: number,
  ) {
    this.request = request
    this.response = response
    this.status = status
    this.length = head.length
    this.heldHead = head.headers
    this.lastProgress = now
    this.hasNoBody = status === 204 || status === 304 || exchange.incoming.method === 'HEAD'
    this.isStream = exchange.cell.data === 'stream' || /^text\/event-stream\b/i.test(head.contentType ?? '')
  }

  /**
   * True where the head says that no byte follows. What an upstream writes after such an answer can reach us when the next
   * request is already on its way, and would be taken for its answer. After any other answer the same is possible, and
   * only a connection for each request would end it; but an answer with a body is the one whose end a sane program can't
   * mistake.
   */
  get isEmpty(): boolean {
    return this.length === 0 || this.hasNoBody
  }

  /** Sends the head at once where no byte of a body may come, or none for long. */
  begin(isWhole: boolean): void {
    // The first bytes of a stream may be long in coming, but the client must see at once that it is open.
    if (this.isStream) {
      this.request.socket.setTimeout(0)
      this.sendHead()
      if (!this.response.writableEnded) this.response.flushHeaders()
    } else if (isWhole || this.hasNoBody) this.sendHead()
  }

  // The head is held until the body begins, so that an answer which is broken from its first byte is still a problem.
  private sendHead(): void {
    const headers = this.heldHead
    if (headers === undefined) return
    this.heldHead = undefined
    this.response.writeHead(this.status, headers)
    // Where no body follows, the client has its answer now: nothing that comes after can be a part of it.
    if (isBodyReplaced(this.response) || this.hasNoBody) {
      this.isDiscarding = true
      this.response.end()
    }
  }

  take(chunk: Buffer, now: number): Taken {
    this.sendHead()
    if (this.isDiscarding) {
      this.discarded += chunk.length
      return this.discarded > DISCARD_LIMIT ? 'enough' : 'more'
    }
    this.lastProgress = now
    if (this.write(chunk)) return 'more'
    this.isPaused = true
    return 'full'
  }

  // With a text node:http sends head and body in one piece; the copy costs less than the second piece. Latin-1 keeps
  // every byte.
  private write(chunk: Buffer): boolean {
    const { response } = this
    if (chunk.length > SMALL_CHUNK) return response.write(chunk)
    const text = chunk.toString('latin1')
    const { socket } = response
    if (chunk.length !== this.length || socket === null || !('uncork' in socket))
      return response.write(text, 'latin1')
    // The answer is whole: it leaves now and by itself. node:http would keep it for the end of the turn, together with
    // the empty piece that its `end` writes, and a list of pieces costs the system a tenth of the whole request.
    socket.cork()
    const isTaken = response.write(text, 'latin1')
    socket.uncork()
    return isTaken
  }

  /** The client takes again. */
  drained(now: number): void {
    this.isPaused = false
    this.lastProgress = now
  }

  /** The body is over. Trailers are not passed on: a field that is merged late passes every check that was made early. */
  end(): void {
    this.sendHead()
    if (!this.isDiscarding) this.response.end()
  }

  /** Forgets a head that has not left; false where it has. */
  takeBack(): boolean {
    const wasHeld = this.heldHead !== undefined
    this.heldHead = undefined
    return wasHeld
  }

  /** Why it ends where it has been silent for too long. */
  stalledBy(now: number, idleMs: number): string | undefined {
    if (now - this.lastProgress <= idleMs) return undefined
    if (this.isPaused) return 'ERR_CLIENT_STALLED'
    // A stream may be silent, but a reader that takes nothing of what is there holds an upstream's connection.
    return this.isStream ? undefined : 'UND_ERR_BODY_TIMEOUT'
  }
}
