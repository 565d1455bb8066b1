// A connection to the embedded database as the stream that `pg` expects of a socket: what `pg` writes in one go is one
// batch for the worker.

import { Duplex } from 'node:stream'
import { StoreFault } from '../fault.ts'

/** A Duplex over the worker's port. */
export class WorkerStream extends Duplex {
  readonly #send: (bytes: Uint8Array) => boolean

  constructor(send: (bytes: Uint8Array) => boolean) {
    super({ allowHalfOpen: false })
    this.#send = send
  }

  /** What a socket does when it is told to connect; the worker is there already. */
  connect(): this {
    queueMicrotask(() => this.emit('connect'))
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  /** Hands bytes of the database to the reader. */
  receive(bytes: Uint8Array): void {
    if (bytes.length > 0 && !this.destroyed)
      this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#post([chunk], done)
  }

  override _writev(chunks: { readonly chunk: Uint8Array }[], done: (error?: Error) => void): void {
    this.#post(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  #post(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    // A copy: the buffers are parts of a pool that is written again.
    const bytes = new Uint8Array(Buffer.concat(chunks))
    if (this.#send(bytes)) done()
    else done(new StoreFault('unavailable', 'the connection to the embedded database has ended'))
  }
}
